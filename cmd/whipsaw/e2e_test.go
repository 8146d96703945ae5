package main

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
)

// The clip goes in over WebRTC and comes out as parts: every picture once, bit by bit, in order, in segments of 60 for
// two seconds, with the sound at its place, until the end of the playlist; and nothing that a checker could object to.
func TestClipComesOutWhole(t *testing.T) {
	realTime(t, loadStream)
	s := serve(t)
	ended, _ := s.publish("live", false)
	body, video, audio := s.multivariant("live")
	together(t, video, audio, func(*follower) bool { return false })
	require.NoError(t, <-ended)

	clip := openClip(t)
	count := clip.pictures(t, video.samples)
	require.GreaterOrEqual(t, count, len(clip.video), "every picture of the clip was published")
	require.GreaterOrEqual(t, clip.sounds(t, audio.samples), len(clip.audio)-5, "what lies before the first picture may be missing")
	clip.aligned(t, video.samples, audio.samples)
	fullSegments(t, video)
	sound(t, s, "live", body, video, audio)
	require.True(t, video.check.Ended())
	require.True(t, audio.check.Ended())
	for _, f := range []*follower{video, audio} {
		require.NotZero(t, f.blocked, "reloads waited for parts")
		require.NotZero(t, f.segments)
	}
}

// The demo plays on and on: past its seam, with delta updates, on one contiguous time line.
func TestDemoGoesOn(t *testing.T) {
	realTime(t, loadStream)
	s := serve(t, "--demo")
	body, video, audio := s.multivariant("demo")
	together(t, video, audio, func(f *follower) bool { return f.segments >= 9 && f.deltas > 0 })

	clip := openClip(t)
	require.Equal(t, len(video.samples), clip.pictures(t, video.samples), "pictures of the clip and nothing else")
	require.Greater(t, clip.sounds(t, audio.samples), len(audio.samples)*9/10)
	fullSegments(t, video)
	sound(t, s, "demo", body, video, audio)

	streams := s.streams()
	require.Len(t, streams, 1)
	require.Equal(t, "live", streams[0].State)
	require.Zero(t, streams[0].Discontinuities)
	require.Equal(t, []int{640, 360}, []int{streams[0].Video.Width, streams[0].Video.Height})
	require.InDelta(t, 2, streams[0].Video.GOP, 0.1)
	_, _, metrics := fetch(t, s.AdminURL()+"/metrics")
	require.Contains(t, string(metrics), `whipsaw_streams{state="live"} 1`)
	require.Contains(t, string(metrics), `whipsaw_track_packets_total{stream="demo",track="video"}`)
}

// sound requires that the checker has found nothing in either rendition, nor between them.
func sound(t *testing.T, s *instance, stream string, body []byte, video, audio *follower) {
	t.Helper()
	for _, f := range []*follower{video, audio} {
		require.Empty(t, f.violations, "%s", f.base)
	}
	require.Empty(t, check.Agree(video.check, audio.check))
	require.Empty(t, check.Multivariant(body, map[string]*check.Checker{
		relative(t, s, stream, video): video.check, relative(t, s, stream, audio): audio.check,
	}))
}

// relative is the URI under which the multivariant playlist names a rendition.
func relative(t *testing.T, s *instance, stream string, f *follower) string {
	t.Helper()
	prefix := s.URL() + "/hls/" + stream + "/"
	require.Contains(t, f.base.String(), prefix)
	return f.base.String()[len(prefix):]
}

// clip is what the built-in clip holds, in the form in which it has to come out.
type clip struct {
	video, audio [][]byte
	pts          []float64 // of the pictures, in seconds
	audioPTS     []float64
	index        map[string]int // of a picture or sound by its bytes
	gop          int
}

func openClip(t *testing.T) *clip {
	t.Helper()
	f, err := fmp4.Open(demo.Clip())
	require.NoError(t, err)
	c := &clip{index: make(map[string]int), gop: 60}
	for _, track := range f.Tracks {
		for i, s := range track.Samples {
			b, err := track.ReadSample(nil, i)
			require.NoError(t, err)
			at := float64(s.PTS) / float64(track.Timescale)
			if track.Name == "Opus" {
				c.audio, c.audioPTS = append(c.audio, b), append(c.audioPTS, at)
			} else {
				b = onlySlices(t, b)
				c.video, c.pts = append(c.video, b), append(c.pts, at)
			}
			c.index[string(b)] = i
		}
	}
	require.Len(t, c.video, 300)
	require.Equal(t, len(c.video)+len(c.audio), len(c.index), "all are different from one another")
	return c
}

// onlySlices is a sample without anything but its slices: parameter sets, delimiters and such may be dropped or moved.
func onlySlices(t *testing.T, sample []byte) []byte {
	t.Helper()
	nalus, err := fmp4.NALUs(sample)
	require.NoError(t, err)
	var out bytes.Buffer
	for _, n := range nalus {
		if kind := n[0] & 0x1f; kind == 1 || kind == 5 {
			out.Write(n)
		}
	}
	require.NotZero(t, out.Len())
	return out.Bytes()
}

