package demo

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
)

// The clip is what its recipe and its users rely on.
func TestClip(t *testing.T) {
	r, size := Clip()
	require.Less(t, size, int64(500_000))
	f, err := fmp4.Open(r, size)
	require.NoError(t, err)
	require.Len(t, f.Tracks, 2)
	require.Empty(t, f.Skipped)

	video, audio := f.Tracks[0], f.Tracks[1]
	require.Regexp(t, `^avc1\.42[4-f0-9]{4}$`, video.Name, "baseline: the profile that every browser decodes")
	require.Equal(t, []int{640, 360, 300}, []int{video.Width, video.Height, len(video.Samples)})
	info, err := fmp4.ParseSPS(video.SPS[0])
	require.NoError(t, err)
	require.Zero(t, max(info.MaxReorderFrames, 0))
	for i, s := range video.Samples {
		require.Equal(t, i%60 == 0, s.Sync, "an IDR every two seconds and no other")
		require.Equal(t, s.DTS, s.PTS, "no reordering")
		require.Equal(t, int64(i)*int64(video.Timescale)/30, s.PTS)
	}

	require.Equal(t, "Opus", audio.Name)
	require.Equal(t, 2, audio.Channels)
	require.Equal(t, 501, len(audio.Samples), "ten seconds, and one packet for what the encoder delays")
	for i, s := range audio.Samples {
		require.Equal(t, int64(i)*960-int64(audio.PreSkip), s.PTS, "packets of 20 ms")
	}
}
