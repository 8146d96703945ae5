package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// gop returns the packets of an IDR and predicted pictures of so many slices, each picture about size bytes.
func gop(pictures, slicesEach, size int) [][]Packet {
	var out [][]Packet
	for i := range pictures {
		p := picture{timestamp: uint32(i) * 3000}
		if i == 0 {
			p.nalus = append(p.nalus, sps0, pps0)
		}
		for k := range slicesEach {
			s := sliceSpec{firstMB: uint32(k), frameNum: uint32(i), lsb: uint32(2 * i), size: size / slicesEach}
			if i == 0 {
				s.kind, s.typ = nalIDR, SliceI
			}
			p.nalus = append(p.nalus, s.nalu())
		}
		out = append(out, p.packets(1200))
	}
	return out
}

func benchmarkH264(b *testing.B, slicesEach, size int) {
	pictures := gop(60, slicesEach, size)
	d := NewH264(1 << 20)
	bytes, units := 0, 0
	emit := func(u *AccessUnit) {
		units++
		bytes += len(u.Data)
		if u.Damaged || u.MissingSets {
			b.Fatal("damaged")
		}
	}
	cycle := uint32(len(pictures) * 3000)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	i, offset := 0, uint32(0)
	for b.Loop() {
		for _, p := range pictures[i] {
			p.Timestamp += offset
			if err := d.Push(p, emit); err != nil {
				b.Fatal(err)
			}
		}
		if i++; i == len(pictures) {
			i, offset = 0, offset+cycle
		}
	}
}

func BenchmarkH264(b *testing.B) {
	b.Run("20kB", func(b *testing.B) { benchmarkH264(b, 1, 20_000) })
	b.Run("20kB/8slices", func(b *testing.B) { benchmarkH264(b, 8, 20_000) })
	b.Run("1kB", func(b *testing.B) { benchmarkH264(b, 1, 1_000) })
	b.Run("200kB", func(b *testing.B) { benchmarkH264(b, 1, 200_000) })
}

func TestH264_steadyStateAllocatesNothing(t *testing.T) {
	pictures := gop(60, 3, 9000)
	d := NewH264(1 << 20)
	units := 0
	emit := func(*AccessUnit) { units++ }
	offset := uint32(0)
	round := func() {
		for _, packets := range pictures {
			for _, p := range packets {
				p.Timestamp += offset
				require.NoError(t, d.Push(p, emit))
			}
		}
		offset += 60 * 3000
	}
	round()
	require.Zero(t, testing.AllocsPerRun(5, round))
	require.Equal(t, 7*60, units)
}
