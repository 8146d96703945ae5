package signaling

import (
	"context"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter"
)

// OBS as it comes: the first group of pictures is lost, since its encoder does not wait for the connection, and the next
// keyframe comes when it wants. From there on everything comes out, once and in order, with its sound at its place though
// that takes longer to arrive; segments are cut although there is no keyframe; and DELETE after the close is a good-bye.
func TestOBS(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	o := newOBS(f)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.stream(ctx)
	}()
	f.eventually("the encoder runs", func() bool { return o.lost.Load() > 5 })
	o.connect("/whip/live")
	f.eventually("a segment that has no keyframe at its end is complete", func() bool {
		s := f.snapshot("live", "video")
		return s != nil && len(s.Segments) > 2
	})
	st := f.status("live")
	video, audio := f.samples("live", "video"), f.samples("live", "audio")
	cancel()
	<-done

	require.Zero(t, st.Video.Garbage)
	require.Zero(t, st.Video.Lost)
	require.Zero(t, st.Audio.Lost)
	require.GreaterOrEqual(t, st.Video.PLIs, int64(3), "keyframes were asked for")
	require.NotNil(t, st.Video.ObeysPLI)
	require.False(t, *st.Video.ObeysPLI)
	require.Equal(t, "OBS-Studio/32.2.0", st.Publisher.UserAgent)
	followed(t, video, audio)

	// OBS closes the connection first, and takes only 200 for success.
	require.NoError(t, o.pc.GracefulClose())
	f.eventually("the server has seen the close", func() bool { return f.status("live").Publisher == nil })
	require.Equal(t, http.StatusOK, f.do("DELETE", o.location, "").status)
	require.Contains(t, f.logs.String(), "goodbye")
}

// followed checks that pictures follow each other from a keyframe on, and how far sound is from them.
func followed(t *testing.T, video, audio []taken) {
	t.Helper()
	require.NotEmpty(t, video)
	first := number(t, video[0].data)
	require.Equal(t, obsGOP, first, "the first keyframe that was not lost")
	pictures := offsets{}
	for i, v := range video {
		require.Equal(t, first+i, number(t, v.data), "the picture after %d", first+i-1)
		require.Equal(t, (first+i)%obsGOP == 0, v.sync)
		pictures.add(v.at - time.Duration(first+i)*time.Second/obsRate)
	}
	sounds, last := offsets{}, -1
	for _, a := range audio {
		if len(a.data) < 9 {
			continue // silence, before the first
		}
		n := number(t, a.data)
		if last >= 0 {
			require.Equal(t, last+1, n, "the sound after %d", last)
		}
		last = n
		sounds.add(a.at - time.Duration(n)*20*time.Millisecond)
	}
	require.Positive(t, last)
	t.Logf("%d pictures, later than when they were made by %v; sound by %v", len(video), pictures, sounds)
	require.Less(t, max(sounds.max-pictures.min, pictures.max-sounds.min), 20*time.Millisecond, "sound and picture are apart")
}

// offsets is a range of differences.
type offsets struct {
	min, max time.Duration
	some     bool
}

func (o *offsets) add(d time.Duration) {
	if !o.some {
		*o = offsets{math.MaxInt64, math.MinInt64, true}
	}
	o.min, o.max = min(o.min, d), max(o.max, d)
}

// taken is a sample as it came out.
type taken struct {
	at   time.Duration // decode time
	data []byte
	sync bool
}

// snapshot is the newest version of a rendition, nil if there is none.
func (f *fixture) snapshot(stream, rendition string) *segmenter.Snapshot {
	s := f.reg.Lookup(stream)
	if s == nil || s.Generation() == nil || s.Generation().Rendition(rendition) == nil {
		return nil
	}
	return s.Generation().Rendition(rendition).Snapshot()
}

// samples are all that a rendition has published.
func (f *fixture) samples(stream, rendition string) (out []taken) {
	f.t.Helper()
	s := f.snapshot(stream, rendition)
	require.NotNil(f.t, s)
	for _, g := range s.Segments {
		init, err := fmp4.ParseInit(s.Init(g.Init))
		require.NoError(f.t, err)
		for _, p := range g.Parts {
			chunks, err := fmp4.ParseParts(p.Data)
			require.NoError(f.t, err)
			for _, c := range chunks {
				at := c.DecodeTime
				for _, x := range c.Samples {
					out = append(out, taken{time.Duration(at) * time.Second / time.Duration(init.Timescale), x.Data, x.Sync})
					at += uint64(x.Duration)
				}
			}
		}
	}
	return out
}
