package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShowGoesOnAfterALoss(t *testing.T) {
	units := endless(t)
	shown := map[LossPolicy]int{}
	for _, policy := range []LossPolicy{Freeze, Show} {
		w := newWorld(t, func(c *Config) { c.OnLoss = policy })
		s := w.publish(units, 30, true) // deaf to PLI
		s.cam.pass = func(n int, _ []byte) bool { return n%100 != 99 }
		w.run(12 * time.Second)
		w.legal()
		samples := w.view(Video).samples(t)
		independent := 0
		for _, x := range samples {
			if x.Sync {
				independent++
			} else {
				shown[policy]++
			}
		}
		if policy == Show {
			require.Equal(t, 1, independent, "nothing after a loss is called independent")
		}
	}
	require.Greater(t, shown[Show], shown[Freeze]*2)
}

func TestTooMuchEndsThePublisherAlone(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"one access unit": func(c *Config) { c.MaxAccessUnit = 700 },
		"what is kept":    func(c *Config) { c.MaxBytes = 60_000 },
	} {
		w := newWorld(t, change)
		s := w.publish(loadUnits(t, "plain.h264"), 30, true)
		w.run(12 * time.Second)
		require.Equal(t, ReasonTooLarge, s.pub.Reason(), name)
		require.Nil(t, w.ch.pub)
	}
}

func TestAThousandFramesASecond(t *testing.T) {
	w := newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 1000, true)
	w.run(5 * time.Second)
	w.legal()
	require.Greater(t, len(w.view(Video).samples(t)), 3000)
}

func TestSlowScreenShare(t *testing.T) {
	for _, obeys := range []bool{true, false} {
		w := newWorld(t)
		w.tolerant = true
		s := w.publish(loadUnits(t, "plain.h264"), 1, true)
		s.cam.obeys = obeys
		w.run(40 * time.Second)
		w.legal()
		require.NotNil(t, w.ch.pub)
		a, v := w.view(Audio).last, w.view(Video).last
		la, lv := a.Segments[len(a.Segments)-1], v.Segments[len(v.Segments)-1]
		require.InDelta(t, (la.Start + la.Duration()).Seconds(), (lv.Start + lv.Duration()).Seconds(), 2.5)
	}
}
