package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBitReader_readsWhatWasWritten(t *testing.T) {
	type item struct {
		kind string
		n    int
		v    uint32
	}
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(rapid.Custom(func(t *rapid.T) item {
			i := item{kind: rapid.SampledFrom([]string{"u", "ue", "se"}).Draw(t, "kind"), n: rapid.IntRange(0, 32).Draw(t, "n")}
			i.v = uint32(rapid.Uint64Max(1<<i.n-1).Draw(t, "v"))
			switch i.kind {
			case "ue":
				i.v = min(i.v, 1<<32-2)
			case "se":
				i.v = min(i.v, 1<<31-1)
			}
			return i
		})).Draw(t, "items")
		var w bitWriter
		for _, i := range items {
			switch i.kind {
			case "u":
				w.u(i.n, i.v)
			case "ue":
				w.ue(i.v)
			case "se":
				w.se(int32(i.v))
				w.se(-int32(i.v))
			}
		}
		r := newBitReader(w.nalu(0)[1:])
		for _, i := range items {
			switch i.kind {
			case "u":
				require.Equal(t, i.v, r.u(i.n))
			case "ue":
				require.Equal(t, i.v, r.ue())
			case "se":
				require.Equal(t, int32(i.v), r.se())
				require.Equal(t, -int32(i.v), r.se())
			}
		}
		require.True(t, r.flag()) // the stop bit
		require.False(t, r.bad)
		r.u(8)
		require.True(t, r.bad)
	})
}

func TestBitReader_H264_7_3_1_emulationPrevention(t *testing.T) {
	r := newBitReader([]byte{0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 3, 3, 0, 3, 0, 0, 3})
	var out []byte
	for !r.bad {
		out = append(out, byte(r.u(8)))
	}
	require.Equal(t, []byte{0, 0, 1, 0, 0, 0, 0, 3, 3, 0, 3, 0, 0}, out[:len(out)-1])
}

func TestBitReader_pastTheEnd(t *testing.T) {
	for name, read := range map[string]func(r *bitReader) any{
		"u":                 func(r *bitReader) any { return r.u(9) },
		"ue without a one":  func(r *bitReader) any { return r.ue() },
		"se":                func(r *bitReader) any { return r.se() },
		"limited":           func(r *bitReader) any { return r.limited(3) },
		"flag after a fail": func(r *bitReader) any { r.u(9); return r.flag() },
	} {
		r := newBitReader([]byte{0})
		require.Zero(t, read(&r), name)
		require.True(t, r.bad, name)
	}
	r := newBitReader(make([]byte, 20)) // ue with 32 zeros or more is none (H.264 9.1)
	r.ue()
	require.True(t, r.bad)
	r = newBitReader([]byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff})
	r.ue()
	require.True(t, r.bad)
	r = newBitReader([]byte{0x20}) // 00100: ue of 3
	require.Zero(t, r.limited(2))
	require.True(t, r.bad)
}
