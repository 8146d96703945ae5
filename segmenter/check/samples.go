package check

import (
	"fmt"

	"whipsaw/fmp4"
)

// place names a part or segment in a violation.
func place(at thing) string {
	if at.kind == isPart {
		return fmt.Sprintf("part %d of segment %d", at.index, at.msn)
	}
	return fmt.Sprintf("segment %d", at.msn)
}

// chunks checks the fragments of one part or segment as boxes.
func chunks(f *findings, place string, init *fmp4.Init, fragments []fmp4.Fragment) {
	for i := range fragments {
		if id := fragments[i].TrackID; id != init.TrackID {
			f.add(ruleCMAFChunk, "%s is of track %d, the init segment of %d", place, id, init.TrackID)
		}
		if i == 0 {
			continue
		}
		previous := &fragments[i-1]
		if end := previous.DecodeTime + previous.Duration(); fragments[i].DecodeTime != end {
			f.add(ruleDecodeTime, "%s: chunk %d begins at %d, the one before ends at %d", place, i, fragments[i].DecodeTime, end)
		}
		if int32(fragments[i].Sequence-previous.Sequence) <= 0 {
			f.add(ruleSequence, "%s: chunk %d has sequence number %d after %d", place, i, fragments[i].Sequence, previous.Sequence)
		}
	}
}

// Sample flags of CMAF as this project writes them.
const (
	flagsSync    = 0x02000000
	flagsNonSync = 0x01010000
)

// samples checks what each sample says of itself against its bytes.
func samples(f *findings, place string, init *fmp4.Init, fragments []fmp4.Fragment) {
	for i := range fragments {
		for n := range fragments[i].Samples {
			s := &fragments[i].Samples[n]
			here := fmt.Sprintf("%s, chunk %d, sample %d", place, i, n)
			if want := wantFlags(s.Sync); s.Flags != want {
				f.add(ruleSampleFlags, "%s: sample flags %08x, not %08x", here, s.Flags, want)
			}
			if init.Name == "Opus" {
				opusSample(f, here, s)
				continue
			}
			// 4.4.4.9: players start and switch at parts; an IDR within one makes a hole (hls.js).
			if s.Sync && n > 0 {
				f.add(rulePart, "%s: a sync sample that does not begin a part", here)
			}
			h264Sample(f, here, s)
		}
	}
}

func wantFlags(sync bool) uint32 {
	if sync {
		return flagsSync
	}
	return flagsNonSync
}

func opusSample(f *findings, here string, s *fmp4.FragmentSample) {
	// Opus in ISOBMFF 4.3.6.1: every sample is a sync sample; decoding order is presentation order.
	if !s.Sync || s.Offset != 0 {
		f.add(ruleOpus, "%s: sync %t, composition offset %d", here, s.Sync, s.Offset)
	}
}

// NAL unit types (H.264 table 7-1).
const (
	nalIDR       = 5
	nalSPS       = 7
	nalPPS       = 8
	nalDelimiter = 9
)

func h264Sample(f *findings, here string, s *fmp4.FragmentSample) {
	nals, err := fmp4.NALUs(s.Data)
	if err != nil {
		f.add(ruleAVC, "%s: %v", here, err)
		return
	}
	idr := false
	for _, nal := range nals {
		switch kind := nal[0] & 31; kind {
		case nalIDR:
			idr = true
		case nalSPS, nalPPS, nalDelimiter:
			// 14496-15 5.4.2.1.1: with avc1 the parameter sets are in the sample entry alone; delimiters are no use.
			f.add(ruleAVC, "%s: NAL unit of type %d", here, kind)
		}
	}
	if idr != s.Sync {
		f.add(ruleSampleFlags, "%s: sync is %t, IDR is %t", here, s.Sync, idr)
	}
}
