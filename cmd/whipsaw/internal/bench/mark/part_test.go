package mark

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
)

func at(seconds int64) Mark {
	return Mark{Publisher: 7, Frame: uint32(seconds), Sent: time.Unix(seconds, 0)}
}

func picture(m Mark) []byte { return sample(m.AppendSEI(nil), []byte{0x41, 9, 9, 9}) }

func sound(m Mark) []byte { return m.AppendOpus(nil, []byte{0xfc, 1, 2, 3}) }

// part boxes samples as the server does.
func part(t testing.TB, samples ...[]byte) []byte {
	var list []fmp4.Sample
	var payload []byte
	for _, s := range samples {
		list = append(list, fmp4.Sample{Duration: 3000, Size: uint32(len(s)), Sync: true})
		payload = append(payload, s...)
	}
	p, err := fmp4.Part(1, 0, list, payload)
	require.NoError(t, err)
	return p
}

func TestInPart(t *testing.T) {
	m, ok := InPart(part(t, picture(at(1)), picture(at(2)), picture(at(3))))
	require.True(t, ok)
	require.True(t, m.Video)
	require.Equal(t, uint32(3), m.Frame, "the last sample's")

	m, ok = InPart(part(t, sound(at(1)), sound(at(2))))
	require.True(t, ok)
	require.False(t, m.Video)
	require.Equal(t, at(2), m)

	_, ok = InPart(part(t, picture(at(1)), sample([]byte{0x41, 1})))
	require.False(t, ok, "only the last sample counts")
}

// Several chunks in one part (ISO/IEC 23000-19 7.3.2), with whatever stands between them.
func TestInPartOfSeveralChunks(t *testing.T) {
	free := []byte{0, 0, 0, 12, 'f', 'r', 'e', 'e', 1, 2, 3, 4}
	all := append(append(part(t, picture(at(5))), free...), part(t, picture(at(6)))...)
	m, ok := InPart(all)
	require.True(t, ok)
	require.Equal(t, uint32(6), m.Frame)
}

func boxed(kind string, body ...[]byte) []byte {
	out := append(make([]byte, 4), kind...)
	for _, b := range body {
		out = append(out, b...)
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

func words(n ...uint32) []byte {
	var out []byte
	for _, w := range n {
		out = binary.BigEndian.AppendUint32(out, w)
	}
	return out
}

// Two tracks in one fragment, one with the size of each sample and one with a size for all.
func TestInPartMuxed(t *testing.T) {
	video, audio := picture(at(8)), sound(at(9))
	build := func(offset uint32) []byte {
		first := boxed("traf", boxed("tfhd", words(0x020000, 1)),
			boxed("trun", words(0x205, 2, offset, 0, uint32(len(video)), uint32(len(video)))))
		second := boxed("traf", boxed("tfhd", words(0x020038, 2, 960, uint32(len(audio)), 0)),
			boxed("trun", words(0x001, 3, offset+2*uint32(len(video)))))
		return boxed("moof", boxed("mfhd", words(0, 1)), first, second)
	}
	moof := build(0)
	moof = build(uint32(len(moof) + 8))
	data := append(append([]byte{}, picture(at(7))...), video...)
	data = append(append(append(data, sound(at(7))...), sound(at(7))...), audio...)
	m, ok := InPart(append(moof, boxed("mdat", data)...))
	require.True(t, ok)
	require.Equal(t, uint32(9), m.Frame, "the one that was sent last")
}

func FuzzInPart(f *testing.F) {
	f.Add(part(f, picture(at(1)), picture(at(2))))
	f.Add(part(f, sound(at(1))))
	f.Add([]byte{0, 0, 0, 1, 'm', 'o', 'o', 'f', 0, 0, 0, 0, 0, 0, 0, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, ok := InPart(b)
		require.Equal(t, ok, m != Mark{})
		if ok {
			require.Contains(t, string(b), id)
		}
	})
}
