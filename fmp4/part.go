package fmp4

import (
	"fmt"
	"math"
	"sync"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Sample describes one access unit of a part.
type Sample struct {
	Duration uint32 // ticks until the next sample's decode time; not 0
	Offset   int32  // presentation time minus decode time, in ticks
	Size     uint32 // bytes; not 0
	Sync     bool   // an IDR, or audio
}

// Sample flags (ISO/IEC 14496-12 8.8.3.1).
const (
	syncFlags    = 0x02000000 // depends on no other
	nonSyncFlags = 0x01010000 // depends on others, is no sync sample
)

// maxFragment keeps sizes and the data offset, a signed 32-bit number, in range.
const maxFragment = math.MaxInt32

// Part makes one CMAF chunk, moof and mdat, in one allocation of exactly its size. The sequence number should grow
// from part to part; decodeTime is that of the first sample; payload is the samples' bytes one after another and is
// copied. Errors wrap ErrSamples.
//
// Video samples are AVCC: NAL units with 4-byte lengths, without parameter sets (ISO/IEC 14496-15 5.3.2, 5.4.2).
func Part(sequence uint32, decodeTime uint64, samples []Sample, payload []byte) ([]byte, error) {
	if err := checkSamples(samples, len(payload)); err != nil {
		return nil, err
	}
	h := headers.Get().(*header)
	defer headers.Put(h)
	if err := h.encode(sequence, decodeTime, samples, len(payload)); err != nil {
		return nil, err
	}
	// Appending to a full slice allocates without clearing what is about to be written over.
	part := append(h.buf[:len(h.buf):len(h.buf)], payload...)
	return part[:len(part):len(part)], nil
}

func checkSamples(samples []Sample, payload int) error {
	if len(samples) == 0 {
		return fmt.Errorf("%w: none", ErrSamples)
	}
	var total uint64
	for i, s := range samples {
		if s.Size == 0 || s.Duration == 0 {
			return fmt.Errorf("%w: sample %d has size %d and duration %d", ErrSamples, i, s.Size, s.Duration)
		}
		total += uint64(s.Size)
	}
	if total != uint64(payload) {
		return fmt.Errorf("%w: sizes add up to %d, payload is %d", ErrSamples, total, payload)
	}
	// Eight bytes of mdat header, at most 16 bytes of moof a sample and less than 256 besides.
	if total+16*uint64(len(samples))+256 > maxFragment {
		return fmt.Errorf("%w: %d bytes do not fit into one part", ErrSamples, total)
	}
	return nil
}

// header is the box tree of a moof together with the bytes it is encoded into, used again and again: a part then costs
// one allocation, its own.
type header struct {
	moof mp4.MoofBox
	mfhd mp4.MfhdBox
	traf mp4.TrafBox
	tfhd mp4.TfhdBox
	tfdt mp4.TfdtBox
	trun mp4.TrunBox

	buf []byte
	w   bits.FixedSliceWriter
}

var headers = sync.Pool{New: func() any { return newHeader() }}

func newHeader() *header {
	h := &header{}
	h.traf = mp4.TrafBox{
		Tfhd: &h.tfhd, Tfdt: &h.tfdt, Trun: &h.trun, Truns: []*mp4.TrunBox{&h.trun},
		Children: []mp4.Box{&h.tfhd, &h.tfdt, &h.trun},
	}
	h.moof = mp4.MoofBox{
		Mfhd: &h.mfhd, Traf: &h.traf, Trafs: []*mp4.TrafBox{&h.traf},
		Children: []mp4.Box{&h.mfhd, &h.traf},
	}
	return h
}

// encode puts moof and the header of mdat into h.buf.
func (h *header) encode(sequence uint32, decodeTime uint64, samples []Sample, payload int) error {
	h.mfhd.SequenceNumber = sequence
	// ISO/IEC 23000-19 7.3.2.3: data is found from the moof on, never from the start of a file.
	h.tfhd = mp4.TfhdBox{Flags: mp4.TfhdDefaultBaseIsMoofFlag, TrackID: trackID}
	h.tfdt.SetBaseMediaDecodeTime(decodeTime)
	h.tfdt.Version = 1 // 64 bits always, so that nothing changes when a stream gets old
	h.fillRun(samples)
	// What all samples share goes once into tfhd: for audio half of the overhead.
	if err := h.traf.OptimizeTfhdTrun(); err != nil {
		return fmt.Errorf("%w: %w", ErrSamples, err)
	}
	const mdatHeader = 8
	size := int(h.moof.Size())
	h.trun.DataOffset = int32(size + mdatHeader)

	if cap(h.buf) < size+mdatHeader {
		h.buf = make([]byte, size+mdatHeader)
	}
	h.buf = h.buf[:size+mdatHeader]
	h.w = *bits.NewFixedSliceWriterFromSlice(h.buf)
	if err := h.moof.EncodeSW(&h.w); err != nil {
		return fmt.Errorf("%w: %w", ErrSamples, err)
	}
	h.w.WriteUint32(uint32(mdatHeader + payload))
	h.w.WriteString("mdat", false)
	if h.w.AccError() != nil || h.w.Len() != len(h.buf) {
		return fmt.Errorf("%w: header of %d bytes took %d", ErrSamples, len(h.buf), h.w.Len())
	}
	return nil
}

func (h *header) fillRun(samples []Sample) {
	h.trun = mp4.TrunBox{
		Flags: mp4.TrunDataOffsetPresentFlag | mp4.TrunSampleDurationPresentFlag |
			mp4.TrunSampleSizePresentFlag | mp4.TrunSampleFlagsPresentFlag,
		Samples: h.trun.Samples[:0],
	}
	for _, s := range samples {
		flags := uint32(nonSyncFlags)
		if s.Sync {
			flags = syncFlags
		}
		if s.Offset != 0 {
			// ISO/IEC 14496-12 8.8.8: offsets are signed from version 1 on.
			h.trun.Version = 1
			h.trun.Flags |= mp4.TrunSampleCompositionTimeOffsetPresentFlag
		}
		h.trun.Samples = append(h.trun.Samples, mp4.Sample{Flags: flags, Dur: s.Duration, Size: s.Size, CompositionTimeOffset: s.Offset})
	}
}
