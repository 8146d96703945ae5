package fmp4

import (
	"bytes"
	"slices"
	"testing"

	"github.com/Eyevinn/mp4ff/aac"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
)

// muxed is an init segment with H.264, AAC and subtitles, as other packagers make them, and a segment for it.
func muxed(t testing.TB) (init, segment []byte) {
	t.Helper()
	m := mp4.CreateEmptyInit()
	video := m.AddEmptyTrack(90000, "video", "und")
	require.NoError(t, video.SetAVCDescriptor("avc1", [][]byte{unhex(t, spsHigh1080)}, [][]byte{unhex(t, ppsHigh)}, true))
	audio := m.AddEmptyTrack(48000, "audio", "und")
	require.NoError(t, audio.SetAACDescriptor(aac.AAClc, 48000))
	text := m.AddEmptyTrack(1000, "wvtt", "und")
	require.NoError(t, text.SetWvttDescriptor("WEBVTT"))
	var b bytes.Buffer
	require.NoError(t, m.Encode(&b))
	init = slices.Clone(b.Bytes())

	b.Reset()
	for n := range uint64(2) {
		f, err := mp4.CreateMultiTrackFragment(uint32(n+1), []uint32{1, 2})
		require.NoError(t, err)
		for i := range uint64(3) {
			flags := uint32(nonSyncFlags)
			if i == 0 {
				flags = syncFlags
			}
			sample := func(flags, duration, size uint32, at uint64) mp4.FullSample {
				data := bytes.Repeat([]byte{byte(10*n + i)}, int(size))
				return mp4.FullSample{Sample: mp4.Sample{Flags: flags, Dur: duration, Size: size}, DecodeTime: at, Data: data}
			}
			require.NoError(t, f.AddFullSampleToTrack(sample(flags, 3000, 20, 9000*n+3000*i), 1))
			require.NoError(t, f.AddFullSampleToTrack(sample(syncFlags, 1024, 5, 3072*n+1024*i), 2))
		}
		require.NoError(t, f.Encode(&b))
		b.WriteString("\x00\x00\x00\x0cfreenone")
	}
	return init, b.Bytes()
}

func TestReadMuxedMovie(t *testing.T) {
	init, segment := muxed(t)
	m, err := ReadMovie(init)
	require.NoError(t, err)
	require.Len(t, m.Tracks, 3)
	v, a := m.Tracks[0], m.Tracks[1]
	require.Equal(t, []string{"avc1.640028", "mp4a", "wvtt"}, []string{v.Codec, a.Codec, m.Tracks[2].Codec})
	require.Equal(t, []uint32{90000, 48000, 1000}, []uint32{v.Timescale, a.Timescale, m.Tracks[2].Timescale})
	require.Equal(t, []string{"vide", "soun"}, []string{v.Handler, a.Handler})
	require.Equal(t, []int{1920, 1080, 2}, []int{v.Width, v.Height, a.Channels})
	require.Len(t, v.SPS, 1)

	fragments, err := m.ReadFragments(segment)
	require.NoError(t, err)
	require.Len(t, fragments, 2)
	for n, f := range fragments {
		require.Equal(t, uint32(n+1), f.Sequence)
		require.Len(t, f.Tracks, 2)
		pictures, sounds := f.Tracks[0], f.Tracks[1]
		require.Equal(t, []int{0, 1}, []int{pictures.Track, sounds.Track})
		require.Equal(t, uint64(9000*n), pictures.DecodeTime)
		require.Equal(t, uint64(3072*n), sounds.DecodeTime)
		require.Equal(t, uint64(9000), pictures.Duration())
		for i, s := range pictures.Samples {
			require.Equal(t, i == 0, s.Sync)
			require.Equal(t, bytes.Repeat([]byte{byte(10*n + i)}, 20), s.Data)
			require.Equal(t, bytes.Repeat([]byte{byte(10*n + i)}, 5), sounds.Samples[i].Data)
		}
	}
}

// What this package writes reads the same in both ways.
func TestReadMovieOfOurs(t *testing.T) {
	sound, err := OpusInit(1)
	require.NoError(t, err)
	for _, init := range [][]byte{videoInit(t, spsHigh1080), sound} {
		strict, err := ParseInit(init)
		require.NoError(t, err)
		m, err := ReadMovie(init)
		require.NoError(t, err)
		require.Len(t, m.Tracks, 1)
		track := m.Tracks[0]
		require.Equal(t, strict.Name, track.Codec)
		require.Equal(t, strict.Codec, Codec{
			Name: track.Codec, SPS: track.SPS, PPS: strict.PPS, Width: track.Width, Height: track.Height, Channels: track.Channels, PreSkip: strict.PreSkip,
		})
		data := slices.Concat(mustPart(t, 7, 100, twoSamples), mustPart(t, 8, 6100, twoSamples))
		want, err := ParseParts(data)
		require.NoError(t, err)
		got, err := m.ReadFragments(data)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i := range want {
			require.Equal(t, want[i].Sequence, got[i].Sequence)
			require.Equal(t, want[i].Samples, got[i].Tracks[0].Samples)
			require.Equal(t, want[i].DecodeTime, got[i].Tracks[0].DecodeTime)
		}
	}
}

