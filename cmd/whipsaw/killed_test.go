package main

import (
	"net"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/server"
	"whipsaw/segmenter"
)

// A publisher's process is killed: nobody says good-bye. The page plays on, and shows the next one when it comes.
func TestBrowserPublisherKilled(t *testing.T) {
	realTime(t, loadStream+loadPage)
	s := serve(t)
	publish := func() *process { return spawn(t, "publish", "--demo", s.URL()+"/whip/live") }
	first := publish()
	s.multivariant("live")
	v := startBrowser(t).watch(s.URL() + "/watch/live")
	first.kill()
	before := v.tell()
	eventually(t, "the server notices the silence", func() bool { return s.only().State == "resuming" })
	v.until("playback goes on without a publisher", func(w testimony) bool { return w.CurrentTime > before.CurrentTime+7 })
	gone := s.only()
	require.Equal(t, segmenter.ReasonSilent, gone.LastEnd.Reason)
	t.Logf("without a publisher playback stood still for %.2f s", v.unharmed().Still)

	publish()
	eventually(t, "the stream is live again", func() bool { return s.only().State == "live" })
	w := v.goesOn("with the next publisher", 4)
	v.unharmed()
	require.Equal(t, 1, w.Generations)
	require.Equal(t, gone.Generation, s.only().Generation)
	require.Equal(t, gone.Discontinuities+1, s.only().Discontinuities)
}

// The server's process is killed and comes back with its state: the page plays on in the same generation.
func TestBrowserServerKilled(t *testing.T) {
	realTime(t, loadStream+loadPage)
	state := t.TempDir()
	start := func(listen string) (*process, *instance) {
		p := spawn(t, "--listen", listen, "--webrtc-udp", "127.0.0.1:0", "--admin", "", "--state", state)
		return p, &instance{t: t, Addresses: addresses(t, p)}
	}
	first, s := start("127.0.0.1:0")
	film := largeFootage(t)
	camera := s.film(t, "live", film)
	s.multivariant("live")
	v := startBrowser(t).watch(s.URL() + "/watch/live")
	before := s.only()
	first.kill()
	camera.vanish() // its peer is gone
	v.forget()

	_, s = start(s.HTTP.String())
	s.film(t, "live", film)
	eventually(t, "the stream is live again", func() bool {
		streams := s.streams() // none before
		return len(streams) == 1 && streams[0].State == "live"
	})
	after := s.only()
	require.Equal(t, before.Generation, after.Generation)
	last, took := v.until("the page plays again", func(w testimony) bool { return w.State == "playing" && w.Passed > 0.5 })
	t.Logf("time to recover: the page plays again %.2f s after the stream is live; playback stood still for %.2f s", took.Seconds(), last.Still)
	v.goesOn("after the restart", 4)
	v.alive()
	require.Equal(t, before.Generation, evaluate[string](v.tab, "whipsaw.stats().generation"))
	require.Equal(t, 1, v.tell().Generations, "the page saw one and the same playlist")
}

// printed is the address that a server prints when it listens.
var printed = regexp.MustCompile(`publish \(WHIP\) +https?://([0-9.:]+)/whip/`)

// addresses waits until a server that runs as a process listens.
func addresses(t *testing.T, p *process) (out server.Addresses) {
	t.Helper()
	var found []string
	eventually(t, "the server listens", func() bool {
		found = printed.FindStringSubmatch(p.out.String())
		return found != nil
	})
	at, err := net.ResolveTCPAddr("tcp", found[1])
	require.NoError(t, err)
	out.HTTP = at
	return out
}
