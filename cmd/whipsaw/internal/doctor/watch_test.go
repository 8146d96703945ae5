package doctor

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// Each finding is told once per session, in the log and to the listener, and Since stays while it lasts.
func TestToldOnce(t *testing.T) {
	var out bytes.Buffer
	told := map[string]int{}
	w := NewWatch(nil, func(string) Limits { return limits }, slog.New(slog.NewTextHandler(&out, nil)), func(stream, session string, f Finding) { told[session+" "+f.ID]++ })
	play := func(session string) {
		for second := 0.0; second < 60; second += 2 {
			s := healthy(second)
			s.Status.Publisher.Session, s.Status.Publisher.UserAgent = session, "Lavf/62"
			if second > 20 && second < 40 || second > 50 {
				s.Status.Video.GOP = 9
			}
			w.examine(s)
		}
	}
	play("one")
	require.Equal(t, 1, told["one long-gop"])
	f := find(w.Findings("live"), "long-gop")
	require.Equal(t, begun.Add(52*time.Second), f.Since)
	play("two")
	require.Equal(t, map[string]int{"one long-gop": 1, "two long-gop": 1, "one opus-safari": 1, "two opus-safari": 1}, told)
	require.Equal(t, 2, strings.Count(out.String(), "id=long-gop"))
	require.Contains(t, out.String(), "level=WARN msg=finding stream=live session=one id=long-gop")
	require.Contains(t, out.String(), "level=INFO msg=finding stream=live session=one id=opus-safari")
	require.Contains(t, out.String(), "-g 60")
}

// However long a stream lives, little is kept of it.
func TestHistoryIsBounded(t *testing.T) {
	w := NewWatch(nil, func(string) Limits { return limits }, slog.New(slog.DiscardHandler), nil)
	for second := 0.0; second < 3600; second += 2 {
		w.examine(healthy(second))
	}
	h := w.cards["live"].history
	require.Len(t, h, keepFirst+keepNewest)
	require.Equal(t, begun, h[0].At)
	require.GreaterOrEqual(t, h[len(h)-1].At.Sub(h[keepFirst].At), restWindow)
}

// It runs beside a registry, and forgets streams that are gone.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := segmenter.NewRegistry(segmenter.DefaultConfig(), slog.New(slog.DiscardHandler))
		w := NewWatch(reg, func(string) Limits { return limits }, slog.New(slog.DiscardHandler), nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx)
		}()
		p, err := reg.Publish("live", segmenter.PublisherConfig{Session: "s", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.NotNil(t, find(w.Findings("live"), "no-media"))
		require.Empty(t, w.Findings("other"))
		p.Close(segmenter.ReasonDeleted)
		time.Sleep(5 * time.Minute)
		require.Empty(t, w.Findings("live"))
		w.mu.Lock()
		require.Empty(t, w.cards)
		w.mu.Unlock()
		cancel()
		<-done
		reg.Close()
	})
}
