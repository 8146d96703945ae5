package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// What goes wrong with publishers does not go wrong with viewers: the real watch page plays on through all of it.
func TestBrowserScenarios(t *testing.T) {
	tool(t, "chromium", "chromium")
	large, small := largeFootage(t), smallFootage(t)
	for _, scenario := range []struct {
		name string
		play func(*stage)
	}{
		{"resolution changes in mid-stream", resolutionChanges},
		{"picture freezes", pictureFreezes},
		{"picture freezes for ten seconds", longFreeze},
		{"publisher vanishes and returns", vanishesAndReturns},
		{"publisher hangs up and returns", hangsUpAndReturns},
		{"another publisher takes over", takenOver},
		{"packets are lost", packetsAreLost},
		{"a generation ends and the next begins", nextGeneration},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			realTime(t, loadStream+loadPage)
			s := serve(t)
			st := &stage{t: t, server: s, large: large, small: small}
			st.camera = s.film(t, "live", large)
			s.multivariant("live")
			st.viewer = startBrowser(t).watch(s.URL() + "/watch/live")
			scenario.play(st)
		})
	}
}

// stage is what a scenario begins with: a camera of 640x360, and a page that plays what it sends.
type stage struct {
	t            *testing.T
	server       *instance
	large, small *footage
	camera       *camera
	viewer       *viewer
}

// status is what the server says of the stream.
func (s *stage) status() segmenter.Status {
	s.t.Helper()
	return s.server.only()
}

// only is what the server says of its only stream.
func (s *instance) only() segmenter.Status {
	s.t.Helper()
	streams := s.streams()
	require.Len(s.t, streams, 1)
	return streams[0]
}

// becomesSmall waits for the new picture, and logs how long that took.
func (s *stage) becomesSmall() {
	s.t.Helper()
	_, took := s.viewer.until("the new picture is shown", func(w testimony) bool { return w.Width == 320 && w.State == "playing" })
	s.t.Logf("time to recover: the new picture is shown after %.2f s", took.Seconds())
}

// noHole requires that playback never had anything missing before it. A page that jumps to the edge, because the machine
// was too busy to play, leaves a hole of its own making.
func (s *stage) noHole() {
	s.t.Helper()
	w := s.viewer.unharmed()
	if len(w.Jumps) == 0 {
		require.Empty(s.t, w.Holes, "holes at the play position")
	}
	require.Equal(s.t, 1, w.Generations, "the playlist went on")
}

func resolutionChanges(s *stage) {
	s.camera.turn(s.small)
	s.becomesSmall()
	s.viewer.goesOn("with the new size", 2)
	s.noHole()
	s.camera.turn(s.large)
	_, took := s.viewer.until("the old size is back", func(w testimony) bool { return w.Width == 640 && w.State == "playing" })
	s.t.Logf("time to recover: the old size is back after %.2f s", took.Seconds())
	s.viewer.goesOn("with the old size", 2)
	s.noHole()
	require.EqualValues(s.t, 2, s.status().Discontinuities)
}

// Sound goes on meanwhile. Up to 1.5 s the pictures that follow make up for the time, after that the stream shows filler.
func pictureFreezes(s *stage) {
	for _, d := range []time.Duration{300 * time.Millisecond, 800 * time.Millisecond, time.Second, 1800 * time.Millisecond} {
		s.viewer.forget()
		s.camera.freeze(d)
		eventually(s.t, "the camera moves again", s.camera.thawed)
		w := s.viewer.goesOn("after a freeze", 2.5)
		s.t.Logf("time to recover: after a freeze of %v playback stood still for %.2f s, and no new picture came for %.2f s", d, w.Still, w.Frozen)
		s.noHole()
	}
}

// The stream shows filler and sound until the picture is back.
func longFreeze(s *stage) {
	const d = 10 * time.Second
	from := s.viewer.tell()
	s.camera.freeze(d)
	w, _ := s.viewer.until("sound is played on while the picture is frozen", func(w testimony) bool { return w.CurrentTime > from.CurrentTime+8 })
	require.False(s.t, s.camera.thawed(), "it does not only play on afterwards")
	s.t.Logf("while the picture was frozen playback stood still for %.2f s", w.Still)
	s.noHole()
	eventually(s.t, "the camera moves again", s.camera.thawed)
	w = s.viewer.goesOn("after ten seconds", 3)
	s.t.Logf("time to recover: after a freeze of %v playback stood still for %.2f s, and no new picture came for %.2f s", d, w.Still, w.Frozen)
	s.noHole()
	require.Equal(s.t, "live", s.status().State)
	require.Zero(s.t, s.status().Discontinuities, "it is the same picture's time line all along")
}

