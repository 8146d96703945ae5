package fmp4

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
)

var twoSamples = []Sample{{Duration: 3000, Size: 20, Sync: true}, {Duration: 3000, Size: 10}}

func TestParsePartsOfSegment(t *testing.T) {
	first := mustPart(t, 1, 0, twoSamples)
	second := mustPart(t, 2, 6000, twoSamples[1:])
	styp := []byte("\x00\x00\x00\x10stypmsdh\x00\x00\x00\x00")
	fragments, err := ParseParts(slices.Concat(styp, first, second))
	require.NoError(t, err)
	require.Len(t, fragments, 2)
	require.Equal(t, first, fragments[0].Bytes)
	require.Equal(t, second, fragments[1].Bytes)
	require.Equal(t, uint64(6000), fragments[0].Duration())
	require.Equal(t, uint64(6000), fragments[1].DecodeTime)
	require.False(t, fragments[1].Samples[0].Sync)

	none, err := ParseParts(nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

// fragmentWith encodes a fragment after the box tree has been bent.
func fragmentWith(t *testing.T, bend func(*header)) []byte {
	t.Helper()
	h := newHeader()
	require.NoError(t, h.encode(1, 0, twoSamples, 30))
	bend(h)
	h.buf = make([]byte, 0, 1024)
	var w writer
	require.NoError(t, h.moof.Encode(&w))
	mdat := append(binary.BigEndian.AppendUint32(nil, 38), "mdat"...)
	return slices.Concat(w, mdat, make([]byte, 30))
}

type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

func TestParsePartsRefuses(t *testing.T) {
	good := mustPart(t, 1, 0, twoSamples)
	moof := good[:binary.BigEndian.Uint32(good)]
	free := []byte("\x00\x00\x00\x08free")
	for name, b := range map[string][]byte{
		"cut in the mdat":       good[:len(good)-1],
		"cut in the moof":       good[:40],
		"moof alone":            moof,
		"two moofs":             slices.Concat(moof, good),
		"mdat alone":            good[len(moof):],
		"something between":     slices.Concat(moof, free, good[len(moof):]),
		"something unknown":     slices.Concat(free, good),
		"box of size 0":         slices.Concat(good, make([]byte, 8)),
		"box smaller than head": slices.Concat(good, []byte("\x00\x00\x00\x07styp")),
		"long box without size": slices.Concat(good, []byte("\x00\x00\x00\x01styp")),
		"seven bytes":           slices.Concat(good, make([]byte, 7)),
		"base data offset": fragmentWith(t, func(h *header) {
			h.tfhd.Flags |= mp4.TfhdBaseDataOffsetPresentFlag
			h.trun.DataOffset += 8
		}),
		"base is not moof":   fragmentWith(t, func(h *header) { h.tfhd.Flags &^= mp4.TfhdDefaultBaseIsMoofFlag }),
		"offset before data": fragmentWith(t, func(h *header) { h.trun.DataOffset-- }),
		"offset after data":  fragmentWith(t, func(h *header) { h.trun.DataOffset++ }),
		"negative offset":    fragmentWith(t, func(h *header) { h.trun.DataOffset = -1 }),
		"mdat too short":     fragmentWith(t, func(h *header) { h.trun.Samples[1].Size++ }),
		"mdat too long":      fragmentWith(t, func(h *header) { h.trun.Samples[1].Size-- }),
		"huge sample":        fragmentWith(t, func(h *header) { h.trun.Samples[1].Size = 1<<32 - 1 }),
		"empty sample": fragmentWith(t, func(h *header) {
			h.trun.Samples[0].Size, h.trun.Samples[1].Size = 0, 30
		}),
		"duration left to the init": fragmentWith(t, func(h *header) {
			h.tfhd.Flags &^= mp4.TfhdDefaultSampleDurationPresentFlag
			h.trun.DataOffset -= 4
		}),
		"flags left to the init": fragmentWith(t, func(h *header) {
			h.tfhd.Flags &^= mp4.TfhdDefaultSampleFlagsPresentFlag
			h.trun.DataOffset -= 4
		}),
		"no tfdt": fragmentWith(t, func(h *header) {
			h.traf.Children = []mp4.Box{&h.tfhd, &h.trun}
			h.trun.DataOffset -= 20
		}),
		"no trun": fragmentWith(t, func(h *header) { h.traf.Children = []mp4.Box{&h.tfhd, &h.tfdt} }),
		"no traf": fragmentWith(t, func(h *header) { h.moof.Children = []mp4.Box{&h.mfhd} }),
		"no mfhd": fragmentWith(t, func(h *header) {
			h.moof.Children = []mp4.Box{&h.traf}
			h.trun.DataOffset -= 16
		}),
		"two trafs":         fragmentWith(t, func(h *header) { h.moof.Children = append(h.moof.Children, &h.traf) }),
		"decode time wraps": fragmentWith(t, func(h *header) { h.tfdt.SetBaseMediaDecodeTime(1 << 63) }),
	} {
		t.Run(name, func(t *testing.T) {
			fragments, err := ParseParts(b)
			require.ErrorIs(t, err, ErrFormat)
			require.Nil(t, fragments)
		})
	}
	_, err := ParseParts(fragmentWith(t, func(*header) {}))
	require.NoError(t, err, "the bending itself must be sound")
}

// A trun of 20 bytes can stand for a thousand samples of one byte: what is made of them has a bound.
func TestParsePartsBoundsSamples(t *testing.T) {
	h := newHeader()
	require.NoError(t, h.encode(1, 0, []Sample{{Duration: 1, Size: 1}, {Duration: 1, Size: 1}}, 2))
	h.trun.Samples = make([]mp4.Sample, 1024)
	h.trun.DataOffset = 1
	for range maxSamples / 1024 {
		h.traf.Children = append(h.traf.Children, &h.trun)
	}
	var moof writer
	require.NoError(t, h.moof.Encode(&moof))
	require.Less(t, len(moof), 128<<10)
	mdat := make([]byte, 8+maxSamples+1024)
	binary.BigEndian.PutUint32(mdat, uint32(len(mdat)))
	copy(mdat[4:], "mdat")
	_, err := ParseParts(slices.Concat(moof, mdat))
	require.ErrorIs(t, err, ErrUnsupported)
}

func TestParseInitRefuses(t *testing.T) {
	good := videoInit(t, spsHigh1080)
	ftyp := good[:24]
	part := mustPart(t, 1, 0, twoSamples)
	swap := func(old, with string) []byte {
		b := slices.Clone(good)
		i := len(b) - len(after(t, b, old)) - 4
		copy(b[i:], with)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"cut":              good[:len(good)-1],
		"no ftyp":          good[24:],
		"no moov":          ftyp,
		"two ftyp":         slices.Concat(ftyp, good),
		"media behind":     slices.Concat(good, part),
		"a part":           part,
		"no mvhd":          swap("mvhd", "free"),
		"no mvex":          swap("mvex", "free"),
		"no trex":          swap("trex", "free"),
		"no tkhd":          swap("tkhd", "free"),
		"no hdlr":          swap("hdlr", "free"),
		"no stts":          swap("stts", "free"),
		"no avcC":          swap("avcC", "free"),
		"no mdia":          swap("mdia", "free"),
		"codec not ours":   swap("avc1", "hvc1"),
		"trex of another":  edit1(t, good, "trex", 7, 2),
		"samples in stts":  edit1(t, good, "stts", 7, 1),
		"samples in stsz":  edit1(t, good, "stsz", 11, 1),
		"two descriptions": edit1(t, good, "stsd", 7, 2),
		"time scale 0":     edit1(t, edit1(t, edit1(t, good, "mdhd", 13, 0), "mdhd", 14, 0), "mdhd", 15, 0),
		"NAL length of 2":  edit1(t, good, "avcC", 4, 0xfd),
		"avcC version":     edit1(t, good, "avcC", 0, 2),
	} {
		t.Run(name, func(t *testing.T) {
			init, err := ParseInit(b)
			require.Error(t, err)
			require.Equal(t, Init{}, init)
		})
	}
}

// edit1 changes one byte at an offset after a box's type.
func edit1(t *testing.T, b []byte, kind string, at int, value byte) []byte {
	t.Helper()
	b = slices.Clone(b)
	b[len(b)-len(after(t, b, kind))+at] = value
	return b
}

func TestNALUs(t *testing.T) {
	nals, err := NALUs([]byte{0, 0, 0, 1, 9, 0, 0, 0, 2, 5, 6})
	require.NoError(t, err)
	require.Equal(t, [][]byte{{9}, {5, 6}}, nals)
	for _, b := range [][]byte{{0}, {0, 0, 0, 1}, {0, 0, 0, 0}, {0, 0, 0, 3, 1, 2}, {0xff, 0xff, 0xff, 0xff, 1}} {
		_, err := NALUs(b)
		require.ErrorIs(t, err, ErrFormat)
	}
}

func FuzzParseParts(f *testing.F) {
	f.Add(mustPart(f, 1, 0, twoSamples))
	f.Add(mustPart(f, 1, 1<<40, []Sample{{Duration: 960, Size: 3, Sync: true, Offset: -1}}))
	f.Add(slices.Concat(mustPart(f, 1, 0, twoSamples), mustPart(f, 2, 6000, twoSamples)))
	init, segment := muxed(f)
	f.Add(segment)
	movie, err := ReadMovie(init)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		fragments, err := ParseParts(b)
		sameAsStrict(t, &movie, b, fragments)
		if err != nil {
			return
		}
		for _, fragment := range fragments {
			var samples []Sample
			var payload []byte
			for _, s := range fragment.Samples {
				require.Len(t, s.Data, int(s.Size))
				samples, payload = append(samples, s.Sample), append(payload, s.Data...)
			}
			// What was understood can be said again, and means the same.
			again, err := Part(fragment.Sequence, fragment.DecodeTime, samples, payload)
			require.NoError(t, err)
			back, err := ParseParts(again)
			require.NoError(t, err)
			require.Len(t, back, 1)
			require.Equal(t, fragment.Duration(), back[0].Duration())
			for i := range samples {
				require.Equal(t, samples[i], back[0].Samples[i].Sample)
				require.Equal(t, fragment.Samples[i].Data, back[0].Samples[i].Data)
			}
		}
	})
}

