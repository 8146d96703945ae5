package segmenter

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTicksConvertForYears(t *testing.T) {
	for _, rate := range []int64{videoRate, audioRate} {
		for _, ticks := range []int64{0, 1, rate - 1, rate, 3 * 365 * 86400 * rate, -rate / 2, 86400*rate + 7} {
			d := ticksToTime(ticks, rate)
			require.Equal(t, ticks, timeToTicks(d, rate), "%d ticks of %d", ticks, rate)
		}
	}
}

func TestClockUnwraps(t *testing.T) {
	c := clock{rate: videoRate}
	start := uint32(1<<32 - 90000)
	for i := range 300 { // ten seconds over the wrap
		now := time.Duration(i) * time.Second / 30
		require.False(t, c.breaks(now, start+uint32(i*3000)))
		c.arrive(now, start+uint32(i*3000))
		require.Equal(t, int64(start)+int64(i)*3000, c.unwrap(start+uint32(i*3000)))
	}
}

func TestClockTellsJumpsFromLateness(t *testing.T) {
	for _, c := range []struct {
		name  string
		now   time.Duration // after 10 s in which media and arrival went together
		media time.Duration
		jump  bool
	}{
		{"on time", 11 * time.Second, 11 * time.Second, false},
		{"after a pause of both", 40 * time.Second, 40 * time.Second, false},
		{"four seconds late", 15 * time.Second, 11 * time.Second, false},
		{"eleven seconds late", 22 * time.Second, 11 * time.Second, true},
		{"ahead of its arrival", 11 * time.Second, 13 * time.Second, true},
		{"a B-frame", 10 * time.Second, 9900 * time.Millisecond, false},
		{"back", 10 * time.Second, 5 * time.Second, true},
		{"far ahead", 10 * time.Second, 6 * time.Hour, true},
	} {
		k := clock{rate: videoRate}
		for d := time.Duration(0); d <= 10*time.Second; d += 20 * time.Millisecond {
			k.arrive(d, uint32(timeToTicks(d, videoRate)))
		}
		require.Equal(t, c.jump, k.breaks(c.now, uint32(timeToTicks(c.media, videoRate))), c.name)
	}
}

// ntp is a sender's wall clock in 32.32 fixed point.
func ntp(d time.Duration) uint64 {
	return uint64(d/time.Second)<<32 | uint64(d%time.Second)<<32/uint64(time.Second)
}

// twoTracks is a timeline whose audio and video capture the same moment with these RTP offsets and network delays.
func twoTracks(videoDelay, audioDelay func() time.Duration, reports bool, wrongBy time.Duration) (worst time.Duration) {
	v, a := clock{rate: videoRate}, clock{rate: audioRate}
	l := timeline{clocks: [2]*clock{&v, &a}}
	vRTP := func(d time.Duration) uint32 { return uint32(4_000_000_000 + timeToTicks(d, videoRate)) }
	aRTP := func(d time.Duration) uint32 { return uint32(77 + timeToTicks(d, audioRate)) }
	anchored := false
	for d := time.Duration(0); d < 60*time.Second; d += 20 * time.Millisecond {
		v.arrive(d+videoDelay(), vRTP(d))
		a.arrive(d+audioDelay(), aRTP(d))
		if reports && d%time.Second == 0 && d > 2*time.Second {
			v.report(ntp(time.Hour+d), vRTP(d))
			a.report(ntp(time.Hour+d+wrongBy), aRTP(d))
		}
		if !anchored {
			l.anchor(Audio, a.unwrap(aRTP(d)), 0)
			anchored = true
		}
		l.follow(v.time(v.unwrap(vRTP(d))))
		if d > 20*time.Second {
			off := l.at(Video, v.unwrap(vRTP(d))) - l.at(Audio, a.unwrap(aRTP(d)))
			worst = max(worst, off.Abs())
		}
	}
	return worst
}

func TestSenderReportsAlignTheTracks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	slow := func() time.Duration {
		return 180*time.Millisecond + time.Duration(rnd.Int64N(int64(40*time.Millisecond)))
	}
	fast := func() time.Duration {
		return 10*time.Millisecond + time.Duration(rnd.Int64N(int64(10*time.Millisecond)))
	}
	require.Less(t, twoTracks(slow, fast, true, 0), 2*time.Millisecond, "video that travels longer is put right by the reports")
	require.Greater(t, twoTracks(slow, fast, false, 0), 100*time.Millisecond, "without reports arrival is all there is")
	require.Less(t, twoTracks(fast, fast, true, time.Hour), 20*time.Millisecond, "a report that is an hour off is not believed")
}

