package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/check"
)

// Frozen pictures leave no hole: the time line of either rendition is contiguous, and a strict checker has nothing to say.
func TestFreezesComeOutWhole(t *testing.T) {
	realTime(t, loadStream)
	s := serve(t)
	c := s.film(t, "live", largeFootage(t))
	_, video, audio := s.multivariant("live")
	frozen := make(chan struct{})
	go func() {
		defer close(frozen)
		for _, d := range []time.Duration{300 * time.Millisecond, 800 * time.Millisecond, 1800 * time.Millisecond} {
			c.freeze(d)
			for sent := c.pictures(); c.pictures() < sent+60; {
				select {
				case <-time.After(frameTime):
				case <-c.ended:
					return
				}
			}
		}
	}()
	over := func(*follower) bool {
		select {
		case <-frozen:
			return true
		default:
			return false
		}
	}
	together(t, video, audio, over)
	require.Empty(t, check.Agree(video.check, audio.check))
	for _, f := range []*follower{video, audio} {
		require.Empty(t, f.violations, "%s", f.base)
		require.NotEmpty(t, f.samples)
		next := f.samples[0].dts
		for _, x := range f.samples {
			if d := x.dts - next; d > 0.0005 || d < -0.0005 {
				t.Errorf("%s: %s begins at %.4f s, %.4f s after what came before", f.base.Path, x.part, x.dts, d)
			}
			next = x.dts + float64(x.Duration)/float64(f.init.Timescale)
		}
		t.Logf("%s: %.2f s to %.2f s, %d samples", f.base.Path, f.samples[0].dts, next, len(f.samples))
	}
}