func FuzzParseInit(f *testing.F) {
	f.Add(videoInit(f, spsHigh1080))
	f.Add(videoInit(f, spsInterlaced))
	opus, err := OpusInit(2)
	require.NoError(f, err)
	f.Add(opus)
	many, _ := muxed(f)
	f.Add(many)
	f.Fuzz(func(t *testing.T, b []byte) {
		init, err := ParseInit(b)
		movie, other := ReadMovie(b)
		if err != nil {
			require.Equal(t, Init{}, init)
			return
		}
		require.NoError(t, other, "who reads strictly reads leniently")
		require.Equal(t, init.Name[4:], movie.Tracks[0].Codec[4:], "but for avc3, which is told from avc1")
		if init.Name == "Opus" {
			_, err = OpusInit(init.Channels)
		} else {
			_, err = H264Init(init.SPS, init.PPS)
		}
		require.NoError(t, err)
		require.NotZero(t, init.Timescale)
	})
}

func TestParseInitOpusRefuses(t *testing.T) {
	good, err := OpusInit(2)
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"other version":  edit1(t, good, "dOps", 0, 1),
		"three channels": edit1(t, good, "dOps", 1, 3),
		"no channel":     edit1(t, good, "dOps", 1, 0),
		"family 255":     edit1(t, good, "dOps", 10, 255),
		"no dOps":        edit1(t, good, "dOps", -1, 'x'),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseInit(b)
			require.Error(t, err)
		})
	}
	other := edit1(t, good, "sgpd", 4, 'x')
	init, err := ParseInit(other)
	require.NoError(t, err)
	require.Zero(t, init.RollDistance, "a group of another type")
}