// Senders that take the wall clock after they have encoded report late, by a time that changes: the pictures do not feel it.
func TestNoisyReportsDoNotMoveThePictures(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 7))
	v, a := clock{rate: videoRate}, clock{rate: audioRate}
	l := timeline{clocks: [2]*clock{&v, &a}}
	moved := time.Duration(0)
	for d := time.Duration(0); d < 2*time.Minute; d += 20 * time.Millisecond {
		at := uint32(timeToTicks(d, videoRate))
		v.arrive(d, at)
		a.arrive(d, uint32(timeToTicks(d, audioRate)))
		if d%time.Second == 0 {
			late := time.Duration(rnd.Int64N(int64(12 * time.Millisecond)))
			if rnd.IntN(4) == 0 {
				late *= 6
			}
			v.report(ntp(time.Hour+d+late), at)
			a.report(ntp(time.Hour+d+time.Duration(rnd.Int64N(int64(5*time.Millisecond)))), uint32(timeToTicks(d, audioRate)))
		}
		if d == 0 {
			l.anchor(Audio, a.last, 0)
		}
		before := l.shift[Video]
		l.follow(v.time(v.last))
		if d > 20*time.Second {
			moved += (l.shift[Video] - before).Abs()
			require.Less(t, (l.at(Video, v.last) - l.at(Audio, a.last)).Abs(), 20*time.Millisecond)
		}
	}
	require.Less(t, moved, 12*time.Millisecond, "in two minutes")
}

// There are senders whose reports jump about by up to a second: then arrival tells more.
func TestReportsThatContradictEachOtherAreNotBelieved(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 7))
	v, a := clock{rate: videoRate}, clock{rate: audioRate}
	l := timeline{clocks: [2]*clock{&v, &a}}
	for d := time.Duration(0); d < time.Minute; d += 20 * time.Millisecond {
		v.arrive(d, uint32(timeToTicks(d, videoRate)))
		a.arrive(d, uint32(timeToTicks(d, audioRate)))
		if d%time.Second == 0 {
			v.report(ntp(time.Hour+d+time.Duration(rnd.Int64N(int64(time.Second)))), uint32(timeToTicks(d, videoRate)))
			a.report(ntp(time.Hour+d+time.Duration(rnd.Int64N(int64(time.Second)))), uint32(timeToTicks(d, audioRate)))
		}
		if d == 0 {
			l.anchor(Audio, a.last, 0)
		}
		l.follow(v.time(v.last))
		if d > 15*time.Second {
			require.Less(t, (l.at(Video, v.last) - l.at(Audio, a.last)).Abs(), 20*time.Millisecond, d)
		}
	}
}

func TestWallClockNeverGoesBack(t *testing.T) {
	w := wallClock{base: time.Unix(1_700_000_000, 0)}
	rnd := rand.New(rand.NewPCG(7, 8))
	last := w.program(0, 0)
	epoch := int64(0)
	for d := time.Duration(0); d < time.Hour; d += 200 * time.Millisecond {
		w.slew(d, time.Duration(rnd.Int64N(int64(2*time.Second)))-time.Second)
		if rnd.IntN(500) == 0 {
			epoch++
			w.step(epoch, d, time.Duration(rnd.Int64N(int64(2*time.Second)))-time.Second)
		}
		p := w.program(epoch, d)
		require.False(t, p.Before(last))
		last = p
	}
	w = wallClock{base: time.Unix(1_700_000_000, 0)}
	w.slew(time.Hour, time.Minute)
	require.Equal(t, slewOnce*slewPPM/1_000_000, w.offset, "no leap after a pause")
	w.slew(time.Hour+100*time.Millisecond, time.Minute)
	require.Equal(t, (slewOnce+100*time.Millisecond)*slewPPM/1_000_000, w.offset, "at most 500 ppm")
}

// A day of a publisher whose clock is 200 ppm fast: what is published stays near the server's clock.
func TestADayOfDrift(t *testing.T) {
	v, a := clock{rate: videoRate}, clock{rate: audioRate}
	l := timeline{clocks: [2]*clock{&v, &a}}
	wall := wallClock{base: time.Unix(1_700_000_000, 0)}
	for d := time.Duration(0); d < 24*time.Hour; d += 100 * time.Millisecond {
		media := d + d*200/1_000_000
		a.arrive(d, uint32(timeToTicks(media, audioRate)))
		v.arrive(d, uint32(timeToTicks(media, videoRate)))
		if d == 0 {
			l.anchor(Audio, a.last, 0)
		}
		l.follow(v.time(v.last))
		lead := l.lead()
		wall.slew(d+lead, -lead)
		at := l.at(Audio, a.last)
		require.Less(t, (l.at(Video, v.last) - at).Abs(), 5*time.Millisecond)
		if d > time.Minute {
			require.InDelta(t, d.Seconds(), wall.program(0, at).Sub(wall.base).Seconds(), 0.05, "after %v", d)
		}
	}
	require.Zero(t, v.jumps+a.jumps)
}
