package segmenter

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
)

func TestPublisherLeavesAndReturns(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(6 * time.Second)
	s.stop()
	w.run(14 * time.Second) // silent after five seconds, then the filler
	require.Nil(t, w.ch.pub)
	require.Equal(t, ReasonSilent, s.pub.Reason())
	s2 := w.publish(loadUnits(t, "other.h264"), 30, true)
	w.run(22 * time.Second)
	w.legal()
	require.Len(t, w.gens, 1, "the same generation goes on")
	v := w.view(Video)
	require.Len(t, v.inits, 2)
	breaks := 0
	for _, g := range v.segs {
		if g.Discontinuity {
			breaks++
			require.Equal(t, 1, g.Init)
		}
	}
	require.Equal(t, 1, breaks)
	samples := v.samples(t)
	tail := samples[len(samples)-100:]
	require.Equal(t, s2.cam.sent[len(s2.cam.sent)-1-lag(s2, tail)].avcc(), tail[99].Data)
	last := v.last.Segments[len(v.last.Segments)-1]
	require.InDelta(t, 21.0, (last.Start + last.Duration()).Seconds(), 0.5)

	s2.stop()
	s2.pub.finish(ReasonDeleted)
	w.ch.detach(w.now, ReasonDeleted)
	w.run(26 * time.Second)
	require.True(t, w.gens[0].over(), "a goodbye ends the generation after its grace")
	require.True(t, w.view(Video).last.Ended)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(30 * time.Second)
	require.Len(t, w.gens, 2)
	w.legal()
}

// lag is how many units were sent after the last one published.
func lag(s *studio, tail []fmp4.FragmentSample) int {
	last := string(tail[len(tail)-1].Data)
	for i := range s.cam.sent {
		if string(s.cam.sent[len(s.cam.sent)-1-i].avcc()) == last {
			return i
		}
	}
	return 0
}

func TestParameterChangeInMidStream(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	other := loadUnits(t, "other.h264")
	w.at(6*time.Second+10*time.Millisecond, func() { s.cam.units, s.cam.next = other, 0 })
	w.run(12 * time.Second)
	w.legal()
	v := w.view(Video)
	require.Len(t, v.inits, 2)
	for i, got := range v.samples(t) {
		require.Equal(t, s.cam.sent[i].avcc(), got.Data, "access unit %d", i)
	}
	body := string(v.last.Playlist().Body)
	require.Contains(t, body, "#EXT-X-DISCONTINUITY\n")
	require.Contains(t, body, `URI="init-1.mp4"`)
}

func TestDeafPublisherIsCutByForce(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	var long []unit
	for i := 0; i < 8; i++ { // one IDR, then pictures for ever
		for j, u := range units[:60] {
			if !u.idr || i == 0 && j == 0 {
				u.pts = int64(len(long))
				long = append(long, u)
			}
		}
	}
	w := newWorld(t)
	s := w.publish(long, 30, true)
	w.run(15 * time.Second)
	w.legal()
	v := w.view(Video)
	require.GreaterOrEqual(t, len(v.segs), 6)
	require.False(t, v.segs[1].Parts[0].Independent)
	require.Positive(t, s.cam.plis)
	require.Less(t, s.cam.plis, 8, "a deaf publisher is not nagged")
}

func TestAudioOnlyAndVideoOnly(t *testing.T) {
	w := newWorld(t)
	w.publish(nil, 0, true)
	w.run(10 * time.Second)
	w.legal()
	a := w.view(Audio)
	require.Equal(t, 2*time.Second, a.segs[openings].Duration())
	for i, p := range a.segs[openings].Parts {
		require.Equal(t, 200*time.Millisecond, p.Duration, "part %d: none is very short", i)
	}
	require.NotNil(t, w.gens[0].Multivariant())
	require.Nil(t, w.gens[0].Rendition("video"))

	w = newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 30, false)
	w.run(10 * time.Second)
	w.legal()
	require.Contains(t, string(w.gens[0].Multivariant().Body), `CODECS="avc1.42`)
}

func TestDeadAudioBecomesSilence(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.at(5*time.Second, func() { s.mic.stop = true })
	w.run(15 * time.Second)
	w.legal()
	v, a := w.view(Video), w.view(Audio)
	lv, la := v.last.Segments[len(v.last.Segments)-1], a.last.Segments[len(a.last.Segments)-1]
	require.InDelta(t, (lv.Start + lv.Duration()).Seconds(), (la.Start + la.Duration()).Seconds(), 0.7)
}

func TestNothingUsableEndsThePublisher(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	var bare []unit
	for _, u := range units {
		var n [][]byte
		for _, x := range u.nalus {
			if k := x[0] & 31; k != 7 && k != 8 {
				n = append(n, x)
			}
		}
		bare = append(bare, unit{nalus: n, idr: u.idr, pts: u.pts})
	}
	blind := slices.Clone(units[1:60]) // parameter sets, but never an IDR
	blind[0].nalus = append(slices.Clone(units[0].nalus[:3]), blind[0].nalus[1:]...)
	for _, c := range []struct {
		units []unit
		want  Reason
	}{{bare, ReasonNoParameters}, {blind, ReasonNoRandomAccess}} {
		for i := range c.units {
			c.units[i].pts = int64(i)
		}
		w := newWorld(t)
		s := w.publish(c.units, 30, true)
		w.run(18 * time.Second)
		require.Equal(t, c.want, s.pub.Reason())
		require.Empty(t, w.gens)
	}
}

func TestLateTracksAreBackfilled(t *testing.T) {
	for _, late := range []Kind{Audio, Video} {
		w := newWorld(t)
		s := w.publish(loadUnits(t, "plain.h264"), 30, true)
		s.cam.obeys = true
		s.cam.pass = func(int, []byte) bool { return late == Audio || w.now > 9*time.Second }
		s.mic.pass = func(int) bool { return late == Video || w.now > 9*time.Second }
		w.run(8 * time.Second)
		require.Nil(t, w.gens[0].Rendition(late.String()), "the generation goes live with the track that came")
		w.run(16 * time.Second)
		w.legal()
		require.Len(t, w.gens, 1)
		v, a := w.view(Video).last, w.view(Audio).last
		require.Equal(t, v.Segments[0].MSN, a.Segments[0].MSN)
		require.Equal(t, v.First, a.First)
		lv, la := v.Segments[len(v.Segments)-1], a.Segments[len(a.Segments)-1]
		require.InDelta(t, (lv.Start + lv.Duration()).Seconds(), (la.Start + la.Duration()).Seconds(), 0.5)
		require.Contains(t, string(w.gens[0].Multivariant().Body), `CODECS="avc1.42c00b,Opus"`)
	}
}

func TestAPublisherBringsAnotherTrack(t *testing.T) {
	w := newWorld(t)
	s := w.publish(nil, 0, true)
	w.run(6 * time.Second)
	s.stop()
	w.ch.detach(w.now, ReasonPeerClosed)
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(12 * time.Second)
	w.legal()
	require.Len(t, w.gens, 1, "the generation goes on with the new track")
	require.NotNil(t, w.gens[0].Rendition("video"))
}
