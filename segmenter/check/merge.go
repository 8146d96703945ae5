package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// merge compares every segment of a version with what earlier versions said of it, and takes in what is new.
func (c *Checker) merge(f *findings, p *playlist.MediaPlaylist) {
	number, mapURI := p.DiscontinuitySequence, ""
	behind := totalLength(p)
	for i := range p.Segments {
		s := &p.Segments[i]
		msn := p.MediaSequence + int64(i)
		if s.Discontinuity {
			number++
		}
		if s.Map != nil {
			mapURI = s.Map.URI
		}
		behind -= length(s)
		known := c.segments[msn]
		if known == nil {
			known = &segment{msn: msn, number: number, mapURI: mapURI}
			known.update(s)
			c.segments[msn] = known
		} else {
			f.saw(Immutable)
			if known.number != number {
				f.add(DiscontinuitySequence, "segment %d had discontinuity sequence number %d, now %d", msn, known.number, number)
			}
			if known.mapURI != mapURI {
				f.add(MapTag, "segment %d had map %q, now %q", msn, known.mapURI, mapURI)
			}
			same(f, msn, &known.tag, s)
			keptParts(f, p, msn, &known.tag, s, behind)
			known.update(s)
		}
		c.name(f, known)
	}
}

func totalLength(p *playlist.MediaPlaylist) time.Duration {
	var d time.Duration
	for i := range p.Segments {
		d += length(&p.Segments[i])
	}
	return d
}

// same checks that a segment says what it said before (6.2.1: nothing but what the draft lists may change).
func same(f *findings, msn int64, was, is *playlist.Segment) {
	if was.Discontinuity != is.Discontinuity {
		f.add(Immutable, "segment %d: EXT-X-DISCONTINUITY was %t, is %t", msn, was.Discontinuity, is.Discontinuity)
	}
	// A date may stand on the first segment of the playlist alone, whichever that is.
	moved := was.ProgramDateTime.IsZero() || is.ProgramDateTime.IsZero()
	if !was.ProgramDateTime.Equal(is.ProgramDateTime) && (f.profile == Strict || !moved) {
		f.add(Immutable, "segment %d: EXT-X-PROGRAM-DATE-TIME was %v, is %v", msn, was.ProgramDateTime, is.ProgramDateTime)
	}
	if !was.Open() && (was.URI != is.URI || was.Duration != is.Duration || was.Gap != is.Gap) {
		f.add(Immutable, "segment %d was %q of %v, is %q of %v", msn, was.URI, was.Duration, is.URI, is.Duration)
	}
	if len(is.Parts) == 0 && !is.Open() {
		return
	}
	if len(is.Parts) < len(was.Parts) || !was.Open() && len(was.Parts) > 0 && len(is.Parts) != len(was.Parts) {
		f.add(Immutable, "segment %d had %d parts, now %d", msn, len(was.Parts), len(is.Parts))
	}
	for j := range min(len(was.Parts), len(is.Parts)) {
		if was.Parts[j] != is.Parts[j] {
			f.add(Immutable, "part %d of segment %d was %+v, is %+v", j, msn, was.Parts[j], is.Parts[j])
		}
	}
}

// keptParts checks that the parts of a segment stay listed near the end of the playlist.
func keptParts(f *findings, p *playlist.MediaPlaylist, msn int64, was, is *playlist.Segment, behind time.Duration) {
	// 4.4.4.9, 6.2.2: parts stay until they are three target durations from the end.
	f.saw(PartStays)
	near := behind < 3*time.Duration(p.TargetDuration)*time.Second-coarse(len(p.Segments))
	if near && len(is.Parts) == 0 && len(was.Parts) > 0 && !p.EndList {
		f.add(PartStays, "the parts of segment %d are gone, only %v from the end", msn, behind)
	}
}

// update takes over a newer state of a segment, and keeps parts that are no longer listed.
func (s *segment) update(is *playlist.Segment) {
	parts := s.tag.Parts
	if len(is.Parts) > len(parts) {
		parts = is.Parts
		s.parts = append(s.parts, make([]media, len(parts)-len(s.parts))...)
	}
	s.allParts = s.allParts || !is.Open() && len(is.Parts) > 0
	s.tag = *is
	s.tag.Parts = parts
}