// editFirst changes one byte behind the first box of a kind.
func editFirst(b []byte, kind string, at int, value byte) []byte {
	b = slices.Clone(b)
	b[bytes.Index(b, []byte(kind))+4+at] = value
	return b
}

func TestReadMovieRefuses(t *testing.T) {
	good, _ := muxed(t)
	rename := func(kind string) []byte {
		b := slices.Clone(good)
		copy(b[bytes.Index(b, []byte(kind)):], "xxxx")
		return b
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": good[:200], "a transport stream": bytes.Repeat([]byte("G\x00\x00\x00"), 47),
		"no moov": rename("moov"), "no mvex": rename("mvex"), "no trex": rename("trex"), "no stsd": rename("stsd"), "no avcC": rename("avcC"),
		"no tracks": bytes.ReplaceAll(good, []byte("trak"), []byte("xxxx")), "one track twice": editFirst(good, "tkhd", 15, 2),
	} {
		_, err := ReadMovie(b)
		require.ErrorIs(t, err, ErrFormat, name)
	}
}

func TestReadFragmentsRefuses(t *testing.T) {
	init, segment := muxed(t)
	m, err := ReadMovie(init)
	require.NoError(t, err)
	good := mustPart(t, 1, 0, twoSamples)
	for name, b := range map[string][]byte{
		"cut":              segment[:len(segment)-30],
		"cut in the moof":  segment[:40],
		"unknown track":    editFirst(segment, "tfhd", 7, 9),
		"without the data": good[:len(good)-38],
		"no tfdt":          bytes.Replace(good, []byte("tfdt"), []byte("xxxx"), 1),
		"no trun":          bytes.Replace(good, []byte("trun"), []byte("xxxx"), 1),
		"no traf":          bytes.Replace(good, []byte("traf"), []byte("xxxx"), 1),
		"no mfhd":          bytes.Replace(good, []byte("mfhd"), []byte("xxxx"), 1),
		"negative offset":  fragmentWith(t, func(h *header) { h.trun.DataOffset = -1 }),
		"base data offset": fragmentWith(t, func(h *header) { h.tfhd.Flags |= mp4.TfhdBaseDataOffsetPresentFlag }),
		"huge sample":      fragmentWith(t, func(h *header) { h.trun.Samples[1].Size = 1<<32 - 1 }),
	} {
		got, err := m.ReadFragments(b)
		require.ErrorIs(t, err, ErrFormat, name)
		require.Nil(t, got, name)
	}
	none, err := m.ReadFragments([]byte("\x00\x00\x00\x10stypmsdh\x00\x00\x00\x00"))
	require.NoError(t, err)
	require.Empty(t, none)
}

// Samples that cost a byte each are bounded.
func TestReadFragmentsBoundsSamples(t *testing.T) {
	m, err := ReadMovie(videoInit(t, spsHigh1080))
	require.NoError(t, err)
	many := mustPart(t, 1, 0, slices.Repeat([]Sample{{Duration: 1, Size: 1}, {Duration: 2, Size: 1}}, maxFragmentSamples/4+1))
	_, err = m.ReadFragments(many)
	require.NoError(t, err)
	_, err = m.ReadFragments(slices.Concat(many, many))
	require.ErrorIs(t, err, ErrUnsupported)
}

// sameAsStrict holds what is read leniently against what the strict parser read of the same fragments.
func sameAsStrict(t *testing.T, m *Movie, b []byte, strict []Fragment) {
	t.Helper()
	fragments, err := m.ReadFragments(b)
	if len(strict) == 0 {
		require.True(t, err != nil || len(fragments) == 0 || fragments[0].Tracks != nil)
		return
	}
	for i := range strict {
		if m.track(strict[i].TrackID) < 0 {
			require.Error(t, err, "a track that the init segment does not have")
			return
		}
	}
	require.NoError(t, err)
	require.Len(t, fragments, len(strict))
	for i := range strict {
		require.Equal(t, strict[i].Samples, fragments[i].Tracks[0].Samples)
		require.Equal(t, strict[i].DecodeTime, fragments[i].Tracks[0].DecodeTime)
	}
}
