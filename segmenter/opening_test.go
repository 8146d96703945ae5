package segmenter

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

// playable is when the multivariant playlist came to be, after the first media.
func (w *world) playable(from time.Duration) time.Duration {
	w.t.Helper()
	for until := from; until < from+5*time.Second; until += 10 * time.Millisecond {
		w.run(until)
		if len(w.gens) > 0 && w.gens[0].Multivariant() != nil {
			return until - from
		}
	}
	require.Fail(w.t, "never playable")
	return 0
}

func TestPlayableWithinASecondOfTheFirstPicture(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	for _, fps := range []float64{5, 10, 15, 20, 24, 25, 30000.0 / 1001, 30, 50, 60, 120} {
		for _, audio := range []bool{true, false} {
			w := newWorld(t)
			began := w.now
			w.publish(units, fps, audio)
			require.LessOrEqual(t, w.playable(began), time.Second, "%v fps, audio %v", fps, audio)
			w.run(began + 8*time.Second)
			w.legal()
			require.Zero(t, w.view(Video).check.BrokenHints(), "%v fps, audio %v", fps, audio)
		}
	}
	w := newWorld(t)
	began := w.now
	w.publish(nil, 0, true)
	require.LessOrEqual(t, w.playable(began), time.Second, "audio only")
	w.run(began + 8*time.Second)
	w.legal()
	g := w.view(Audio).segs[openings]
	require.Equal(t, 2*time.Second, g.Duration(), "only the first ones are short")
}

// A publisher who obeys gives an IDR for the end of the short segment, so that the next one begins with one too.
func TestOpeningEndsWithAnIDRWhereOneIsGiven(t *testing.T) {
	idr := loadUnits(t, "plain.h264")[0]
	for _, delay := range []time.Duration{0, 30 * time.Millisecond, 80 * time.Millisecond} {
		w := newWorld(t)
		s := w.publish(endless(t), 30, true)
		s.cam.replaceIDR, s.cam.obeys, s.cam.pliDelay = &idr, true, delay
		s.cam.delay = func() time.Duration { return delay }
		w.run(12 * time.Second)
		w.legal()
		v := w.view(Video)
		for msn := int64(0); v.segs[msn] != nil && v.segs[msn].Complete; msn++ {
			require.True(t, v.segs[msn].Parts[0].Independent, "segment %d with a delay of %v", msn, delay)
		}
		require.Less(t, v.segs[0].Duration(), 900*time.Millisecond)
	}
}

// The bit rate in the multivariant playlist is never below what has been measured, from its first version on.
func TestBandwidthOfTheShortFirstSegment(t *testing.T) {
	w := newWorld(t)
	began := w.now
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.playable(began)
	total := int64(0)
	for _, k := range []Kind{Video, Audio} {
		g := w.view(k).segs[0]
		total += int64(float64(g.Size()*8) / g.Duration().Seconds())
	}
	p := w.gens[0].Multivariant()
	require.Contains(t, string(p.Body), "AVERAGE-BANDWIDTH=")
	parsed, err := playlist.ParseMultivariant(p.Body)
	require.NoError(t, err)
	require.GreaterOrEqual(t, int64(parsed.StreamInfs[0].Bandwidth), total)
}

// A sender that bursts at its start, since it had to wait for the connection, is dated by the packets that came in time.
func TestProgramTimeOfABurst(t *testing.T) {
	w := newWorld(t)
	began := w.now
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	hold := func() time.Duration { return max(began+800*time.Millisecond-w.now, 0) }
	s.cam.delay, s.mic.delay = hold, hold
	w.run(began + 6*time.Second)
	w.legal()
	for _, k := range []Kind{Video, Audio} {
		v := w.view(k)
		for msn := range int64(3) {
			g := v.segs[msn]
			require.InDelta(t, began.Seconds()+g.Start.Seconds(), g.ProgramTime.Sub(w.base).Seconds(), 0.05, "%v segment %d", k, msn)
		}
	}
}

// Where the publisher's keyframes are rarer than segments end, viewers are told where to begin; else players know best.
func TestViewersAreSentToAKeyframe(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	for _, gop := range []int{60, 240} {
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
		sent, left := 0, 0
		for d := 5 * time.Second; d < 29*time.Second; d += 100 * time.Millisecond {
			w.run(d)
			start := w.startOf(t)
			if start == 0 {
				left++
				continue
			}
			sent++
			v := w.view(Video).last
			end, at := time.Duration(0), time.Duration(0)
			for _, g := range v.Segments {
				end = g.Start + g.Duration()
			}
			at = end + start
			require.True(t, w.independentAt(at), "%v from the end, at %v", start, w.now)
		}
		w.legal()
		if gop == 60 {
			require.Zero(t, sent, "players know best")
			continue
		}
		require.Greater(t, sent, left, "two thirds of the time")
		require.Positive(t, left, "not while a keyframe is where players begin")
	}
}

func (w *world) startOf(t *testing.T) time.Duration {
	t.Helper()
	p, err := playlist.ParseMultivariant(w.gens[0].Multivariant().Body)
	require.NoError(t, err)
	return p.Start
}

// independentAt says whether the segment at a stream time begins with an IDR, so that what is there can be decoded.
func (w *world) independentAt(at time.Duration) bool {
	for _, g := range w.view(Video).last.Segments {
		if g.Start <= at && at < g.Start+g.Duration() {
			return g.Parts[0].Independent
		}
	}
	return false
}

// hls.js waits for ever behind a short last part that it learns of together with the end of its segment.
func TestNoPartIsNewInTheVersionThatCompletesItsSegment(t *testing.T) {
	units := loadUnits(t, "plain.h264")
	w := newWorld(t)
	short := append(append([]unit{}, units[:60]...), units[59]) // 61 pictures a group: the last part has one
	for i := range short {
		short[i].pts = int64(i)
	}
	w.publish(short, 30, true)
	seen := map[Kind]PartID{}
	for d := 4 * time.Second; d < 20*time.Second; d += 5 * time.Millisecond {
		w.run(d)
		for _, k := range []Kind{Video, Audio} {
			s := w.view(k).last
			last := s.Segments[len(s.Segments)-1]
			if last.Complete {
				require.Equal(t, seen[k], last.last(), "%v at %v", k, w.now)
			}
			seen[k] = last.last()
		}
	}
	w.legal()
}

// With reference times each part says when its first sample was captured, as PROGRAM-DATE-TIME does for its segment.
func TestReferenceTimes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.ReferenceTimes = true })
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(12 * time.Second)
	w.legal()
	for _, k := range []Kind{Video, Audio} {
		at, msn := time.Time{}, int64(-1)
		for _, p := range w.view(k).parts {
			if p.MSN < openings { // dated again when more was known
				continue
			}
			if p.MSN != msn {
				at, msn = w.view(k).segs[p.MSN].ProgramTime, p.MSN
			}
			require.Equal(t, "prft", string(p.Data[4:8]))
			ntp := binary.BigEndian.Uint64(p.Data[16:24])
			captured := time.Unix(int64(ntp>>32)-2208988800, int64((ntp&0xffffffff)*uint64(time.Second)>>32))
			require.WithinDuration(t, at, captured, 2*time.Microsecond, "%v %+v", k, p.PartID)
			at = at.Add(p.Duration)
		}
	}
}
