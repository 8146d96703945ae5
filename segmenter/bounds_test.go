package segmenter

import (
	"bytes"
	"slices"
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
		"one access unit": func(c *Config) { c.MaxAccessUnit = 64 << 10 },
		"what is kept":    func(c *Config) { c.MaxBytes = 1 << 20 },
	} {
		w := newWorld(t, change)
		units := loadUnits(t, "plain.h264")
		for i := range units {
			units[i].weigh(10_000)
		}
		units[100].weigh(60_000)
		s := w.publish(units, 30, true)
		w.run(12 * time.Second)
		require.Equal(t, ReasonTooLarge, s.pub.Reason(), name)
		require.Nil(t, w.ch.pub)
	}
}

// weigh makes a unit larger by user data of n bytes (H.264 D.1.7).
func (u *unit) weigh(n int) {
	sei := []byte{6, 5}
	for range n / 255 {
		sei = append(sei, 255)
	}
	sei = append(sei, byte(n%255))
	sei = append(sei, bytes.Repeat([]byte{0xaa}, n)...)
	slice := slices.IndexFunc(u.nalus, func(n []byte) bool { return n[0]&31 == 1 || n[0]&31 == 5 })
	u.nalus = slices.Insert(u.nalus, slice, append(sei, 0x80))
}

// The filler repeats the last IDR, however large: it keeps to the bound as well.
func TestFillerKeepsToTheBound(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBytes = 4 << 20 })
	units := loadUnits(t, "plain.h264")
	for i := range units {
		if units[i].idr {
			units[i].weigh(200_000)
		}
	}
	s := w.publish(units, 30, true)
	w.run(3 * time.Second)
	s.stop()
	s.pub.finish(ReasonPeerClosed)
	w.ch.detach(w.now, ReasonPeerClosed)
	w.run(20 * time.Second)
	w.legal()
	require.True(t, w.view(Video).last.Ended, "4 MiB are not enough for 20 s of it")
	require.Less(t, w.gens[0].size, int64(5<<20))
}

// When all streams together keep too much, the largest gives way and the others live.
func TestTheLargestStreamGivesWay(t *testing.T) {
	var all memory
	heavy := loadUnits(t, "plain.h264")
	for i := range heavy {
		heavy[i].weigh(30_000)
	}
	var worlds []*world
	var studios []*studio
	for _, units := range [][]unit{heavy, loadUnits(t, "plain.h264"), loadUnits(t, "plain.h264")} {
		w := newWorld(t, func(c *Config) { c.MaxBytes, c.MaxTotal = 8<<20, 8<<20 })
		w.ch.memory.all = &all
		worlds, studios = append(worlds, w), append(studios, w.publish(units, 30, true))
	}
	for now := 2 * time.Second; now < 20*time.Second; now += 500 * time.Millisecond {
		for _, w := range worlds {
			w.run(now)
		}
	}
	require.Equal(t, ReasonTooLarge, studios[0].pub.Reason())
	require.Nil(t, worlds[0].ch.pub)
	for _, w := range worlds[1:] {
		require.NotNil(t, w.ch.pub)
		w.legal()
	}
	require.False(t, all.full(&worlds[0].cfg))
	require.EqualValues(t, 2, all.streams.Load())
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

// A slow source that obeys gives IDRs alone, which are repeated until the next one: as regular as any other.
func TestSlowSourceThatObeysIsRegular(t *testing.T) {
	for _, each := range []time.Duration{350 * time.Millisecond, time.Second} {
		w := newWorld(t)
		w.tolerant = true
		idr := loadUnits(t, "plain.h264")[0]
		s := w.publish(endless(t), 1/each.Seconds(), true)
		s.cam.obeys, s.cam.replaceIDR = true, &idr
		w.run(10 * time.Second)
		w.tolerant = false
		last, at, parts := PartID{}, w.now, len(w.view(Video).parts)
		for w.now < 30*time.Second {
			w.run(w.now + 10*time.Millisecond)
			v := w.view(Video).last
			if n := v.Segments[len(v.Segments)-1].last(); n != last {
				last, at = n, w.now
			}
			require.LessOrEqual(t, w.now-at, 550*time.Millisecond, "%v: no part for so long", each)
		}
		w.legal()
		require.Zero(t, w.ch.w.video.breaks, "%v: one time line, without a seam", each)
		require.Greater(t, len(w.view(Video).parts)-parts, 80, each)
	}
}
