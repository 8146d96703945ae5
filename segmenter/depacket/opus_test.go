package depacket

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// RFC 6716 table 2: frame sizes in tenths of a millisecond for configurations 0 to 31.
var opusTable2 = [32]int{
	100, 200, 400, 600, 100, 200, 400, 600, 100, 200, 400, 600,
	100, 200, 100, 200,
	25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200, 25, 50, 100, 200,
}

func TestOpusDuration_RFC6716_3_1_everyTOC(t *testing.T) {
	for toc := range 256 {
		frame := opusTable2[toc>>3] * 48 / 10
		var packet []byte
		frames := 1
		switch toc & 3 {
		case 0:
			packet = []byte{byte(toc), 1, 2, 3}
		case 1:
			packet, frames = []byte{byte(toc), 1, 2}, 2
		case 2:
			packet, frames = []byte{byte(toc), 1, 2, 3}, 2
		case 3:
			packet, frames = []byte{byte(toc), 2, 1, 2}, 2
		}
		got, err := OpusDuration(packet)
		require.NoError(t, err, "TOC %02x", toc)
		require.Equal(t, frames*frame, got, "TOC %02x", toc)
		channels := 1
		if toc&4 != 0 {
			channels = 2
		}
		require.Equal(t, channels, OpusChannels(packet))
	}
}

func TestOpusDuration_valid(t *testing.T) {
	for name, c := range map[string]struct {
		packet []byte
		want   int
	}{
		"DTX, TOC alone":                 {[]byte{0xf8}, 960},
		"DTX, TOC and one byte":          {[]byte{0xf8, 0}, 960},
		"DTX, two frames without bytes":  {[]byte{0xf9}, 1920},
		"DTX, code 2, both frames empty": {[]byte{0xfa, 0}, 1920},
		"60 ms SILK":                     {[]byte{0x18, 1}, 2880},
		"120 ms of two 60 ms frames":     {[]byte{0x19, 1, 2}, 5760},
		"120 ms of 48 frames of 2.5 ms":  {append([]byte{0xe3, 48}, make([]byte, 96)...), 5760},
		"longest frame":                  {make([]byte, 1276), 480},
		"two longest frames":             {append([]byte{1}, make([]byte, 2550)...), 960},
		"code 2, length in two bytes":    {append([]byte{2, 252, 1}, make([]byte, 256)...), 960},
		"code 3, CBR with padding":       {[]byte{0xfb, 0x42, 2, 1, 2, 0, 0}, 1920},
		"code 3, padding of 254 and 0":   {append([]byte{0xfb, 0x41, 255, 0}, make([]byte, 254)...), 960},
		"code 3, VBR":                    {[]byte{0xfb, 0x83, 1, 2, 1, 2, 3}, 2880},
		"code 3, VBR with padding":       {[]byte{0xfb, 0xc2, 1, 1, 9, 0}, 1920},
		"code 3, all frames empty":       {[]byte{0xfb, 0x03}, 2880},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := OpusDuration(c.packet)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestOpusDuration_RFC6716_3_4_malformed(t *testing.T) {
	for name, packet := range map[string][]byte{
		"R1 empty":                          {},
		"R2 frame over 1275 bytes":          make([]byte, 1277),
		"R2 in code 1":                      append([]byte{1}, make([]byte, 2552)...),
		"R2 in code 2":                      append([]byte{2, 0}, make([]byte, 1276)...),
		"R2 in code 3 VBR":                  append([]byte{3, 0x82, 0}, make([]byte, 1276)...),
		"R3 odd length in code 1":           {1, 1, 2, 3},
		"R4 no length in code 2":            {2},
		"R4 half a length":                  {2, 252},
		"R4 length past the end":            {2, 3, 1, 2},
		"R5 no frames":                      {3, 0},
		"R5 49 frames":                      append([]byte{0xe3, 49}, make([]byte, 49)...),
		"R5 140 ms":                         {0xfb, 7},
		"R5 180 ms":                         {0x1b, 3},
		"R6 no frame count":                 {3},
		"R6 frames not equal":               {0xfb, 2, 1, 2, 3},
		"R6 padding length missing":         {0xfb, 0x41},
		"R6 padding length without its end": {0xfb, 0x41, 255},
		"R6 padding past the end":           {0xfb, 0x41, 3, 0, 0},
		"R7 lengths missing":                {0xfb, 0x83, 1},
		"R7 lengths past the end":           {0xfb, 0x83, 2, 2, 1, 1, 1},
		"R7 half a length":                  {0xfb, 0x82, 253},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpusDuration(packet)
			require.ErrorIs(t, err, ErrOpus)
		})
	}
}

