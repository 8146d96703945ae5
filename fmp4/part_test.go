package fmp4

import (
	"bytes"
	"math"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// payloadFor makes as many bytes as the samples say, no two samples alike.
func payloadFor(samples []Sample) []byte {
	var b []byte
	for i, s := range samples {
		b = append(b, bytes.Repeat([]byte{byte(i + 1)}, int(s.Size))...)
	}
	return b
}

func mustPart(t testing.TB, sequence uint32, decodeTime uint64, samples []Sample) []byte {
	t.Helper()
	b, err := Part(sequence, decodeTime, samples, payloadFor(samples))
	require.NoError(t, err)
	return b
}

func TestPartGolden(t *testing.T) {
	for name, samples := range map[string][]Sample{
		"part-video.txt": {
			{Duration: 3000, Size: 700, Sync: true}, {Duration: 3000, Size: 90}, {Duration: 3003, Size: 80}, {Duration: 3000, Size: 85},
		},
		"part-reordered.txt": {
			{Duration: 3000, Size: 90, Offset: 6000}, {Duration: 3000, Size: 30, Offset: -3000}, {Duration: 3000, Size: 31},
		},
		"part-audio.txt": {
			{Duration: 960, Size: 160, Sync: true}, {Duration: 960, Size: 161, Sync: true}, {Duration: 960, Size: 155, Sync: true},
		},
		"part-single.txt": {{Duration: 20000, Size: 1, Sync: true}},
	} {
		requireGolden(t, name, dump(t, mustPart(t, 7, 1<<33, samples)))
	}
}

func genSamples(t *rapid.T) []Sample {
	offsets := rapid.SampledFrom([]int32{0, 3000, math.MinInt32, math.MaxInt32}).Draw(t, "offset")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Sample {
		return Sample{
			Duration: rapid.SampledFrom([]uint32{1, 960, 3000, 3003, math.MaxUint32}).Draw(t, "duration"),
			Offset:   offsets * rapid.Int32Range(0, 1).Draw(t, "reordered"),
			Size:     rapid.Uint32Range(1, 300).Draw(t, "size"),
			Sync:     rapid.Bool().Draw(t, "sync"),
		}
	}), 1, 40).Draw(t, "samples")
}

// What is written is what is read: by our reader.
func TestPartRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		samples := genSamples(rt)
		sequence := rapid.Uint32().Draw(rt, "sequence")
		decodeTime := rapid.Uint64Range(0, math.MaxInt64/2).Draw(rt, "time")
		payload := payloadFor(samples)
		b, err := Part(sequence, decodeTime, samples, payload)
		require.NoError(rt, err)
		require.Equal(rt, len(b), cap(b))

		fragments, err := ParseParts(b)
		require.NoError(rt, err)
		require.Len(rt, fragments, 1)
		f := fragments[0]
		require.Equal(rt, sequence, f.Sequence)
		require.Equal(rt, decodeTime, f.DecodeTime)
		require.Equal(rt, uint32(1), f.TrackID)
		require.Equal(rt, b, f.Bytes)
		var got []Sample
		var data []byte
		var total uint64
		for _, s := range f.Samples {
			got = append(got, s.Sample)
			data = append(data, s.Data...)
			total += uint64(s.Duration)
			want := uint32(0x01010000)
			if s.Sync {
				want = 0x02000000
			}
			require.Equal(rt, want, s.Flags)
		}
		require.Equal(rt, samples, got)
		require.Equal(rt, payload, data)
		require.Equal(rt, total, f.Duration())
	})
}

// And it means the same as a fragment that the box library makes from the samples one by one.
func TestPartAgainstLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		samples := genSamples(rt)
		payload := payloadFor(samples)
		fragment, err := mp4.CreateFragment(9, trackID)
		require.NoError(rt, err)
		at, dts := uint32(0), uint64(77)
		for _, s := range samples {
			flags := mp4.NonSyncSampleFlags | mp4.SampleDependsOn1
			if s.Sync {
				flags = mp4.SyncSampleFlags
			}
			fragment.AddFullSample(mp4.FullSample{
				Sample:     mp4.Sample{Flags: flags, Dur: s.Duration, Size: s.Size, CompositionTimeOffset: s.Offset},
				DecodeTime: dts, Data: payload[at : at+s.Size],
			})
			at, dts = at+s.Size, dts+uint64(s.Duration)
		}
		var library bytes.Buffer
		require.NoError(rt, fragment.Encode(&library))
		ours, err := Part(9, 77, samples, payload)
		require.NoError(rt, err)
		require.Equal(rt, readByLibrary(rt, library.Bytes()), readByLibrary(rt, ours))
	})
}

