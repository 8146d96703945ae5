package fmp4

import (
	"bytes"
	"math"
	"testing"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// progressive is an Opus file with sample tables to choose: what a muxer might write, made with the box library.
type progressive struct {
	samples []MediaSample // Duration, Size, Sync; PTS is the composition offset
	chunks  []int         // samples of each chunk
	gaps    []int         // bytes before each chunk that belong to nobody
	long    bool          // co64 instead of stco
	uniform bool          // one size for all
	offsets bool          // ctts
	syncs   bool          // stss
	edits   []mp4.ElstEntry
}

const (
	testTimescale  = 48000
	movieTimescale = 1000
)

// encode returns the file and where each sample lies: ftyp, mdat, moov.
func (p progressive) encode(t require.TestingT) ([]byte, []int64) {
	ftyp := mp4.NewFtyp("isom", 0, nil)
	mdat := &mp4.MdatBox{}
	at := int64(ftyp.Size()) + 8
	var places []int64
	var chunkOffsets []uint64
	next := 0
	for i, n := range p.chunks {
		mdat.Data = append(mdat.Data, make([]byte, p.gaps[i])...)
		chunkOffsets = append(chunkOffsets, uint64(at)+uint64(len(mdat.Data)))
		for range n {
			places = append(places, at+int64(len(mdat.Data)))
			mdat.Data = append(mdat.Data, bytes.Repeat([]byte{byte(next)}, int(p.samples[next].Size))...)
			next++
		}
	}
	moov := mp4.NewMoovBox()
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale = movieTimescale
	moov.AddChild(mvhd)
	moov.AddChild(p.trak(t, chunkOffsets))
	w := bits.NewFixedSliceWriter(int(ftyp.Size() + mdat.Size() + moov.Size()))
	for _, b := range []mp4.Box{ftyp, mdat, moov} {
		require.NoError(t, b.EncodeSW(w))
	}
	return w.Bytes(), places
}

func (p progressive) trak(t require.TestingT, chunkOffsets []uint64) *mp4.TrakBox {
	entry := mp4.CreateAudioSampleEntryBox("Opus", 2, 16, testTimescale, &mp4.DopsBox{OutputChannelCount: 2, InputSampleRate: testTimescale})
	trak := newTrak("audio", testTimescale, entry)
	if p.edits != nil {
		edts := &mp4.EdtsBox{}
		edts.AddChild(&mp4.ElstBox{Version: 1, Entries: p.edits})
		trak.AddChild(edts)
	}
	stbl := trak.Mdia.Minf.Stbl
	p.fillTables(t, stbl)
	if p.long {
		for i, child := range stbl.Children {
			if child.Type() == "stco" {
				stbl.Children[i] = &mp4.Co64Box{ChunkOffset: chunkOffsets}
			}
		}
		return trak
	}
	for _, o := range chunkOffsets {
		stbl.Stco.ChunkOffset = append(stbl.Stco.ChunkOffset, uint32(o))
	}
	return trak
}

func (p progressive) fillTables(t require.TestingT, stbl *mp4.StblBox) {
	for i, n := range p.chunks {
		if i == 0 || p.chunks[i-1] != n {
			require.NoError(t, stbl.Stsc.AddEntry(uint32(i+1), uint32(n), 1))
		}
	}
	stbl.Stsz.SampleNumber = uint32(len(p.samples))
	var counts []uint32
	var offsets []int32
	stss := &mp4.StssBox{}
	for i, s := range p.samples {
		if p.uniform {
			stbl.Stsz.SampleUniformSize = s.Size
		} else {
			stbl.Stsz.SampleSize = append(stbl.Stsz.SampleSize, s.Size)
		}
		stts := stbl.Stts
		if n := len(stts.SampleCount); n > 0 && stts.SampleTimeDelta[n-1] == s.Duration {
			stts.SampleCount[n-1]++
		} else {
			stts.SampleCount, stts.SampleTimeDelta = append(stts.SampleCount, 1), append(stts.SampleTimeDelta, s.Duration)
		}
		counts, offsets = append(counts, 1), append(offsets, int32(s.PTS))
		if s.Sync {
			stss.SampleNumber = append(stss.SampleNumber, uint32(i+1))
		}
	}
	if p.offsets {
		ctts := &mp4.CttsBox{Version: 1}
		require.NoError(t, ctts.AddSampleCountsAndOffset(counts, offsets))
		stbl.AddChild(ctts)
	}
	if p.syncs {
		stbl.AddChild(stss)
	}
}

func genProgressive(t *rapid.T) progressive {
	p := progressive{
		long: rapid.Bool().Draw(t, "co64"), uniform: rapid.Bool().Draw(t, "uniform"),
		offsets: rapid.Bool().Draw(t, "ctts"), syncs: rapid.Bool().Draw(t, "stss"),
		chunks: rapid.SliceOfN(rapid.IntRange(1, 4), 1, 12).Draw(t, "chunks"),
	}
	size := rapid.Uint32Range(1, 50)
	common := size.Draw(t, "size")
	for _, n := range p.chunks {
		p.gaps = append(p.gaps, rapid.IntRange(0, 20).Draw(t, "gap"))
		for range n {
			s := MediaSample{
				Duration: rapid.SampledFrom([]uint32{0, 120, 960, math.MaxUint32}).Draw(t, "duration"),
				Size:     common, Sync: !p.syncs || rapid.Bool().Draw(t, "sync"),
			}
			if !p.uniform {
				s.Size = size.Draw(t, "size")
			}
			if p.offsets {
				s.PTS = int64(rapid.Int32().Draw(t, "offset"))
			}
			p.samples = append(p.samples, s)
		}
	}
	return p
}

// Whatever the shape of the tables, the samples are those that went in.
func TestSampleTables(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := genProgressive(rt)
		shift := int64(0)
		if rapid.Bool().Draw(rt, "edit list") {
			wait := rapid.Uint64Range(0, 5000).Draw(rt, "wait")
			start := rapid.Int64Range(0, 1e6).Draw(rt, "start")
			p.edits = []mp4.ElstEntry{
				{SegmentDuration: wait, MediaTime: -1, MediaRateInteger: 1},
				{SegmentDuration: 77, MediaTime: start, MediaRateInteger: 1},
			}
			shift = int64(wait)*testTimescale/movieTimescale - start
		}
		b, places := p.encode(rt)
		f, err := Open(bytes.NewReader(b), int64(len(b)))
		require.NoError(rt, err)
		require.Len(rt, f.Tracks, 1)
		got := f.Tracks[0]
		require.Len(rt, got.Samples, len(p.samples))
		dts := shift
		for i, want := range p.samples {
			s := got.Samples[i]
			require.Equal(rt, MediaSample{
				DTS: dts, PTS: dts + want.PTS, Duration: want.Duration, Size: want.Size, Sync: want.Sync, offset: places[i],
			}, s)
			data, err := got.ReadSample(nil, i)
			require.NoError(rt, err)
			require.Equal(rt, bytes.Repeat([]byte{byte(i)}, int(want.Size)), data)
			dts += int64(want.Duration)
		}
	})
}