// Nothing of it comes through any more, for longer than silence is taken for silence.
func vanishesAndReturns(s *stage) {
	s.camera.vanish()
	gone := s.viewer.tell()
	eventually(s.t, "the server notices the silence", func() bool { return s.status().State == "resuming" })
	s.viewer.until("playback goes on for 8 s", func(w testimony) bool { return w.CurrentTime > gone.CurrentTime+8 })
	w := s.viewer.unharmed()
	s.t.Logf("while the publisher was away playback stood still for %.2f s", w.Still)
	require.Equal(s.t, "silent", string(s.status().LastEnd.Reason))
	s.returns()
}

// The connection closes in order, but nobody says DELETE.
func hangsUpAndReturns(s *stage) {
	s.camera.hangUp()
	eventually(s.t, "the server notices", func() bool { return s.status().State == "resuming" })
	require.Equal(s.t, "peer-closed", string(s.status().LastEnd.Reason))
	s.viewer.goesOn("without a publisher", 1)
	s.returns()
}

// returns has the publisher return with the small picture.
func (s *stage) returns() {
	s.t.Helper()
	before := s.status()
	s.viewer.forget()
	s.server.film(s.t, "live", s.small)
	s.becomesSmall()
	s.viewer.goesOn("with the new publisher", 2)
	s.noHole()
	require.Equal(s.t, before.Generation, s.status().Generation)
	require.Equal(s.t, before.Discontinuities+1, s.status().Discontinuities)
}

// The other one is welcome although the first is healthy.
func takenOver(s *stage) {
	s.returns()
	<-s.camera.session.Done()
	require.Equal(s.t, "replaced", string(s.status().LastEnd.Reason))
}

// First what is lost is sent again, as far as that is not lost as well; then nothing is.
func packetsAreLost(s *stage) {
	s.camera.net.lose(share(0.02))
	w := s.viewer.goesOn("with 2 % of the packets lost", 5)
	v := s.status().Video
	s.t.Logf("repaired: %d of %d packets recovered, %d lost, %d pictures dropped; no new picture for %.2f s at most", v.Recovered, v.Packets, v.Lost, v.Dropped, w.Frozen)
	require.NotZero(s.t, v.Recovered)
	s.noHole()

	s.viewer.forget()
	s.camera.net.lose(unrepaired(0.02))
	before := v.Lost
	eventually(s.t, "packets stay lost", func() bool { return s.status().Video.Lost > before+2 })
	w = s.viewer.goesOn("with packets that stay lost", 4)
	v = s.status().Video
	s.t.Logf("not repaired: %d of %d packets lost, %d pictures dropped; no new picture for %.2f s at most", v.Lost, v.Packets, v.Dropped, w.Frozen)
	s.noHole()

	s.camera.net.lose(nil)
	s.viewer.goesOn("when all is well again", 2)
	s.noHole()
}

// After DELETE the playlist ends for good; the page waits for the next one and moves over by itself.
func nextGeneration(s *stage) {
	first := s.status().Generation
	s.camera.leave()
	_, took := s.viewer.until("the page sees the end", func(w testimony) bool { return w.State == "offline" })
	s.t.Logf("the page saw the end %.2f s after DELETE", took.Seconds())
	s.server.film(s.t, "live", s.small)
	w, took := s.viewer.until("the page plays what comes next", func(w testimony) bool { return w.State == "playing" && w.Width == 320 })
	s.t.Logf("time to recover: the next generation plays %.2f s after its publisher connected", took.Seconds())
	require.Equal(s.t, 2, w.Generations)
	require.NotEqual(s.t, first, s.status().Generation)
	s.viewer.goesOn("with the new generation", 2)
	s.viewer.unharmed()
}