// pictures checks that samples are the clip's pictures from its first one on, each followed by the next, from the last by
// the first: one may also be followed by the IDR that its group began with, since that is how a file obeys a request for a
// keyframe. At the end there may be filler, which a stream shows when its publisher has gone: an IDR again and again. It
// returns how many pictures there are before that.
func (c *clip) pictures(t *testing.T, samples []sample) (count int) {
	t.Helper()
	require.NotEmpty(t, samples)
	last := -1
	for n, s := range samples {
		i := c.at(t, onlySlices(t, s.Data))
		next, group := (last+1)%len(c.video), max(last, 0)/c.gop*c.gop
		switch {
		case i == next || i == group && i < last:
			require.Equal(t, i%c.gop == 0, s.Sync, "picture %d", i)
		default:
			require.True(t, c.onlyFiller(t, samples[n:]), "after picture %d of the clip comes %d, as number %d of %d", last, i, n, len(samples))
			return n
		}
		last = i
	}
	return len(samples)
}

// onlyFiller reports whether all samples are one and the same IDR.
func (c *clip) onlyFiller(t *testing.T, samples []sample) bool {
	t.Helper()
	for _, s := range samples {
		if !s.Sync || c.at(t, onlySlices(t, s.Data)) != c.at(t, onlySlices(t, samples[0].Data)) {
			return false
		}
	}
	return true
}

// at is the number of a picture or sound in the clip.
func (c *clip) at(t *testing.T, b []byte) int {
	t.Helper()
	i, ok := c.index[string(b)]
	require.True(t, ok, "%d bytes that are not in the clip", len(b))
	return i
}

// sounds checks that the sounds of the clip come out, each followed by the next but where the file begins anew or a part
// of it is repeated; silence may stand in between. It returns how many there are.
func (c *clip) sounds(t *testing.T, samples []sample) (count int) {
	t.Helper()
	last, n, jumps := -1, 0, 0
	for _, s := range samples {
		i, ok := c.index[string(s.Data)]
		if !ok {
			require.LessOrEqual(t, len(s.Data), 8, "neither a sound of the clip nor silence")
			continue
		}
		if last >= 0 && i != last+1 {
			require.Less(t, i, last, "sound is missing")
			jumps++
		}
		last = i
		n++
	}
	t.Logf("%d of %d samples are sounds of the clip, with %d steps back", n, len(samples), jumps)
	require.LessOrEqual(t, jumps, 1+n/100)
	return n
}

// aligned checks that picture and sound are as far from each other as they were in the clip, to within a packet of sound:
// run by run, since a file that obeys a request for a keyframe steps back, and all that follows comes later.
func (c *clip) aligned(t *testing.T, video, audio []sample) {
	t.Helper()
	pictures, sounds := c.runs(t, video, c.pts, true), c.runs(t, audio, c.audioPTS, false)
	t.Logf("clip to stream: video %.4f, audio %.4f", pictures, sounds)
	require.Len(t, sounds, len(pictures), "both step back, or none")
	for i, v := range pictures {
		a := sounds[i]
		require.Less(t, max(a.latest-v.earliest, v.latest-a.earliest), 0.030, "sound and picture are apart")
		require.Less(t, v.latest-v.earliest, 0.010, "the picture drifts")
	}
}

// offsets is how much later than in the clip samples come out, in seconds.
type offsets struct{ earliest, latest float64 }

// runs are the offsets between one step back of the file and the next; filler does not count.
func (c *clip) runs(t *testing.T, samples []sample, pts []float64, strip bool) (out []offsets) {
	t.Helper()
	last := len(pts)
	for n, s := range samples {
		if strip && c.onlyFiller(t, samples[n:]) {
			break
		}
		b := s.Data
		if strip {
			b = onlySlices(t, b)
		}
		i, ok := c.index[string(b)]
		if !ok {
			continue
		}
		if i <= last {
			out = append(out, offsets{math.Inf(1), math.Inf(-1)})
		}
		run := &out[len(out)-1]
		run.earliest, run.latest = min(run.earliest, s.dts-pts[i]), max(run.latest, s.dts-pts[i])
		last = i
	}
	return out
}

// fullSegments checks how many pictures the segments hold: where the clip's groups were not disturbed, exactly one group
// of 60. Only the last one or two, where the stream ended, may hold fewer.
func fullSegments(t *testing.T, f *follower) {
	t.Helper()
	var counts []int
	last := ""
	for _, s := range f.samples {
		if segment := s.part[:strings.LastIndexByte(s.part, '-')]; segment != last {
			counts, last = append(counts, 0), segment
		}
		counts[len(counts)-1]++
	}
	t.Logf("pictures per segment: %v", counts)
	full := 0
	for _, n := range counts {
		if n == 60 {
			full++
		}
	}
	require.GreaterOrEqual(t, full, 4)
}
