package fmp4

import (
	"fmt"
	"math"

	"github.com/Eyevinn/mp4ff/mp4"
)

// indexSamples expands the sample tables of a progressive track (ISO/IEC 14496-12 8.6, 8.7). Every count is checked
// against the number of samples before anything is made for it.
func (t *fileTrack) indexSamples(fileSize int64) error {
	sizes, err := leafAt[*mp4.StszBox](t.header.stbl.body, "stsz")
	if err != nil {
		return err
	}
	if sizes.SampleNumber == 0 {
		return nil
	}
	if sizes.SampleNumber > maxSamples {
		return fmt.Errorf("%w: %d samples", ErrUnsupported, sizes.SampleNumber)
	}
	if err := t.placeSamples(sizes, fileSize); err != nil {
		return err
	}
	if err := t.timeSamples(); err != nil {
		return err
	}
	if err := t.offsetSamples(); err != nil {
		return err
	}
	return t.markSync()
}

// placeSamples makes the samples, with their sizes and places in the file: chunk by chunk (8.7.4, 8.7.5).
func (t *fileTrack) placeSamples(sizes *mp4.StszBox, fileSize int64) error {
	chunks, err := chunkOffsets(t.header.stbl)
	if err != nil {
		return err
	}
	table, err := leafAt[*mp4.StscBox](t.header.stbl.body, "stsc")
	if err != nil {
		return err
	}
	entries := table.Entries
	if len(entries) == 0 || entries[0].FirstChunk != 1 {
		return fmt.Errorf("%w: stsc does not begin with chunk 1", ErrFormat)
	}
	total := int(sizes.SampleNumber)
	for i, at := range chunks {
		if len(entries) > 1 && entries[1].FirstChunk == uint32(i+1) {
			entries = entries[1:]
		}
		for range entries[0].SamplesPerChunk {
			if len(t.samples) == total {
				return nil
			}
			size := sizes.SampleUniformSize
			if size == 0 {
				size = sizes.SampleSize[len(t.samples)]
			}
			if at > math.MaxInt64 {
				return fmt.Errorf("%w: chunk at %d", ErrFormat, at)
			}
			if err := t.add(MediaSample{Size: size, offset: int64(at)}, fileSize); err != nil {
				return err
			}
			at += uint64(size)
		}
	}
	if len(t.samples) != total {
		return fmt.Errorf("%w: chunks hold %d of %d samples", ErrFormat, len(t.samples), total)
	}
	return nil
}

// chunkOffsets returns the places of all chunks, from stco or co64.
func chunkOffsets(stbl box) ([]uint64, error) {
	found, ok, err := optional(stbl.body, "co64")
	if err != nil {
		return nil, err
	}
	if ok {
		long, err := leaf[*mp4.Co64Box](found)
		if err != nil {
			return nil, err
		}
		return long.ChunkOffset, nil
	}
	short, err := leafAt[*mp4.StcoBox](stbl.body, "stco")
	if err != nil {
		return nil, err
	}
	offsets := make([]uint64, len(short.ChunkOffset))
	for i, o := range short.ChunkOffset {
		offsets[i] = uint64(o)
	}
	return offsets, nil
}

// timeSamples fills in decode times and durations (8.6.1.2).
func (t *fileTrack) timeSamples() error {
	table, err := leafAt[*mp4.SttsBox](t.header.stbl.body, "stts")
	if err != nil {
		return err
	}
	next, dts := 0, int64(0)
	for i, count := range table.SampleCount {
		for range min(uint64(count), uint64(len(t.samples)-next)) {
			s := &t.samples[next]
			s.DTS, s.PTS, s.Duration = dts, dts, table.SampleTimeDelta[i]
			dts += int64(s.Duration)
			next++
		}
	}
	if next != len(t.samples) {
		return fmt.Errorf("%w: times for %d of %d samples", ErrFormat, next, len(t.samples))
	}
	t.nextDTS = dts
	return nil
}

// offsetSamples adds the composition offsets, if there are any (8.6.1.3). The library reads them as signed, which is
// what files of version 0 with negative offsets mean too.
func (t *fileTrack) offsetSamples() error {
	found, ok, err := optional(t.header.stbl.body, "ctts")
	if err != nil || !ok {
		return err
	}
	table, err := leaf[*mp4.CttsBox](found)
	if err != nil {
		return err
	}
	next := 0
	for i, offset := range table.SampleOffset {
		for range min(uint64(table.SampleCount(i)), uint64(len(t.samples)-next)) {
			t.samples[next].PTS += int64(offset)
			next++
		}
	}
	if next != len(t.samples) {
		return fmt.Errorf("%w: composition offsets for %d of %d samples", ErrFormat, next, len(t.samples))
	}
	return nil
}

// markSync marks the sync samples: all, if there is no table (8.6.2).
func (t *fileTrack) markSync() error {
	found, ok, err := optional(t.header.stbl.body, "stss")
	if err != nil {
		return err
	}
	if !ok {
		for i := range t.samples {
			t.samples[i].Sync = true
		}
		return nil
	}
	table, err := leaf[*mp4.StssBox](found)
	if err != nil {
		return err
	}
	for _, number := range table.SampleNumber {
		if number == 0 || uint64(number) > uint64(len(t.samples)) {
			return fmt.Errorf("%w: sync sample %d of %d", ErrFormat, number, len(t.samples))
		}
		t.samples[number-1].Sync = true
	}
	return nil
}
