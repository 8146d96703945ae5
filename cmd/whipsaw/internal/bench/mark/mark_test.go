package mark

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func sample(nalus ...[]byte) []byte {
	var out []byte
	for _, n := range nalus {
		out = append(out, byte(len(n)>>24), byte(len(n)>>16), byte(len(n)>>8), byte(len(n)))
		out = append(out, n...)
	}
	return out
}

func drawMark(t *rapid.T) Mark {
	return Mark{
		Publisher: rapid.Uint32().Draw(t, "publisher"), Frame: rapid.Uint32().Draw(t, "frame"),
		Sent: time.Unix(0, rapid.Int64Range(0, math.MaxInt64).Draw(t, "sent")),
	}
}

// What is written is found, and needs no emulation prevention (H.264 7.4.1).
func TestSEI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMark(t)
		sei := m.AppendSEI(nil)
		require.Len(t, sei, seiLength)
		require.Equal(t, -1, bytes.IndexByte(sei, 0))
		require.Equal(t, len(sei)-4, int(sei[2]), "the payload is all between its size and the trailing bits")
		got, ok := InSample(sample([]byte{9, 0xf0}, []byte{0x67, 1, 2, 3}, sei, []byte{0x65, 1, 2}))
		require.True(t, ok)
		require.True(t, got.Video)
		got.Video = false
		require.Equal(t, m, got)
	})
}

func TestNoMark(t *testing.T) {
	m := Mark{Publisher: 1, Frame: 2, Sent: time.Unix(3, 4)}
	sei := m.AppendSEI(nil)
	for name, s := range map[string][]byte{
		"empty":           nil,
		"no mark":         sample([]byte{0x65, 1, 2, 3}),
		"behind a slice":  sample([]byte{0x65, 1, 2, 3}, sei),
		"cut off":         sample(sei)[:20],
		"length too long": append([]byte{0xff, 0xff, 0xff, 0xff}, sei...),
		"length zero":     append([]byte{0, 0, 0, 0}, sample(sei)...),
		"mark cut short":  sample(sei[:30]),
		"another uuid":    sample(append([]byte{6, 5, 36}, bytes.Repeat([]byte{0x55}, 37)...)),
	} {
		_, ok := InSample(s)
		require.False(t, ok, name)
	}
}

// opusFrames takes a packet apart as RFC 6716 3.2 says: its configuration, its frames and its padding.
func opusFrames(t require.TestingT, p []byte) (config byte, frames [][]byte, padding []byte) {
	config, code, p := p[0]&^3, p[0]&3, p[1:]
	count, variable, pad := 1, false, 0
	switch code {
	case 1:
		count = 2
	case 2:
		count, variable = 2, true
	case 3:
		count, variable = int(p[0]&0x3f), p[0]&0x80 != 0
		padded := p[0]&0x40 != 0
		p = p[1:]
		if padded {
			require.Less(t, p[0], byte(255), "longer padding is not used here")
			pad, p = int(p[0]), p[1:]
		}
	}
	p, padding = p[:len(p)-pad], p[len(p)-pad:]
	sizes := make([]int, count)
	if variable {
		rest := len(p)
		for i := range count - 1 {
			sizes[i], p = int(p[0]), p[1:] // below 252: one byte (RFC 6716 3.2.1)
			rest -= 1 + sizes[i]
		}
		sizes[count-1] = rest
	} else {
		for i := range sizes {
			sizes[i] = len(p) / count
		}
	}
	for _, n := range sizes {
		frames, p = append(frames, p[:n]), p[n:]
	}
	require.Empty(t, p)
	return config, frames, padding
}

// The mark changes neither the configuration nor the frames of a packet, of any code.
func TestOpus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMark(t)
		frame := rapid.SliceOfN(rapid.Byte(), 1, 200)
		toc := rapid.Byte().Draw(t, "toc") &^ 3
		a := frame.Draw(t, "a")
		b := frame.Draw(t, "b")
		packet := rapid.SampledFrom([][]byte{
			append([]byte{toc}, a...),
			append(append([]byte{toc | 1}, a...), a...),
			append(append([]byte{toc | 2, byte(len(a))}, a...), b...),
			append([]byte{toc | 3, 1}, a...),
			append(append(append([]byte{toc | 3, 0x83, byte(len(a)), byte(len(b))}, a...), b...), a...),
		}).Draw(t, "packet")
		config, frames, _ := opusFrames(t, packet)
		marked := m.AppendOpus([]byte("before"), packet)[len("before"):]
		gotConfig, gotFrames, padding := opusFrames(t, marked)
		require.Equal(t, config, gotConfig)
		require.Equal(t, frames, gotFrames)
		require.Len(t, padding, tailLength)
		got, ok := InSample(marked)
		require.True(t, ok)
		require.Equal(t, m, got)
	})
}

// What cannot be marked is left as it is.
func TestOpusLeftAlone(t *testing.T) {
	m := Mark{Sent: time.Unix(1, 0)}
	for _, p := range [][]byte{{}, {3}, {3, 0x41, 1, 7, 0}} {
		require.Equal(t, p, append([]byte{}, m.AppendOpus(nil, p)...))
	}
}
