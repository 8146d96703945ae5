package fmp4

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packet is one line of ffprobe's view of a file.
type packet struct {
	stream   int
	pts, dts int64
	size     uint32
	pos      int64
	key      bool
}

func readPackets(t *testing.T, name string) (perStream [2][]packet) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".packets"))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var p packet
		var flags string
		_, err := fmt.Sscan(line, &p.stream, &p.pts, &p.dts, &p.size, &p.pos, &flags)
		require.NoError(t, err)
		p.key = flags[0] == 'K'
		perStream[p.stream] = append(perStream[p.stream], p)
	}
	return perStream
}

func openTestdata(t testing.TB, name string) (*File, []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".mp4"))
	require.NoError(t, err)
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f, b
}

// Another demuxer sees the same packets, at the same places and times.
func TestOpenAgainstFFprobe(t *testing.T) {
	for _, name := range []string{"progressive", "faststart", "fragmented", "fragmented-base-offset"} {
		t.Run(name, func(t *testing.T) {
			f, b := openTestdata(t, name)
			require.Len(t, f.Tracks, 2)
			for i, want := range readPackets(t, name) {
				track := f.Tracks[i]
				require.Len(t, track.Samples, len(want))
				for n, s := range track.Samples {
					p := want[n]
					require.Equal(t, p.dts, s.DTS, "DTS of %d", n)
					require.Equal(t, p.pts, s.PTS, "PTS of %d", n)
					require.Equal(t, p.key, s.Sync, "sync of %d", n)
					require.Equal(t, p.size, s.Size, "size of %d", n)
					data, err := track.ReadSample(nil, n)
					require.NoError(t, err)
					require.True(t, bytes.Equal(b[p.pos:p.pos+int64(p.size)], data), "data of %d", n)
				}
			}
		})
	}
}

func TestOpenTracks(t *testing.T) {
	for _, name := range []string{"progressive", "fragmented"} {
		f, _ := openTestdata(t, name)
		video, audio := f.Tracks[0], f.Tracks[1]
		require.Equal(t, "avc1.64000a", video.Name)
		require.Equal(t, [2]int{96, 64}, [2]int{video.Width, video.Height})
		require.Equal(t, uint32(15360), video.Timescale)
		require.Len(t, video.SPS, 1)
		require.Len(t, video.PPS, 1)
		info, err := ParseSPS(video.SPS[0])
		require.NoError(t, err)
		require.Positive(t, info.MaxReorderFrames)
		require.Equal(t, "Opus", audio.Name)
		require.Equal(t, uint32(48000), audio.Timescale)
		require.Equal(t, [2]int{2, 312}, [2]int{audio.Channels, audio.PreSkip})

		for i, s := range video.Samples {
			data, err := video.ReadSample(nil, i)
			require.NoError(t, err)
			nals, err := NALUs(data)
			require.NoError(t, err)
			idr := slices.ContainsFunc(nals, func(nal []byte) bool { return nal[0]&31 == 5 })
			require.Equal(t, s.Sync, idr)
		}
	}
}

func TestReadSampleAppends(t *testing.T) {
	f, _ := openTestdata(t, "progressive")
	first, err := f.Tracks[1].ReadSample(nil, 0)
	require.NoError(t, err)
	both, err := f.Tracks[1].ReadSample([]byte("head"), 0)
	require.NoError(t, err)
	require.Equal(t, append([]byte("head"), first...), both)
}

// failing fails from some call on, as a disk does.
type failing struct {
	r     io.ReaderAt
	calls int
}

var errDisk = errors.New("disk")

func (f *failing) ReadAt(b []byte, at int64) (int, error) {
	if f.calls--; f.calls < 0 {
		return 0, errDisk
	}
	return f.r.ReadAt(b, at)
}

func TestOpenReadErrors(t *testing.T) {
	_, b := openTestdata(t, "fragmented")
	calls := 0
	for ; ; calls++ {
		f, err := Open(&failing{bytes.NewReader(b), calls}, int64(len(b)))
		if err == nil {
			_, err = f.Tracks[0].ReadSample(nil, 0)
			require.ErrorIs(t, err, errDisk)
			break
		}
		require.ErrorIs(t, err, errDisk)
		require.Nil(t, f)
	}
	require.Greater(t, calls, 5)
	_, err := Open(bytes.NewReader(b), int64(len(b))+1)
	require.Error(t, err, "shorter than said")
}

