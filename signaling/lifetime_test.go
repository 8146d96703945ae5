package signaling

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// A session that connects and then sends nothing at all is ended, counted from its connection.
func TestConnectedButSilent(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.FirstMedia = 300 * time.Millisecond
	f := serveWith(t, Config{}, streams)
	start := time.Now()
	s := f.publish("live")
	waitDone(t, s.Done(), 10*time.Second)
	require.GreaterOrEqual(t, time.Since(start), streams.FirstMedia)
	require.ErrorIs(t, s.Err(), client.ErrPeerClosed)
	require.Equal(t, segmenter.ReasonNoMedia, f.ended("live"))
}

// waiting is a session without a connection, in a bubble of its own time.
func waiting(t *testing.T) *session {
	t.Helper()
	streams := segmenter.DefaultConfig()
	streams.FirstMedia = time.Hour
	reg := segmenter.NewRegistry(streams, slog.New(slog.DiscardHandler))
	t.Cleanup(reg.Close)
	pub, err := reg.Publish("live", segmenter.PublisherConfig{Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
	require.NoError(t, err)
	p := &peer{up: make(chan struct{}), heard: make(chan struct{}), down: make(chan struct{})}
	return &session{log: slog.New(slog.DiscardHandler), peer: p, pub: pub}
}

// The lifetimes to the second: to connect, and from then to the first packet. Media that has begun is the stream's to watch.
func TestLifetimes(t *testing.T) {
	const connect, media = 15 * time.Second, 20 * time.Second
	for name, c := range map[string]struct {
		up, heard, down time.Duration // when; 0: never
		ends            time.Duration
		reason          segmenter.Reason
	}{
		"never connected":              {ends: connect, reason: segmenter.ReasonNotConnected},
		"lost while connecting":        {down: time.Second, ends: time.Second, reason: segmenter.ReasonNotConnected},
		"connected, then nothing":      {up: 14 * time.Second, ends: 34 * time.Second, reason: segmenter.ReasonNoMedia},
		"media late, but not too late": {up: 14 * time.Second, heard: 33 * time.Second, down: 10 * time.Minute, ends: 10 * time.Minute, reason: segmenter.ReasonPeerClosed},
		"gone before any media":        {up: time.Second, down: 2 * time.Second, ends: 2 * time.Second, reason: segmenter.ReasonPeerClosed},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := waiting(t)
			start := time.Now()
			for at, act := range map[time.Duration]func(){
				c.up: func() { close(n.peer.up) }, c.heard: n.peer.hear, c.down: func() { n.peer.wentDown(segmenter.ReasonPeerClosed) },
			} {
				if at > 0 {
					defer time.AfterFunc(at, act).Stop()
				}
			}
			reason, up := n.waitConnected(connect)
			require.Equal(t, c.up > 0, up, name)
			if up {
				reason = n.waitEnd(media)
			}
			require.Equal(t, c.reason, reason, name)
			require.Equal(t, c.ends, time.Since(start), name)
		})
	}
}

// Every end has its reason in the log, in the API and in the counters, in the same word.
func TestEndsHaveReasons(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.FirstMedia, streams.Silence = 400*time.Millisecond, 400*time.Millisecond
	f := serveWith(t, Config{ConnectTimeout: time.Second}, streams)
	cases := map[segmenter.Reason]func(stream string){
		segmenter.ReasonNotConnected: func(stream string) { f.post("/whip/"+stream, plain) },
		segmenter.ReasonDeleted: func(stream string) {
			f.do("DELETE", f.post("/whip/"+stream, plain).header.Get("Location"), "")
		},
		segmenter.ReasonNoMedia:    func(stream string) { f.publish(stream) },
		segmenter.ReasonPeerClosed: func(stream string) { require.NoError(t, f.closing(stream)) },
		segmenter.ReasonReplaced: func(stream string) {
			f.post("/whip/"+stream, plain)
			f.post("/whip/"+stream, plain)
		},
		segmenter.ReasonSilent: func(stream string) {
			stop := f.sending(f.publish(stream))
			f.eventually("it is live", func() bool { return f.status(stream).State == "live" })
			stop()
		},
		segmenter.ReasonKicked: func(stream string) {
			f.publish(stream)
			f.server.mu.Lock()
			defer f.server.mu.Unlock()
			for _, n := range f.server.sessions {
				if n.stream == stream {
					n.pub.Close(segmenter.ReasonKicked)
				}
			}
		},
	}
	for reason, act := range cases {
		act(string(reason))
	}
	for reason := range cases {
		f.eventually(string(reason), func() bool {
			e := f.status(string(reason)).LastEnd
			return e != nil && (e.Reason == reason || reason == segmenter.ReasonReplaced)
		})
	}
	f.eventually("all are over", func() bool { return f.server.Sessions() == 0 })
	log, counts := f.logs.String(), f.server.Counts()
	for reason := range cases {
		require.Contains(t, log, `msg="session ended" stream=`+string(reason))
		require.Regexp(t, `msg="session ended" stream=`+string(reason)+` session=[0-9a-f]+ reason=`+string(reason), log)
		require.NotZero(t, counts.Ended[reason], reason)
	}
	require.EqualValues(t, 2, counts.Ended[segmenter.ReasonNotConnected], "the one that replaced another as well")
}

