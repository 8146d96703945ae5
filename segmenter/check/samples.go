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

// chunks checks that a part or segment is made as this project makes them, and reports whether it could be read so.
func chunks(f *findings, place string, init *header, data []byte) bool {
	f.saw(FragmentsHouse)
	fragments, err := fmp4.ParseParts(data)
	if err != nil {
		f.add(FragmentsHouse, "%s: %v", place, err)
		return false
	}
	for i := range fragments {
		if id := fragments[i].TrackID; id != init.track().ID {
			f.add(FragmentsHouse, "%s is of track %d, the init segment of %d", place, id, init.track().ID)
		}
	}
	return true
}

// Sample flags of CMAF as this project writes them.
const (
	flagsSync    = 0x02000000
	flagsNonSync = 0x01010000
)

// samples checks what each sample says of itself against its bytes.
func samples(f *findings, at thing, init *header, fragments []fmp4.MovieFragment) {
	place := place(at)
	for i := range fragments {
		for _, t := range fragments[i].Tracks {
			track := &init.movie.Tracks[t.Track]
			for n := range t.Samples {
				s := &t.Samples[n]
				f.saw(SampleFlagsExact)
				if want := wantFlags(s.Sync); s.Flags != want {
					f.add(SampleFlagsExact, "%s, chunk %d, sample %d: sample flags %08x, not %08x", place, i, n, s.Flags, want)
				}
				switch {
				case track.Handler == "soun":
					sound(f, place, i, n, track, s)
				case len(track.SPS) > 0:
					h264Sample(f, place, i, n, track, s)
					if at.kind == isPart {
						syncWithin(f, place, i, n, s)
					}
				}
			}
		}
	}
}

func wantFlags(sync bool) uint32 {
	if sync {
		return flagsSync
	}
	return flagsNonSync
}

func sound(f *findings, place string, chunk, n int, track *fmp4.MovieTrack, s *fmp4.FragmentSample) {
	f.saw(SampleFlags)
	if !s.Sync {
		f.add(SampleFlags, "%s, chunk %d, sample %d: sound that is no sync sample", place, chunk, n)
	}
	if track.Codec != "Opus" {
		return
	}
	f.saw(Opus)
	// Opus in ISOBMFF 4.3.6.1: every sample is a sync sample; decoding order is presentation order.
	if !s.Sync || s.Offset != 0 {
		f.add(Opus, "%s, chunk %d, sample %d: sync %t, composition offset %d", place, chunk, n, s.Sync, s.Offset)
	}
}

// syncWithin: 4.4.4.9: players start and switch at parts; an IDR within one makes a hole (hls.js).
func syncWithin(f *findings, place string, chunk, n int, s *fmp4.FragmentSample) {
	f.saw(SyncWithinPart)
	if s.Sync && (n > 0 || chunk > 0) {
		f.add(SyncWithinPart, "%s, chunk %d, sample %d: a sync sample that does not begin a part", place, chunk, n)
	}
}

// NAL unit types (H.264 table 7-1).
const (
	nalIDR       = 5
	nalSPS       = 7
	nalPPS       = 8
	nalDelimiter = 9
)

func h264Sample(f *findings, place string, chunk, n int, track *fmp4.MovieTrack, s *fmp4.FragmentSample) {
	f.saw(SampleFlags)
	f.saw(AVCSamples)
	nals, err := fmp4.NALUs(s.Data)
	if err != nil {
		f.add(Fragments, "%s, chunk %d, sample %d: %v", place, chunk, n, err)
		return
	}
	idr := false
	for _, nal := range nals {
		switch kind := nal[0] & 31; kind {
		case nalIDR:
			idr = true
		case nalSPS, nalPPS, nalDelimiter:
			// 14496-15 5.4.2.1.1: with avc1 the parameter sets are in the sample entry alone; delimiters are no use.
			if track.Format == "avc1" {
				f.add(AVCSamples, "%s, chunk %d, sample %d: NAL unit of type %d", place, chunk, n, kind)
			}
		}
	}
	if idr != s.Sync {
		f.add(SampleFlags, "%s, chunk %d, sample %d: sync is %t, IDR is %t", place, chunk, n, s.Sync, idr)
	}
}
