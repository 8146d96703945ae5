package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryUnitComesOutOnceInOrder(t *testing.T) {
	w := newWorld(t)
	s := w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(9 * time.Second)

	video := w.view(Video)
	samples := video.samples(t)
	require.Greater(t, len(samples), 200)
	for i, got := range samples {
		require.Equal(t, s.cam.sent[i].avcc(), got.Data, "access unit %d", i)
		require.Equal(t, s.cam.sent[i].idr, got.Sync)
		require.Zero(t, got.Offset)
	}
	for _, g := range video.segs {
		if g.Complete {
			n := 0
			for _, p := range g.Parts {
				n += partSamples(t, p)
			}
			require.Equal(t, 60, n, "segment %d", g.MSN)
			require.InDelta(t, 2.0, g.Duration().Seconds(), 0.001)
			require.True(t, g.Parts[0].Independent)
		}
	}
	audio := w.view(Audio)
	for i, got := range audio.samples(t) {
		require.Equal(t, opusFrame(uint32(i)), got.Data)
	}
}

func partSamples(t *testing.T, p *Part) int {
	t.Helper()
	v := view{parts: []*Part{p}}
	return len(v.samples(t))
}
