package fmp4

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// Real parameter sets, as x264 writes them.
const (
	spsBaseline    = "6742c01ed900a02ff97011000003000100000300320f162e48"
	spsHigh1080    = "67640028acd940780227e5c044000003000400000300c83c60c658"
	spsInterlaced  = "6764001eacd940b424d8208000000300800000190f8a14cb"
	spsExtendedSAR = "6764000dacd94141fbff000700051000000300100000030320f1429960"
	spsHRD         = "6764000dacd94141fb01100000030010000003032602001e840007a13930c01e28532c"
	ppsHigh        = "68ebe3cb22c0"
)

func TestParseSPS(t *testing.T) {
	for name, c := range map[string]struct {
		sps  string
		want VideoInfo
	}{
		"baseline": {spsBaseline, VideoInfo{
			Codec: "avc1.42c01e", Width: 640, Height: 360, PixelWidth: 640, PixelHeight: 360, SARWidth: 1, SARHeight: 1,
			FrameRate: 25, MaxReorderFrames: 0, PicOrderCntType: 2, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0x42, Constraints: 0xc0, Level: 30, ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8,
		}},
		"high, three B-frames, cropped to 1080": {spsHigh1080, VideoInfo{
			Codec: "avc1.640028", Width: 1920, Height: 1080, PixelWidth: 1920, PixelHeight: 1080, SARWidth: 1, SARHeight: 1,
			FrameRate: 25, MaxReorderFrames: 2, Log2MaxPicOrderCntLsb: 6, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0x64, Level: 40, ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8,
		}},
		"interlaced, 16:11": {spsInterlaced, VideoInfo{
			Codec: "avc1.64001e", Width: 1047, Height: 576, PixelWidth: 720, PixelHeight: 576, SARWidth: 16, SARHeight: 11,
			FrameRate: 25, MaxReorderFrames: 2, Log2MaxPicOrderCntLsb: 6, Log2MaxFrameNum: 4,
			Profile: 0x64, Level: 30, ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8,
		}},
		"extended aspect ratio 7:5": {spsExtendedSAR, VideoInfo{
			Codec: "avc1.64000d", Width: 448, Height: 240, PixelWidth: 320, PixelHeight: 240, SARWidth: 7, SARHeight: 5,
			FrameRate: 25, MaxReorderFrames: 2, Log2MaxPicOrderCntLsb: 6, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0x64, Level: 13, ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8,
		}},
		"4:4:4, 10 bits": {"67f4000d90d9b28283f60220000003002000000641e28532c0", VideoInfo{
			Codec: "avc1.f4000d", Width: 320, Height: 240, PixelWidth: 320, PixelHeight: 240, SARWidth: 1, SARHeight: 1,
			FrameRate: 25, MaxReorderFrames: 2, Log2MaxPicOrderCntLsb: 6, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0xf4, Level: 13, ChromaFormat: 3, BitDepthLuma: 10, BitDepthChroma: 10,
		}},
		"intra profile": {"676e100da6cb8283f6022000000300200000064080", VideoInfo{
			Codec: "avc1.6e100d", Width: 320, Height: 240, PixelWidth: 320, PixelHeight: 240, SARWidth: 1, SARHeight: 1,
			FrameRate: 25, MaxReorderFrames: 0, PicOrderCntType: 2, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0x6e, Constraints: 0x10, Level: 13, ChromaFormat: 1, BitDepthLuma: 10, BitDepthChroma: 10,
		}},
		"4:0:0": {"6764000df3650507ec05b2000003000200000300641e28532c", VideoInfo{
			Codec: "avc1.64000d", Width: 320, Height: 240, PixelWidth: 320, PixelHeight: 240, SARWidth: 1, SARHeight: 1,
			FrameRate: 25, MaxReorderFrames: 2, Log2MaxPicOrderCntLsb: 6, Log2MaxFrameNum: 4, FrameMBsOnly: true,
			Profile: 0x64, Level: 13, ChromaFormat: 0, BitDepthLuma: 8, BitDepthChroma: 8,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSPS(unhex(t, c.sps))
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParseSPSRefuses(t *testing.T) {
	good := unhex(t, spsHigh1080)
	for name, sps := range map[string][]byte{
		"nothing":           nil,
		"header alone":      good[:1],
		"profile and level": good[:4],
		"cut in the size":   good[:8],
		"a picture set":     unhex(t, ppsHigh),
		"forbidden bit":     append([]byte{0xe7}, good[1:]...),
		"start code":        append([]byte{0, 0, 0, 1}, good...),
		"zeros":             append([]byte{0x67}, make([]byte, 40)...),
		"too long":          append(bytes.Clone(good), make([]byte, 65536)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSPS(sps)
			require.ErrorIs(t, err, ErrSPS)
		})
	}
}

// A decoder needs nothing of the VUI, so that losing its end must not lose the publisher.
func TestParseSPSBrokenVUI(t *testing.T) {
	whole := unhex(t, spsHigh1080)
	got, err := ParseSPS(whole[:len(whole)-4])
	require.NoError(t, err)
	require.Equal(t, -1, got.MaxReorderFrames)
	require.Equal(t, 1080, got.Height)
}

// The box library allocates without end for this one: cpb_cnt_minus1 is 2^31.
func TestParseSPSEndlessHRD(t *testing.T) {
	p := plainSPS()
	p.hrdCount = 1<<31 - 1
	got, err := ParseSPS(p.encode(t))
	require.NoError(t, err)
	require.Equal(t, -1, got.MaxReorderFrames)
}

// The box library agrees on every sound parameter set.
func TestParseSPSAgainstLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := genSPS(rt)
		nal := p.encode(t)
		got, err := ParseSPS(nal)
		require.NoError(rt, err)
		want, err := avc.ParseSPSNALUnit(nal, true)
		require.NoError(rt, err)
		require.Equal(rt, int(want.Width), got.PixelWidth)
		require.Equal(rt, int(want.Height), got.PixelHeight)
		require.Equal(rt, byte(want.ChromaFormatIDC), got.ChromaFormat)
		require.Equal(rt, int(want.PicOrderCntType), got.PicOrderCntType)
		require.Equal(rt, want.FrameMbsOnlyFlag, got.FrameMBsOnly)
		require.Equal(rt, int(want.BitDepthLumaMinus8)+8, int(got.BitDepthLuma))
		if want.VUI == nil {
			return
		}
		require.InDelta(rt, float64(p.scale)/2/float64(p.units), max(got.FrameRate, 0), tooFast(p))
		if want.VUI.SampleAspectRatioWidth != 0 && got.SARWidth != 1 {
			require.Equal(rt, int(want.VUI.SampleAspectRatioWidth), got.SARWidth)
			require.Equal(rt, int(want.VUI.SampleAspectRatioHeight), got.SARHeight)
		}
		if p.restriction && p.pocType != 2 && p.profile != 66 {
			require.Equal(rt, int(want.VUI.MaxNumReorderFrames), got.MaxReorderFrames)
		}
	})
}

