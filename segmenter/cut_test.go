package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCutRules(t *testing.T) {
	cfg := DefaultConfig()
	require.False(t, cutAtIDR(&cfg, 1799*time.Millisecond, true, false))
	require.True(t, cutAtIDR(&cfg, 1800*time.Millisecond, true, false))
	require.True(t, cutAtIDR(&cfg, 100*time.Millisecond, false, false), "an IDR also cuts when the segment did not begin with one")
	require.False(t, cutAtIDR(&cfg, 0, false, false), "no segment is empty")
	require.False(t, cutByForce(&cfg, 2250*time.Millisecond))
	require.True(t, cutByForce(&cfg, 2251*time.Millisecond))
	cfg.MaxSegment = 4 * time.Second
	require.False(t, cutByForce(&cfg, 4*time.Second))
	require.Equal(t, 4, cfg.TargetDuration())
	// Whatever is cut by force rounds to no more than the target duration (rfc8216bis 4.4.3.1).
	require.Less(t, forceAfter, 500*time.Millisecond)
	require.Less(t, forceFollowAfter+120*time.Millisecond/2, 500*time.Millisecond)
}

func TestAgendaIsPassedByTheSlowest(t *testing.T) {
	var a agenda
	a.decide(1, boundary{at: 2 * time.Second})
	a.decide(2, boundary{at: 4 * time.Second, discontinuity: true})
	b, ok := a.begins(2)
	require.True(t, ok)
	require.True(t, b.discontinuity)
	_, ok = a.begins(3)
	require.False(t, ok)
	a.passed(1)
	_, ok = a.begins(1)
	require.False(t, ok)
	_, ok = a.begins(2)
	require.True(t, ok)
	a.passed(2)
	a.decide(3, boundary{at: 6 * time.Second})
	b, ok = a.begins(3)
	require.True(t, ok)
	require.Equal(t, 6*time.Second, b.at)
}

func TestCadenceIgnoresStrayGaps(t *testing.T) {
	var c cadence
	require.EqualValues(t, 3000, c.frame(3000))
	for i := range 32 {
		c.add(1500)
		if i%8 == 0 {
			c.add(90000)
		}
	}
	require.EqualValues(t, 1500, c.frame(3000))
}

func TestOrderGivesSortedDecodeTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(0, 4).Draw(t, "depth")
		groups := rapid.IntRange(1, 20).Draw(t, "groups")
		var o order
		o.reset(depth)
		o.decode(0, 3000)
		last := int64(0) // an IDR is shown before all that follows it
		n := int64(1)
		for range groups { // a reference, then up to depth pictures shown before it
			b := int64(rapid.IntRange(0, depth).Draw(t, "b"))
			pts := []int64{n + b}
			for i := range b {
				pts = append(pts, n+i)
			}
			n += b + 1
			for _, p := range pts {
				dts := o.decode(p*3000, 3000)
				if dts <= last {
					t.Fatalf("decode time %d after %d", dts, last)
				}
				last = dts
			}
		}
		if want := (n - 1) * 3000; last != want {
			t.Fatalf("the last decode time is %d, want %d", last, want)
		}
	})
}

// Sound keeps to the boundaries of pictures that come before it or after, in whole parts, and announces each part rightly.
func TestAudioKeepsToVideosBoundaries(t *testing.T) {
	for _, delay := range []time.Duration{0, 5 * time.Millisecond, 15 * time.Millisecond, 40 * time.Millisecond, 90 * time.Millisecond, 150 * time.Millisecond} {
		for _, late := range []Kind{Video, Audio} {
			w := newWorld(t)
			s := w.publish(loadUnits(t, "plain.h264"), 30, true)
			behind := func() time.Duration { return delay }
			if late == Video {
				s.cam.delay = behind
			} else {
				s.mic.delay = behind
			}
			w.run(8 * time.Second)
			w.versions(30*time.Second, func(r *Rendition, s *Snapshot) {
				_, ok := s.Hint()
				require.True(t, ok, "%v: %v late by %v", r.name, late, delay)
			})
			w.legal()
			v := w.view(Audio)
			for msn := int64(openings + 2); v.segs[msn+1] != nil; msn++ {
				g := v.segs[msn]
				require.InDelta(t, 2, g.Duration().Seconds(), 0.021, "segment %d, %v late by %v", msn, late, delay)
				require.Len(t, g.Parts, 10, "segment %d, %v late by %v", msn, late, delay)
			}
		}
	}
}