func TestOpusChannels_empty(t *testing.T) { require.Zero(t, OpusChannels(nil)) }

// All of these were put into Ogg and decoded with libopus: zeros, of exactly that length, also after 440 Hz in SILK and CELT.
func TestOpusSilence_bytes(t *testing.T) {
	for _, c := range []struct {
		samples, channels int
		want              string
	}{
		{120, 1, "e0fffe"},
		{240, 1, "e8fffe"},
		{480, 1, "f0fffe"},
		{960, 1, "f8fffe"},
		{960, 2, "fcfffe"},
		{1920, 2, "ff02fffefffe"},
		{2880, 2, "ff03fffefffefffe"},
		{360, 1, "e303fffefffefffe"},
	} {
		require.Equal(t, c.want, hex.EncodeToString(OpusSilence(c.samples, c.channels)), "%d", c.samples)
	}
}

func TestOpusSilence_everyDuration(t *testing.T) {
	for samples := -240; samples <= 6000; samples++ {
		for channels := 1; channels <= 2; channels++ {
			packet := OpusSilence(samples, channels)
			if samples <= 0 || samples > 5760 || samples%120 != 0 {
				require.Nil(t, packet, "%d", samples)
				continue
			}
			got, err := OpusDuration(packet)
			require.NoError(t, err, "%d", samples)
			require.Equal(t, samples, got)
			require.Equal(t, channels, OpusChannels(packet))
		}
	}
}

// drawOpus puts frames together into a packet the way RFC 6716 3.2 says, and returns its duration.
func drawOpus(t *rapid.T) (packet []byte, samples int) {
	toc := byte(rapid.IntRange(0, 63).Draw(t, "config and stereo")) << 2
	frame := opusTable2[toc>>3] * 48 / 10
	count := rapid.IntRange(1, min(48, 5760/frame)).Draw(t, "frames")
	frames := make([][]byte, count)
	for i := range frames {
		frames[i] = make([]byte, rapid.SampledFrom([]int{0, 1, 50, 251, 252, 253, 255, 256, 1275}).Draw(t, "bytes"))
	}
	length := func(b []byte, n int) []byte {
		if n < 252 {
			return append(b, byte(n))
		}
		return append(b, byte(252+n%4), byte((n-252-n%4)/4))
	}
	switch {
	case count == 1 && rapid.Bool().Draw(t, "code 0"):
		return append([]byte{toc}, frames[0]...), frame
	case count == 2 && rapid.Bool().Draw(t, "code 2"):
		return append(length([]byte{toc | 2}, len(frames[0])), bytes.Join(frames, nil)...), 2 * frame
	}
	packet = []byte{toc | 3, 0x80 | byte(count)}
	padding := rapid.SampledFrom([]int{-1, 0, 1, 253, 254, 255, 600}).Draw(t, "padding")
	if padding >= 0 {
		packet[1] |= 0x40
		n := padding
		for ; n >= 255; n -= 254 {
			packet = append(packet, 255)
		}
		packet = append(packet, byte(n))
	}
	for _, f := range frames[:count-1] {
		packet = length(packet, len(f))
	}
	packet = append(packet, bytes.Join(frames, nil)...)
	return append(packet, make([]byte, max(padding, 0))...), count * frame
}

func TestOpusDuration_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		packet, want := drawOpus(t)
		got, err := OpusDuration(packet)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func FuzzOpus(f *testing.F) {
	for _, seed := range []string{
		"", "f8", "fcfffe", "f9", "fa00", "fb02fffefffe", "fb4202010200", "fb83010201020300", "e330", "1b03", "02fc01", "fb41ff00",
	} {
		b, err := hex.DecodeString(seed)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		samples, err := OpusDuration(payload)
		if err != nil {
			require.ErrorIs(t, err, ErrOpus)
			require.Zero(t, samples)
			return
		}
		require.Contains(t, []int{1, 2}, OpusChannels(payload))
		silence := OpusSilence(samples, OpusChannels(payload))
		same, err := OpusDuration(silence)
		require.NoError(t, err)
		require.Equal(t, samples, same)
	})
}

func BenchmarkOpusDuration(b *testing.B) {
	packet := append([]byte{0xfc}, make([]byte, 240)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := OpusDuration(packet); err != nil {
			b.Fatal(err)
		}
	}
}