// closing publishes and closes the connection, without a DELETE.
func (f *fixture) closing(stream string) error {
	p := newRaw(f)
	r := f.post("/whip/"+stream, p.offer(nil))
	p.answered(r)
	p.wait()
	return p.pc.Close()
}

// Refused POSTs are counted by problem.
func TestRefusalsAreCounted(t *testing.T) {
	f := serve(t, Config{})
	f.post("/whip/live", "x")
	f.post("/whip/live", recorded(t, "wrtc.sdp"))
	f.post("/whip/live", recorded(t, "chromium-av1.sdp"))
	f.do("PUT", "/whip/live", "")
	counts := f.server.Counts().Refused
	require.EqualValues(t, 1, counts["malformed"])
	require.EqualValues(t, 2, counts["codec-not-supported"])
	require.EqualValues(t, 0, counts["rate"])
	require.NotContains(t, counts, "method")
}

// The counters begin with every reason there is, or a rate over them would miss the first of its kind.
func TestCountersAreComplete(t *testing.T) {
	names := func(file, prefix string) (out []string) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if ok && strings.HasPrefix(v.Names[0].Name, prefix) {
				out = append(out, v.Names[0].Name)
			}
			return true
		})
		return out
	}
	require.Len(t, newCounters().Ended, len(names("../segmenter/reason.go", "Reason")))
	later := 5 // problems that a POST cannot have: of session, path, method, ETag and If-Match
	require.Len(t, newCounters().Refused, len(names("problem.go", "prob"))-later-1, "problemPrefix is none")
}

// With NoTakeOver the stream is the first one's until that one has gone, however silent it is.
func TestNoTakeOver(t *testing.T) {
	f := serve(t, Config{NoTakeOver: true})
	first := f.post("/whip/live", plain)
	require.Equal(t, http.StatusCreated, first.status)
	for range 3 {
		r := f.post("/whip/live", plain)
		require.Equal(t, http.StatusConflict, r.status)
		require.Equal(t, "busy", r.kind())
	}
	require.Equal(t, 1, f.server.Sessions())
	require.Equal(t, http.StatusOK, f.do("DELETE", first.header.Get("Location"), "").status)
	require.Equal(t, http.StatusCreated, f.post("/whip/live", plain).status)
}

// Two encoders with the same stream that come back as soon as they can: the stream changes hands once, and whoever has it
// keeps it.
func TestTwoEncodersDoNotFlap(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 2)
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			for ctx.Err() == nil {
				// one that is replaced before it is connected learns that from nobody
				s, err := f.tryPublish("live", func(o *client.Options) { o.ConnectTimeout = time.Second })
				if err == nil {
					send(ctx, s)
					_ = s.Close(context.Background())
				}
				select {
				case <-time.After(20 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}()
	}
	f.eventually("many have been refused", func() bool { return f.server.Counts().Refused["busy"] > 4 })
	require.LessOrEqual(t, f.server.Counts().Ended[segmenter.ReasonReplaced], int64(1))
	require.Equal(t, 1, f.server.Sessions())
	cancel()
	<-done
	<-done
}
