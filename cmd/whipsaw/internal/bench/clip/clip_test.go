package clip

import (
	"bytes"
	"math"
	"testing"

	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/fmp4"
)

func open(t *testing.T) *Clip {
	t.Helper()
	c, err := Open(demo.Clip())
	require.NoError(t, err)
	return c
}

func TestOpen(t *testing.T) {
	c := open(t)
	require.Contains(t, c.Name, "640x360")
	require.InDelta(t, 30, c.FrameRate(), 0.01)
	require.False(t, c.Mono)
	require.NotEmpty(t, c.SPS)
	require.NotEmpty(t, c.PPS)
	require.True(t, c.Video[0].IDR)
	require.Zero(t, c.Video[0].DTS)
	for i := 1; i < len(c.Video); i++ {
		require.Equal(t, int64(3000), c.Video[i].DTS-c.Video[i-1].DTS)
	}
	require.Equal(t, int64(3000*len(c.Video)), c.VideoTicks)
	require.Len(t, c.AudioTicks, len(c.Audio)+1)
	for i := range c.Audio {
		require.Equal(t, int64(960), c.AudioTicks[i+1]-c.AudioTicks[i], "packet %d: a packet is 20 ms, the last one too", i)
	}
	require.Positive(t, c.Bitrate)
}

// Payloads fit into packets, and come together again to the NAL units of the file with the mark before the first slice.
func TestPayloads(t *testing.T) {
	c := open(t)
	r, size := demo.Clip()
	f, err := fmp4.Open(r, size)
	require.NoError(t, err)
	mark := []byte{6, 5, 1, 0xaa, 0x80}
	for i := range c.Video {
		frame := &c.Video[i]
		payloads := append([][]byte{frame.AppendFirst(nil, mark)}, frame.Payloads...)
		var d codecs.H264Packet
		var stream []byte
		for _, p := range payloads {
			require.LessOrEqual(t, len(p), maxPayload)
			b, err := d.Unmarshal(p)
			require.NoError(t, err)
			stream = append(stream, b...)
		}
		var want []byte
		add := func(n []byte) { want = append(append(want, 0, 0, 0, 1), n...) }
		if frame.IDR {
			add(c.SPS[0])
			add(c.PPS[0])
		}
		add(mark)
		for _, n := range units(t, f, i) {
			if kind := n[0] & 0x1f; kind != naluSEI && kind != naluAUD {
				add(n)
			}
		}
		require.True(t, bytes.Equal(want, stream), "picture %d", i)
	}
}

func units(t *testing.T, f *fmp4.File, i int) [][]byte {
	for _, track := range f.Tracks {
		if len(track.SPS) > 0 {
			sample, err := track.ReadSample(nil, i)
			require.NoError(t, err)
			n, err := fmp4.NALUs(sample)
			require.NoError(t, err)
			return n
		}
	}
	return nil
}

func TestFragments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nalu := append([]byte{0x65}, bytes.Repeat([]byte{7}, rapid.IntRange(1, 5000).Draw(t, "size"))...)
		var d codecs.H264Packet
		var stream []byte
		for _, p := range appendPayloads(nil, nalu) {
			require.LessOrEqual(t, len(p), maxPayload)
			b, err := d.Unmarshal(p)
			require.NoError(t, err)
			stream = append(stream, b...)
		}
		require.Equal(t, append([]byte{0, 0, 0, 1}, nalu...), stream)
	})
}

func TestRescale(t *testing.T) {
	require.Equal(t, int64(90000), rescale(48000, 48000, 90000))
	require.Equal(t, int64(1), rescale(1, 48000, 90000))
	require.Equal(t, int64(-90000), rescale(-1000, 1000, 90000))
	require.Equal(t, int64(math.MaxInt32)*90000, rescale(math.MaxInt32*1000, 1000, 90000))
}

func TestOpenRefuses(t *testing.T) {
	noise := bytes.Repeat([]byte("noise "), 100)
	_, err := Open(bytes.NewReader(noise), int64(len(noise)))
	require.Error(t, err)
}
