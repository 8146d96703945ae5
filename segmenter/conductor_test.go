package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// endless is a source without IDRs of its own: one at the start, more only when asked.
func endless(t *testing.T) []unit {
	t.Helper()
	units := loadUnits(t, "plain.h264")
	var out []unit
	out = append(out, units[0])
	for len(out) < 3600 {
		for _, u := range units[1:60] {
			u.pts = int64(len(out))
			out = append(out, u)
		}
	}
	return out
}

func TestConductorGivesObedientPublishersExactSegments(t *testing.T) {
	idr := loadUnits(t, "plain.h264")[0]
	for _, delay := range []time.Duration{0, 30 * time.Millisecond, 80 * time.Millisecond, 150 * time.Millisecond} {
		w := newWorld(t)
		s := w.publish(endless(t), 30, true)
		s.cam.replaceIDR = &idr
		s.cam.obeys = true
		s.cam.pliDelay = delay
		s.cam.delay = func() time.Duration { return delay }
		w.run(30 * time.Second)
		w.legal()
		v := w.view(Video)
		for msn := int64(4); v.segs[msn] != nil && v.segs[msn].Complete; msn++ {
			g, n := v.segs[msn], 0
			for _, p := range g.Parts {
				n += partSamples(t, p)
			}
			require.Equal(t, 60, n, "segment %d with a delay of %v", msn, delay)
			require.True(t, g.Parts[0].Independent)
		}
	}
}

func TestConductorLeavesRegularPublishersAlone(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(4 * time.Second)
	require.LessOrEqual(t, s.cam.plis, openings, "for the ends of the short first segments, when nothing is known of it")
	asked := s.cam.plis
	w.run(20 * time.Second)
	require.Equal(t, asked, s.cam.plis)
}

func TestLongGOPIsToldOnce(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	for gop, want := range map[int]bool{60: false, 240: true} {
		var long []unit
		for i := range 1200 {
			u := units[1+i%59]
			if i%gop == 0 {
				u = units[0]
			}
			u.pts = int64(i)
			long = append(long, u)
		}
		w := newWorld(t)
		w.publish(long, 30, true)
		w.run(35 * time.Second)
		w.legal()
		require.Equal(t, want, w.ch.conductor.told, "a GOP of %d", gop)
		require.False(t, w.ch.conductor.rare(&w.cfg), "not again")
	}
}
