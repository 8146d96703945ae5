package check

import (
	"hash/maphash"
	"slices"

	"whipsaw/fmp4"
)

// neighbours checks that decode times go on without hole or overlap from part to part and segment to segment, and that
// sequence numbers grow.
func (c *Checker) neighbours(f *findings, s *segment, at thing) {
	before, after := c.segments[s.msn-1], c.segments[s.msn+1]
	if at.kind == isSegment {
		if before != nil {
			contiguous(f, at, before.end(), s.whole, before.number == s.number)
		}
		if after != nil {
			contiguous(f, thing{isSegment, s.msn + 1, 0}, s.whole, after.begin(), after.number == s.number)
		}
		return
	}
	part := s.parts[at.index]
	switch {
	case at.index > 0:
		contiguous(f, at, s.parts[at.index-1], part, true)
	case before != nil:
		contiguous(f, at, before.end(), part, before.number == s.number)
	}
	switch {
	case at.index < len(s.parts)-1:
		contiguous(f, thing{isPart, s.msn, at.index + 1}, part, s.parts[at.index+1], true)
	case after != nil && s.allParts:
		contiguous(f, thing{isPart, s.msn + 1, 0}, part, after.begin(), after.number == s.number)
	}
}

// begin is the media that a closed or open segment begins with, as far as it is known.
func (s *segment) begin() media {
	if s.whole.have || len(s.parts) == 0 {
		return s.whole
	}
	return s.parts[0]
}

// end is the media that a closed segment ends with, as far as it is known.
func (s *segment) end() media {
	if s.whole.have || !s.allParts {
		return s.whole
	}
	return s.parts[len(s.parts)-1]
}

// contiguous checks what follows; same says that nothing is discontinuous in between.
func contiguous(f *findings, at thing, previous, next media, same bool) {
	if !previous.have || !next.have {
		return
	}
	for i := range next.tracks {
		if before := previous.run(next.tracks[i].track); before != nil {
			follows(f, place(at), before, &next.tracks[i], same)
		}
	}
	// 8.8.5: sequence numbers grow with the order of the fragments; 32 bits wrap.
	if !same && f.profile == General {
		return
	}
	f.saw(SequenceNumber)
	if int32(next.firstSequence-previous.lastSequence) <= 0 {
		f.add(SequenceNumber, "%s has sequence number %d after %d", place(at), next.firstSequence, previous.lastSequence)
	}
}

func follows(f *findings, place string, previous, next *run, same bool) {
	if previous.timescale != next.timescale {
		f.saw(DecodeTimeExact)
		f.add(DecodeTimeExact, "%s: time scale %d after %d", place, next.timescale, previous.timescale)
		return
	}
	sameTime(f, place, previous, next.start, same)
}

// sameTime: 8.8.12: tfdt is the sum of all durations before. What is off by less than a frame no player notices.
func sameTime(f *findings, place string, previous *run, start uint64, same bool) {
	f.saw(DecodeTimeExact)
	if previous.end != start {
		f.add(DecodeTimeExact, "%s begins at %d, what is before ends at %d", place, start, previous.end)
	}
	if !same {
		return
	}
	f.saw(DecodeTime)
	off := max(previous.end, start) - min(previous.end, start)
	if off >= max(previous.last, uint64(previous.timescale)/500) {
		f.add(DecodeTime, "%s begins at %d, what is before ends at %d", place, start, previous.end)
	}
}

// seed makes marks that nobody can foresee.
var seed = maphash.MakeSeed()

// mark stands for a sample with its time.
func mark(at uint64, s *fmp4.FragmentSample) uint64 {
	type head struct {
		at     uint64
		sample fmp4.Sample
	}
	return maphash.Comparable(seed, head{at, s.Sample}) ^ maphash.Bytes(seed, s.Data)
}

// concatenation compares a segment with its parts once all are known, and lets their bytes go. Of a segment that left
// the low-latency part of the playlist before its last parts were listed only the beginning can be compared.
func concatenation(f *findings, s *segment) {
	missing := func(m media) bool { return !m.have }
	if s.compared || !s.whole.have || len(s.parts) == 0 || s.tag.Open() || slices.ContainsFunc(s.parts, missing) {
		return
	}
	s.compared = true
	f.saw(PartSamples)
	sameSamples(f, s)
	if f.profile == Strict {
		f.saw(PartBytes)
		sameBytes(f, s)
	}
	s.whole.drop()
	for i := range s.parts {
		s.parts[i].drop()
	}
}

// drop lets go what only a comparison needs.
func (m *media) drop() {
	m.bytes = nil
	for i := range m.tracks {
		m.tracks[i].marks = nil
	}
}

// sameSamples: 4.4.4.9: a segment is its parts.
func sameSamples(f *findings, s *segment) {
	for i := range s.whole.tracks {
		rest := s.whole.tracks[i].marks
		for j := range s.parts {
			r := s.parts[j].run(s.whole.tracks[i].track)
			if r == nil {
				continue
			}
			if n := len(r.marks); n > len(rest) || !slices.Equal(rest[:n], r.marks) {
				f.add(PartSamples, "segment %d does not have the samples of its part %d", s.msn, j)
				return
			}
			rest = rest[len(r.marks):]
		}
		if s.allParts && len(rest) > 0 {
			f.add(PartSamples, "segment %d has %s that are in no part", s.msn, plural(len(rest), "sample"))
			return
		}
	}
}

// sameBytes compares a segment with its parts byte by byte.
func sameBytes(f *findings, s *segment) {
	rest := s.whole.bytes
	for i := range s.parts {
		n := len(s.parts[i].bytes)
		if n > len(rest) || !slices.Equal(rest[:n], s.parts[i].bytes) {
			f.add(PartBytes, "segment %d is not its parts: they differ in part %d", s.msn, i)
			return
		}
		rest = rest[n:]
	}
	if s.allParts && len(rest) > 0 {
		f.add(PartBytes, "segment %d is not its parts: %d bytes are left", s.msn, len(rest))
	}
}