func TestOpenRefuses(t *testing.T) {
	_, good := openTestdata(t, "faststart")
	video := func(kind string, at int, value ...byte) []byte {
		b := slices.Clone(good)
		i := bytes.Index(b, []byte(kind)) + 4
		require.Greater(t, i, 4)
		copy(b[i+at:], value)
		return b
	}
	rename := func(kind, with string) []byte { return bytes.ReplaceAll(good, []byte(kind), []byte(with)) }
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":                 {nil, ErrFormat},
		"text":                    {[]byte("this is not an MP4 file"), ErrFormat},
		"cut":                     {good[:len(good)-1], ErrFormat},
		"cut in the moov":         {good[:1000], ErrFormat},
		"no moov":                 {rename("moov", "free"), ErrFormat},
		"other codecs":            {bytes.ReplaceAll(rename("avc1", "hvc1"), []byte("Opus"), []byte("mp4a")), ErrUnsupported},
		"other handlers":          {bytes.ReplaceAll(rename("vide", "text"), []byte("soun"), []byte("hint")), ErrUnsupported},
		"broken parameter sets":   {video("avcC", 8, 0x67, 0x64, 0, 10, 0, 0, 0, 0, 0, 0), ErrSPS},
		"two of one track":        {bytes.Replace(good, []byte("\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x07\xd0"), []byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07\xd0"), 1), ErrFormat},
		"four billion samples":    {video("stsz", 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff), ErrFormat},
		"chunk behind the end":    {video("stco", 8, 0x7f), ErrFormat},
		"no chunk":                {video("stsc", 8, 0, 0, 0, 2), ErrFormat},
		"sync sample 0":           {video("stss", 8, 0, 0, 0, 0), ErrFormat},
		"sync sample too far":     {video("stss", 8, 0, 0, 1, 0), ErrFormat},
		"too few times":           {video("stts", 8, 0, 0, 0, 1), ErrFormat},
		"too few offsets":         {video("ctts", 8, 0, 0, 0, 0), ErrFormat},
		"time scale 0":            {video("mdhd", 12, 0, 0, 0, 0), ErrFormat},
		"two moovs":               {slices.Concat(good, good), ErrFormat},
		"moov larger than we buy": {bigMoov(), ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(bytes.NewReader(c.b), int64(len(c.b)))
			require.ErrorIs(t, err, c.want)
			require.Nil(t, f)
		})
	}
}

func bigMoov() []byte {
	b := make([]byte, maxIndex+8)
	copy(b, "\x04\x00\x00\x08moov")
	return b
}

// One track of another codec does not hide the other.
func TestOpenSkipsOtherCodecs(t *testing.T) {
	_, b := openTestdata(t, "progressive")
	b = bytes.ReplaceAll(b, []byte("Opus"), []byte("mp4a"))
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Len(t, f.Tracks, 1)
	require.Equal(t, 96, f.Tracks[0].Width)
	require.Len(t, f.Skipped, 1)
	require.ErrorContains(t, f.Skipped[0], `codec "mp4a"`)

	// An edit list that cuts and pastes hides only its own track.
	_, b = openTestdata(t, "progressive")
	b = edit1(t, b[:bytes.LastIndex(b, []byte("trak"))], "elst", 16, 9)
	_, whole := openTestdata(t, "progressive")
	b = append(b, whole[len(b):]...)
	f, err = Open(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Len(t, f.Tracks, 1)
	require.Equal(t, "Opus", f.Tracks[0].Name)
	require.ErrorIs(t, f.Skipped[0], ErrUnsupported)
}

// ISO/IEC 14496-12 4.2: sizes of 64 bits, and up to the end of the file.
func TestOpenBoxSizes(t *testing.T) {
	want, b := openTestdata(t, "faststart")
	mdat := bytes.Index(b, []byte("mdat")) - 4
	open := slices.Clone(b)
	copy(open[mdat:], "\x00\x00\x00\x00")
	f, err := Open(bytes.NewReader(open), int64(len(open)))
	require.NoError(t, err)
	require.Equal(t, want.Tracks[0].Samples, f.Tracks[0].Samples)

	_, b = openTestdata(t, "progressive")
	long := slices.Concat([]byte("\x00\x00\x00\x01free\x00\x00\x00\x00\x00\x00\x00\x10"), b)
	f, err = Open(bytes.NewReader(long), int64(len(long)))
	require.NoError(t, err)
	require.Len(t, f.Tracks, 2)

	moov := bytes.Index(b, []byte("moov")) - 4
	open = slices.Clone(b)
	copy(open[moov:], "\x00\x00\x00\x00")
	f, err = Open(bytes.NewReader(open), int64(len(open)))
	require.NoError(t, err)
	require.Len(t, f.Tracks, 2)
}

func FuzzOpen(f *testing.F) {
	// Small seeds: the fuzzer spends its time on shrinking large ones.
	_, tiny := openTestdata(f, "tiny")
	f.Add(tiny)
	f.Add(slices.Concat(videoInit(f, spsHigh1080), mustPart(f, 1, 0, twoSamples), mustPart(f, 2, 6000, twoSamples)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrSPS) || errors.Is(err, io.EOF), err)
			return
		}
		require.NotEmpty(t, file.Tracks)
		for _, track := range file.Tracks {
			for i := range track.Samples {
				if i > 200 {
					break
				}
				data, err := track.ReadSample(nil, i)
				require.NoError(t, err)
				require.Len(t, data, int(track.Samples[i].Size))
			}
		}
	})
}
