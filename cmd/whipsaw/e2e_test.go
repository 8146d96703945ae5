package main

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
)

// The clip goes in over WebRTC and comes out as parts: every picture once, bit by bit, in order, in segments of 60 for
// two seconds, with the sound at its place; and nothing that a checker or a decoder could object to.
func TestClipComesOutWhole(t *testing.T) {
	s := serve(t)
	ended, _ := s.publish("live", false)
	body, video, audio := s.multivariant("live")
	together(t, video, audio, func(*follower) bool { return false })
	require.NoError(t, <-ended)

	clip := openClip(t)
	first, count := clip.pictures(t, video.samples)
	require.Zero(t, first, "the first picture of the clip is the first published")
	require.Equal(t, len(clip.video), count, "every picture of the clip was published")
	clip.sounds(t, audio.samples)
	clip.aligned(t, video.samples, audio.samples)
	fullSegments(t, video, 60)

	for _, f := range []*follower{video, audio} {
		require.Empty(t, f.violations)
		require.True(t, f.check.Ended())
		require.NotZero(t, f.blocked, "reloads waited for parts")
		require.NotZero(t, f.deltas, "delta updates were used")
		require.NotZero(t, f.segments)
	}
	require.Empty(t, check.Agree(video.check, audio.check))
	require.Empty(t, check.Multivariant(body, map[string]*check.Checker{
		relative(t, s, video): video.check, relative(t, s, audio): audio.check,
	}))
}

// relative is the URI under which the multivariant playlist names a rendition.
func relative(t *testing.T, s *instance, f *follower) string {
	t.Helper()
	prefix := s.URL() + "/hls/live/"
	require.Contains(t, f.base.String(), prefix)
	return f.base.String()[len(prefix):]
}

// clip is what the built-in clip holds, in the form in which it has to come out.
type clip struct {
	video, audio [][]byte
	pts          []float64 // of the pictures, in seconds
	audioPTS     []float64
	index        map[string]int // of a picture or sound by its bytes
}

func openClip(t *testing.T) *clip {
	t.Helper()
	f, err := fmp4.Open(demo.Clip())
	require.NoError(t, err)
	c := &clip{index: make(map[string]int)}
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

// pictures checks that samples are pictures of the clip, one after the other, and after them nothing but the filler that
// a stream shows when its publisher has gone: IDRs that were there before. It returns the first and how many.
func (c *clip) pictures(t *testing.T, samples []sample) (first, count int) {
	t.Helper()
	require.NotEmpty(t, samples)
	first = c.at(t, onlySlices(t, samples[0].Data))
	for count = 0; count < len(samples) && first+count < len(c.video); count++ {
		if !bytes.Equal(c.video[first+count], onlySlices(t, samples[count].Data)) {
			break
		}
	}
	for _, s := range samples[count:] {
		i := c.at(t, onlySlices(t, s.Data))
		require.True(t, s.Sync, "after picture %d of the clip comes %d again, which is no filler", first+count-1, i)
	}
	return first, count
}

// at is the number of a picture or sound in the clip.
func (c *clip) at(t *testing.T, b []byte) int {
	t.Helper()
	i, ok := c.index[string(b)]
	require.True(t, ok, "%d bytes that are not in the clip", len(b))
	return i
}

// sounds checks that the sounds of the clip come out in order, each once; silence may stand before and after them.
func (c *clip) sounds(t *testing.T, samples []sample) {
	t.Helper()
	last, n := -1, 0
	for _, s := range samples {
		i, ok := c.index[string(s.Data)]
		if !ok {
			require.LessOrEqual(t, len(s.Data), 8, "neither a sound of the clip nor silence")
			continue
		}
		if last >= 0 {
			require.Equal(t, last+1, i, "sound is missing or out of order")
		}
		last = i
		n++
	}
	t.Logf("%d sounds of %d came out, up to %d", n, len(c.audio), last)
	require.Greater(t, n, len(c.audio)*9/10)
}

// aligned checks that picture and sound are as far from each other as they were in the clip: within a packet of sound.
func (c *clip) aligned(t *testing.T, video, audio []sample) {
	t.Helper()
	offset := func(samples []sample, pts []float64, strip bool) (lo, hi float64) {
		lo, hi = math.Inf(1), math.Inf(-1)
		seen := make(map[int]bool)
		for _, s := range samples {
			b := s.Data
			if strip {
				b = onlySlices(t, b)
			}
			i, ok := c.index[string(b)]
			if !ok || seen[i] {
				continue
			}
			seen[i] = true
			lo, hi = min(lo, s.dts-pts[i]), max(hi, s.dts-pts[i])
		}
		return lo, hi
	}
	vlo, vhi := offset(video, c.pts, true)
	alo, ahi := offset(audio, c.audioPTS, false)
	t.Logf("clip to stream: video %.4f to %.4f s, audio %.4f to %.4f s", vlo, vhi, alo, ahi)
	require.Less(t, max(ahi-vlo, vhi-alo), 0.030, "sound and picture are apart")
	require.Less(t, vhi-vlo, 0.010, "the picture drifts")
}

// fullSegments checks how many pictures the segments hold: all but the first and the last few have exactly n.
func fullSegments(t *testing.T, f *follower, n int) {
	t.Helper()
	var counts []int
	last := ""
	for _, s := range f.samples {
		if segment := s.part[:bytes.LastIndexByte([]byte(s.part), '-')]; segment != last {
			counts, last = append(counts, 0), segment
		}
		counts[len(counts)-1]++
	}
	t.Logf("pictures per segment: %v", counts)
	require.GreaterOrEqual(t, len(counts), 5)
	for _, c := range counts[:5] {
		require.Equal(t, n, c)
	}
}
