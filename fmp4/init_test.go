package fmp4

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func videoInit(t testing.TB, sps string) []byte {
	t.Helper()
	b, err := H264Init([][]byte{unhex(t, sps)}, [][]byte{unhex(t, ppsHigh)})
	require.NoError(t, err)
	return b
}

func TestInitGolden(t *testing.T) {
	requireGolden(t, "init-high.txt", dump(t, videoInit(t, spsHigh1080)))
	requireGolden(t, "init-baseline.txt", dump(t, videoInit(t, spsBaseline)))
	requireGolden(t, "init-interlaced.txt", dump(t, videoInit(t, spsInterlaced)))
	for name, channels := range map[string]int{"init-mono.txt": 1, "init-stereo.txt": 2} {
		b, err := OpusInit(channels)
		require.NoError(t, err)
		requireGolden(t, name, dump(t, b))
	}
}

func TestH264InitRoundTrip(t *testing.T) {
	for _, c := range []struct {
		sps, codec    string
		width, height int
	}{
		{spsBaseline, "avc1.42c01e", 640, 360},
		{spsHigh1080, "avc1.640028", 1920, 1080},
		{spsInterlaced, "avc1.64001e", 720, 576},
	} {
		init, err := ParseInit(videoInit(t, c.sps))
		require.NoError(t, err)
		require.Equal(t, Init{
			Brands: []string{"iso6", "iso6", "cmfc"}, TrackID: 1, Timescale: 90000,
			Codec: Codec{
				Name: c.codec, SPS: [][]byte{unhex(t, c.sps)}, PPS: [][]byte{unhex(t, ppsHigh)},
				Width: c.width, Height: c.height,
			},
		}, init)
	}
}

func TestOpusInitRoundTrip(t *testing.T) {
	for _, channels := range []int{1, 2} {
		b, err := OpusInit(channels)
		require.NoError(t, err)
		init, err := ParseInit(b)
		require.NoError(t, err)
		require.Equal(t, Init{
			Brands: []string{"iso6", "iso6", "cmfc"}, TrackID: 1, Timescale: 48000, RollDistance: -4,
			Codec: Codec{Name: "Opus", Channels: channels, PreSkip: 312},
		}, init)
	}
	for _, channels := range []int{-1, 0, 3, 256 + 1} {
		_, err := OpusInit(channels)
		require.ErrorIs(t, err, ErrUnsupported)
	}
}

// The library cannot show these; players read them.
func TestInitBytes(t *testing.T) {
	opus, err := OpusInit(2)
	require.NoError(t, err)
	entry := after(t, opus, "Opus")
	require.Equal(t, uint32(48000<<16), binary.BigEndian.Uint32(entry[24:]))
	require.Equal(t, []byte{0, 2, 312 >> 8, 312 & 0xff, 0, 0, 0xbb, 0x80, 0, 0, 0}, after(t, opus, "dOps")[:11])

	// ISO/IEC 14496-15 5.3.3.1.2: profiles other than baseline, main and extended end with chroma format, bit depths
	// and the number of SPS extensions.
	deep := after(t, videoInit(t, "67f4000d90d9b28283f60220000003002000000641e28532c0"), "avcC")
	require.Equal(t, []byte{1, 0xf4, 0x00, 0x0d, 0xff, 0xe1}, deep[:6])
	tail := 6 + 2 + 25 + 1 + 2 + len(unhex(t, ppsHigh))
	require.Equal(t, []byte{0xfc | 3, 0xf8 | 2, 0xf8 | 2, 0}, deep[tail:tail+4])

	// The track header shows at 1047x576 what is 720x576 in the entry, with pasp.
	wide := videoInit(t, spsInterlaced)
	tkhd := after(t, wide, "tkhd")
	require.Equal(t, uint32(1047<<16), binary.BigEndian.Uint32(tkhd[76:]))
	require.Equal(t, []byte{0, 0, 0, 16, 0, 0, 0, 11}, after(t, wide, "pasp")[:8])
	require.False(t, bytes.Contains(videoInit(t, spsHigh1080), []byte("pasp")))
}

// after returns what follows a box's type.
func after(t *testing.T, b []byte, kind string) []byte {
	t.Helper()
	i := bytes.Index(b, []byte(kind))
	require.Positive(t, i, kind)
	require.Equal(t, -1, bytes.Index(b[i+4:], []byte(kind)), "more than one %s", kind)
	return b[i+4:]
}

func TestH264InitRefuses(t *testing.T) {
	sps, pps := unhex(t, spsHigh1080), unhex(t, ppsHigh)
	baseline := unhex(t, spsBaseline)
	for name, c := range map[string]struct{ sps, pps [][]byte }{
		"nothing":        {nil, nil},
		"no PPS":         {[][]byte{sps}, nil},
		"no SPS":         {nil, [][]byte{pps}},
		"exchanged":      {[][]byte{pps}, [][]byte{sps}},
		"empty PPS":      {[][]byte{sps}, [][]byte{{}}},
		"long PPS":       {[][]byte{sps}, [][]byte{append(bytes.Clone(pps), make([]byte, 65536)...)}},
		"32 SPS":         {bytes.SplitN(bytes.Repeat(sps, 32), nil, 32), [][]byte{pps}},
		"two profiles":   {[][]byte{sps, baseline}, [][]byte{pps}},
		"broken second":  {[][]byte{sps, sps[:6]}, [][]byte{pps}},
		"256 PPS":        {[][]byte{sps}, bytes.SplitN(bytes.Repeat(pps, 256), nil, 256)},
		"start code PPS": {[][]byte{sps}, [][]byte{append([]byte{0, 0, 1}, pps...)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := H264Init(c.sps, c.pps)
			require.ErrorIs(t, err, ErrSPS)
		})
	}
}

// ISO/IEC 14496-15 5.3.3.1.2: the highest level and the flags common to all.
func TestH264InitSeveralSets(t *testing.T) {
	low, high := plainSPS(), plainSPS()
	low.constraints, high.constraints = 0x40, 0xc0
	first, second := low.encode(t), high.encode(t)
	second[3] = 42
	b, err := H264Init([][]byte{first, second}, [][]byte{unhex(t, ppsHigh), unhex(t, ppsHigh)})
	require.NoError(t, err)
	init, err := ParseInit(b)
	require.NoError(t, err)
	require.Equal(t, "avc1.64402a", init.Name)
	require.Len(t, init.SPS, 2)
	require.Len(t, init.PPS, 2)
}
