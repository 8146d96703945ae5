package fmp4

import "testing"

func BenchmarkPart(b *testing.B) {
	bench := func(name string, n, size int, offset int32) {
		b.Run(name, func(b *testing.B) {
			samples := make([]Sample, n)
			for i := range samples {
				samples[i] = Sample{Duration: 3000, Size: uint32(size + i), Sync: i == 0, Offset: offset * int32(i%2)}
			}
			total := 0
			for _, s := range samples {
				total += int(s.Size)
			}
			payload := make([]byte, total)
			b.SetBytes(int64(total))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Part(1, 1<<40, samples, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("video 6x20kB", 6, 20_000, 0)
	bench("video 6x20kB reordered", 6, 20_000, 3000)
	bench("audio 11x160B", 11, 160, 0)
	b.Run("memcpy 120kB", func(b *testing.B) {
		src := make([]byte, 120_500)
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		for b.Loop() {
			sink = append([]byte(nil), src...)
		}
	})
}

var sink []byte