func TestEditLists(t *testing.T) {
	at := func(time int64) mp4.ElstEntry {
		return mp4.ElstEntry{SegmentDuration: 10, MediaTime: time, MediaRateInteger: 1}
	}
	wait := func(n uint64) mp4.ElstEntry {
		return mp4.ElstEntry{SegmentDuration: n, MediaTime: -1, MediaRateInteger: 1}
	}
	for name, c := range map[string]struct {
		edits []mp4.ElstEntry
		dts   int64
		want  error
	}{
		"none in the list":    {[]mp4.ElstEntry{}, 0, nil},
		"start":               {[]mp4.ElstEntry{at(312)}, -312, nil},
		"wait of 2 s":         {[]mp4.ElstEntry{wait(2000), at(0)}, 96000, nil},
		"two waits":           {[]mp4.ElstEntry{wait(1000), wait(500), at(0)}, 72000, nil},
		"waits for ever":      {[]mp4.ElstEntry{wait(math.MaxUint64), at(0)}, 0, ErrFormat},
		"waits for very long": {[]mp4.ElstEntry{wait(maxTime / 48), wait(maxTime / 48), at(0)}, 0, ErrFormat},
		"only a wait":         {[]mp4.ElstEntry{wait(10)}, 0, ErrUnsupported},
		"two pieces":          {[]mp4.ElstEntry{at(0), at(480)}, 0, ErrUnsupported},
		"before the media":    {[]mp4.ElstEntry{at(-2)}, 0, ErrUnsupported},
		"half speed":          {[]mp4.ElstEntry{{MediaTime: 0, MediaRateFraction: 0x4000}}, 0, ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			p := progressive{samples: []MediaSample{{Duration: 960, Size: 3, Sync: true}}, chunks: []int{1}, gaps: []int{0}, edits: c.edits}
			b, _ := p.encode(t)
			f, err := Open(bytes.NewReader(b), int64(len(b)))
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.dts, f.Tracks[0].Samples[0].DTS)
		})
	}
}

// A track without samples is a track without samples.
func TestEmptyTrack(t *testing.T) {
	b, _ := progressive{}.encode(t)
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Empty(t, f.Tracks[0].Samples)
}

func TestRescale(t *testing.T) {
	got, ok := rescale(1001, 48000, 1000)
	require.True(t, ok)
	require.Equal(t, int64(48048), got)
	for _, c := range []struct {
		v        uint64
		to, from uint32
	}{{1, 1, 0}, {math.MaxUint64, 2, 1}, {math.MaxUint64, 1, 1}, {maxTime + 1, 1, 1}} {
		_, ok := rescale(c.v, c.to, c.from)
		require.False(t, ok, "%+v", c)
	}
}
