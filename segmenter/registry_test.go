package segmenter

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestValidName(t *testing.T) {
	for name, ok := range map[string]bool{
		"live": true, "a": true, "Stage-1.cam_2": true, strings.Repeat("x", 64): true,
		"": false, ".": false, "..": false, "-a": false, "_a": false, ".hidden": false, "a/b": false, "a b": false,
		"a%2f": false, "ä": false, strings.Repeat("x", 65): false, "a\x00": false,
	} {
		require.Equal(t, ok, ValidName(name), "%q", name)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

var audioTrack = []TrackConfig{{Kind: Audio, Channels: 2}}

// sing sends n Opus frames in real (virtual) time.
func sing(p *Publisher, n int) {
	for i := range n {
		p.Track(Audio).WriteRTP(audioPacket(uint16(i), uint32(960*i), opusFrame(uint32(i))))
		select {
		case <-p.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestPublishRefusesWhatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxStreams = 1
		r := NewRegistry(cfg, quiet())
		_, err := r.Publish("../x", PublisherConfig{Tracks: audioTrack})
		require.ErrorIs(t, err, ErrName)
		_, err = r.Publish("a", PublisherConfig{})
		require.ErrorIs(t, err, ErrTracks)
		_, err = r.Publish("a", PublisherConfig{Tracks: []TrackConfig{{Kind: Audio}, {Kind: Audio}}})
		require.ErrorIs(t, err, ErrTracks)
		_, err = r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		_, err = r.Publish("b", PublisherConfig{Tracks: audioTrack})
		require.ErrorIs(t, err, ErrTooMany)
		r.cfg.MaxStreams = 2
		r.kept.bytes.Store(cfg.MaxTotal*9/10 + 1)
		_, err = r.Publish("b", PublisherConfig{Tracks: audioTrack})
		require.ErrorIs(t, err, ErrMemory)
		r.Close()
		_, err = r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.ErrorIs(t, err, ErrClosed)
		require.NotNil(t, r.Lookup("a"), "its end can still be read")
	})
}

func TestTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		defer r.Close()
		join := func(name string) (*Publisher, error) {
			return r.Publish("a", PublisherConfig{Session: name, Tracks: audioTrack})
		}
		first, err := join("first")
		require.NoError(t, err)
		go sing(first, 100)
		time.Sleep(time.Second)
		second, err := join("second")
		require.NoError(t, err, "a healthy publisher may be replaced once")
		<-first.Done()
		require.Equal(t, ReasonReplaced, first.Reason())
		go sing(second, 500)
		time.Sleep(2 * time.Second)
		_, err = join("third")
		require.ErrorIs(t, err, ErrBusy, "but not again within 30 s")
		time.Sleep(10 * time.Second)
		third, err := join("third")
		require.NoError(t, err, "a silent one at once")
		<-second.Done()
		require.Equal(t, ReasonReplaced, second.Reason())
		third.Close(ReasonDeleted)
		<-third.Done()
		require.Equal(t, ReasonDeleted, third.Reason())
	})
}

func TestWaitersAreReleasedByPartsAndByTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		p, err := r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		go sing(p, 200)
		time.Sleep(time.Second)
		rend := r.Lookup("a").Generation().Rendition("audio")
		have := rend.Snapshot().Next()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				s, err := rend.Wait(t.Context(), nil, func(s *Snapshot) bool { return s.Next().Index > have.Index })
				require.NoError(t, err)
				require.Greater(t, s.Next().Index, have.Index)
			})
		}
		wg.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err = rend.Wait(ctx, nil, func(*Snapshot) bool { return false })
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = rend.Wait(t.Context(), time.After(time.Millisecond), func(*Snapshot) bool { return false })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		ended := make(chan *Snapshot)
		go func() {
			s, _ := rend.Wait(t.Context(), nil, func(*Snapshot) bool { return false })
			ended <- s
		}()
		r.Close()
		require.True(t, (<-ended).Ended)
		<-p.Done()
		require.Equal(t, ReasonShutdown, p.Reason())
	})
}

func TestAStreamIsForgottenAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.Resume = 5 * time.Second
		r := NewRegistry(cfg, quiet())
		p, err := r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		sing(p, 300)
		s := r.Lookup("a")
		gen := s.Generation()
		time.Sleep(time.Second)
		require.Equal(t, "live", s.Status().State)
		time.Sleep(5 * time.Second)
		require.Equal(t, "resuming", s.Status().State)
		require.Equal(t, ReasonSilent, s.Status().LastEnd.Reason)
		time.Sleep(6 * time.Second)
		require.Equal(t, "ended", s.Status().State)
		require.True(t, gen.Rendition("audio").Snapshot().Ended)
		require.Same(t, gen, s.FindGeneration(gen.ID()), "an ended playlist is served for its players' sake")
		time.Sleep(3 * time.Minute)
		require.Nil(t, r.Lookup("a"))
	})
}

// Many sessions that come and go on a few streams, all at once: nobody hangs, nothing is left.
func TestManyPublishersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				for j := range 10 {
					p, err := r.Publish(fmt.Sprintf("s%d", (i+j)%7), PublisherConfig{Tracks: audioTrack})
					if err != nil {
						require.ErrorIs(t, err, ErrBusy)
						time.Sleep(time.Second)
						continue
					}
					sing(p, i)
					p.Close(ReasonPeerClosed)
					<-p.Done()
				}
			})
		}
		wg.Wait()
		r.Close()
		for _, s := range r.Streams() {
			<-s.stopped
		}
	})
}

func TestAGoodbyeAfterTheConnectionClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		defer r.Close()
		p, err := r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		sing(p, 200)
		gen := r.Lookup("a").Generation()
		time.Sleep(time.Second)
		require.Positive(t, r.Kept())
		p.Close(ReasonPeerClosed)
		<-p.Done()
		time.Sleep(time.Second)
		require.Equal(t, "resuming", r.Lookup("a").Status().State)
		p.Close(ReasonDeleted)
		time.Sleep(4 * time.Second)
		require.True(t, gen.Rendition("audio").Snapshot().Ended, "three seconds later, not thirty")
		require.Equal(t, ReasonDeleted, r.Lookup("a").Status().LastEnd.Reason)
	})
}

func TestAGoodbyeOfWhoWasKicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRegistry(DefaultConfig(), quiet())
		defer r.Close()
		p, err := r.Publish("a", PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		sing(p, 200)
		gen := r.Lookup("a").Generation()
		_, err = r.Kick("a", 0)
		require.NoError(t, err)
		<-p.Done()
		p.Close(ReasonDeleted)
		time.Sleep(4 * time.Second)
		require.False(t, gen.Rendition("audio").Snapshot().Ended, "viewers wait for the next as long as for one that was lost")
		require.Equal(t, ReasonKicked, r.Lookup("a").Status().LastEnd.Reason)
		time.Sleep(DefaultConfig().Resume)
		require.True(t, gen.Rendition("audio").Snapshot().Ended)
	})
}