func readByLibrary(t require.TestingT, b []byte) []mp4.FullSample {
	file, err := mp4.DecodeFile(bytes.NewReader(b))
	require.NoError(t, err)
	require.Len(t, file.Segments, 1)
	require.Len(t, file.Segments[0].Fragments, 1)
	samples, err := file.Segments[0].Fragments[0].GetFullSamples(nil)
	require.NoError(t, err)
	return samples
}

// ISO/IEC 14496-12 8.8.12: version 1, so that a stream does not change its shape after 13 hours.
func TestPartDecodeTimeIsLong(t *testing.T) {
	for _, decodeTime := range []uint64{0, 1<<32 - 1, 1 << 32, math.MaxUint64} {
		b := mustPart(t, 1, decodeTime, []Sample{{Duration: 1, Size: 1}})
		file, err := mp4.DecodeFile(bytes.NewReader(b))
		require.NoError(t, err)
		tfdt := file.Segments[0].Fragments[0].Moof.Traf.Tfdt
		require.Equal(t, byte(1), tfdt.Version)
		require.Equal(t, decodeTime, tfdt.BaseMediaDecodeTime())
	}
}

func TestPartDoesNotKeepPayload(t *testing.T) {
	payload := []byte{1, 2, 3}
	b, err := Part(1, 0, []Sample{{Duration: 1, Size: 3}}, payload)
	require.NoError(t, err)
	other := mustPart(t, 2, 1, []Sample{{Duration: 5, Size: 50}, {Duration: 6, Size: 70}})
	payload[0] = 9
	require.Equal(t, []byte{1, 2, 3}, b[len(b)-3:])
	require.NotSame(t, &b[0], &other[0])
	f, err := ParseParts(b)
	require.NoError(t, err)
	require.Equal(t, uint32(1), f[0].Sequence)
}

func TestPartRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		samples []Sample
		payload int
	}{
		"no samples":      {nil, 0},
		"payload missing": {[]Sample{{Duration: 1, Size: 10}}, 9},
		"payload left":    {[]Sample{{Duration: 1, Size: 10}}, 11},
		"empty sample":    {[]Sample{{Duration: 1, Size: 10}, {Duration: 1}}, 10},
		"no duration":     {[]Sample{{Size: 10}}, 10},
		"sum wraps":       {[]Sample{{Duration: 1, Size: math.MaxUint32}, {Duration: 1, Size: 11}}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Part(1, 0, c.samples, make([]byte, c.payload))
			require.ErrorIs(t, err, ErrSamples)
			require.Nil(t, b)
		})
	}
	// A data offset is 31 bits.
	err := checkSamples([]Sample{{Duration: 1, Size: 1 << 30}, {Duration: 1, Size: 1<<30 - 1}}, math.MaxInt32)
	require.ErrorIs(t, err, ErrSamples)
}

func TestPartAllocatesOnce(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	samples := make([]Sample, 12)
	for i := range samples {
		samples[i] = Sample{Duration: 3000 + uint32(i), Size: 1000, Sync: i == 0, Offset: int32(i)}
	}
	payload := payloadFor(samples)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := Part(1, 1, samples, payload); err != nil {
			t.Fatal(err)
		}
	})
	require.LessOrEqual(t, allocs, 1.0)
}

func BenchmarkPart(b *testing.B) {
	for name, c := range map[string]struct {
		count, size int
		offset      int32
	}{
		"video-6x20kB":           {6, 20_000, 0},
		"video-6x20kB-reordered": {6, 20_000, 3000},
		"audio-11x160B":          {11, 160, 0},
	} {
		b.Run(name, func(b *testing.B) {
			var samples []Sample
			for i := range c.count {
				samples = append(samples, Sample{Duration: 3000, Size: uint32(c.size + i), Sync: i == 0, Offset: c.offset * int32(i%2)})
			}
			payload := payloadFor(samples)
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Part(1, 1<<40, samples, payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	// What any way of doing it has to pay.
	b.Run("copy-120kB", func(b *testing.B) {
		payload := make([]byte, 120_000)
		b.SetBytes(int64(len(payload)))
		b.ReportAllocs()
		for b.Loop() {
			copied = append([]byte(nil), payload...)
		}
	})
}

var copied []byte