// tooFast allows for rates that are not believed.
func tooFast(p spsModel) float64 {
	if rate := float64(p.scale) / 2 / float64(p.units); rate > 1000 {
		return rate
	}
	return 1e-9
}

func TestMaxReorderFrames(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*spsModel)
		want   int
	}{
		"as the VUI says":                    {func(*spsModel) {}, 2},
		"VUI says none":                      {func(p *spsModel) { p.reorder = 0 }, 0},
		"no VUI":                             {func(p *spsModel) { p.vui = false }, -1},
		"VUI without it":                     {func(p *spsModel) { p.restriction = false }, -1},
		"more than are buffered":             {func(p *spsModel) { p.reorder = 5 }, -1},
		"output order is decoding order":     {func(p *spsModel) { p.pocType, p.vui = 2, false }, 0},
		"baseline":                           {func(p *spsModel) { p.profile, p.vui = 66, false }, 0},
		"intra profile":                      {func(p *spsModel) { p.profile, p.constraints, p.vui = 110, 0x10, false }, 0},
		"constraint_set3 of main is no sign": {func(p *spsModel) { p.profile, p.constraints, p.vui = 77, 0x10, false }, -1},
	} {
		t.Run(name, func(t *testing.T) {
			p := plainSPS()
			c.change(&p)
			got, err := ParseSPS(p.encode(t))
			require.NoError(t, err)
			require.Equal(t, c.want, got.MaxReorderFrames)
		})
	}
}

func FuzzParseSPS(f *testing.F) {
	for _, s := range []string{spsBaseline, spsHigh1080, spsInterlaced, spsExtendedSAR, spsHRD} {
		f.Add(unhex(f, s))
	}
	p := plainSPS()
	p.hrdCount = 1<<31 - 1
	f.Add(p.encode(f))
	pps := unhex(f, ppsHigh)
	f.Fuzz(func(t *testing.T, nal []byte) {
		got, err := ParseSPS(nal)
		if err != nil {
			require.True(t, errors.Is(err, ErrSPS))
			require.Equal(t, VideoInfo{}, got)
			return
		}
		require.Positive(t, got.Width)
		require.Positive(t, got.Height)
		require.LessOrEqual(t, got.Width, 65535)
		require.LessOrEqual(t, got.PixelHeight, 2*16*maxMBs)
		require.GreaterOrEqual(t, got.MaxReorderFrames, -1)
		require.LessOrEqual(t, got.MaxReorderFrames, 16)
		// Whatever is accepted must make an init segment that says the same.
		b, err := H264Init([][]byte{nal}, [][]byte{pps})
		require.NoError(t, err)
		init, err := ParseInit(b)
		require.NoError(t, err)
		require.Equal(t, got.Codec, init.Name)
		require.Equal(t, got.PixelWidth, init.Width)
		require.Equal(t, [][]byte{nal}, init.SPS)
	})
}

// Ratios and rates that nobody can mean count as not said.
func TestParseSPSUnbelievableVUI(t *testing.T) {
	for name, c := range map[string]struct {
		sar   [2]uint
		units uint
		width int
	}{
		"stretched by 17":    {[2]uint{17, 1}, 1, 640},
		"squeezed by 17":     {[2]uint{1, 17}, 1, 640},
		"no width":           {[2]uint{0, 1}, 1, 640},
		"no height":          {[2]uint{1, 0}, 1, 640},
		"wider than a track": {[2]uint{16, 1}, 1, 16 * 1055},
		"no time":            {[2]uint{1, 1}, 0, 640},
	} {
		t.Run(name, func(t *testing.T) {
			p := plainSPS()
			p.widthMBs, p.sarIDC, p.sar, p.units, p.scale = uint(c.width/16), 255, c.sar, c.units, 6000
			got, err := ParseSPS(p.encode(t))
			require.NoError(t, err)
			require.Equal(t, [3]int{1, 1, c.width}, [3]int{got.SARWidth, got.SARHeight, got.Width})
			require.Zero(t, got.FrameRate)
			require.Equal(t, 2, got.MaxReorderFrames, "what comes behind is still read")
		})
	}
}
