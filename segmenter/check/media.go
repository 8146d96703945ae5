package check

import (
	"slices"
	"time"

	"whipsaw/fmp4"
)

// media is what is known of the bytes of a part or segment.
type media struct {
	have          bool
	start, end    uint64 // decode time of its first sample, and where the next begins, in ticks
	firstSequence uint32
	lastSequence  uint32
	timescale     uint32
	size          int
	bytes         []byte // until a segment has been compared with its parts
}

// duration turns ticks into time.
func (m *media) duration() time.Duration {
	ticks := m.end - m.start
	scale := uint64(m.timescale)
	return time.Duration(ticks/scale)*time.Second + time.Duration(ticks%scale*uint64(time.Second)/scale)
}

// takeMedia checks the bytes of a part or a segment by themselves, against their tag and against their neighbours.
func (c *Checker) takeMedia(f *findings, s *segment, at thing, init *fmp4.Init, data []byte) {
	place := place(at)
	fragments, err := fmp4.ParseParts(data)
	if err == nil && len(fragments) == 0 {
		f.add(ruleCMAFChunk, "%s is empty", place)
		return
	}
	if err != nil {
		f.add(ruleCMAFChunk, "%s: %v", place, err)
		return
	}
	chunks(f, place, init, fragments)
	samples(f, place, init, fragments)
	last := &fragments[len(fragments)-1]
	m := media{
		have: true, start: fragments[0].DecodeTime, end: last.DecodeTime + last.Duration(),
		firstSequence: fragments[0].Sequence, lastSequence: last.Sequence, timescale: init.Timescale, size: len(data), bytes: data,
	}
	if at.kind == isPart {
		tag := s.tag.Parts[at.index]
		partTruth(f, place, tag.Independent, tag.Duration, &m, fragments)
		s.parts[at.index] = m
	} else {
		// 4.4.4.1: EXTINF is the length of the media.
		if (m.duration() - s.tag.Duration).Abs() > rounding(len(s.tag.Parts)) {
			f.add(ruleExtInf, "%s has %v of media, EXTINF is %v", place, m.duration(), s.tag.Duration)
		}
		s.whole = m
		c.measure(s.msn)
	}
	c.neighbours(f, s, at)
	concatenation(f, s)
}

func partTruth(f *findings, place string, independent bool, duration time.Duration, m *media, fragments []fmp4.Fragment) {
	if (m.duration() - duration).Abs() > rounding(0) {
		f.add(rulePart, "%s has %v of media, DURATION is %v", place, m.duration(), duration)
	}
	// 4.4.4.9: INDEPENDENT=YES on a part that begins with an IDR, and only there.
	if sync := fragments[0].Samples[0].Sync; sync != independent {
		f.add(rulePart, "%s: INDEPENDENT is %t, its first sample is sync: %t", place, independent, sync)
	}
}

// neighbours checks that decode times go on without hole or overlap from part to part and segment to segment, epochs
// included, and that sequence numbers grow.
func (c *Checker) neighbours(f *findings, s *segment, at thing) {
	before, after := c.segments[s.msn-1], c.segments[s.msn+1]
	if at.kind == isSegment {
		if before != nil {
			contiguous(f, at, before.end(), s.whole)
		}
		if after != nil {
			contiguous(f, thing{isSegment, s.msn + 1, 0}, s.whole, after.begin())
		}
		return
	}
	part := s.parts[at.index]
	switch {
	case at.index > 0:
		contiguous(f, at, s.parts[at.index-1], part)
	case before != nil:
		contiguous(f, at, before.end(), part)
	}
	switch {
	case at.index < len(s.parts)-1:
		contiguous(f, thing{isPart, s.msn, at.index + 1}, part, s.parts[at.index+1])
	case after != nil && s.allParts:
		contiguous(f, thing{isPart, s.msn + 1, 0}, part, after.begin())
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

func contiguous(f *findings, at thing, previous, next media) {
	if !previous.have || !next.have {
		return
	}
	if previous.timescale != next.timescale {
		f.add(ruleDecodeTime, "%s: time scale %d after %d", place(at), next.timescale, previous.timescale)
		return
	}
	// 8.8.12: tfdt is the sum of all durations before.
	if previous.end != next.start {
		f.add(ruleDecodeTime, "%s begins at %d, what is before ends at %d", place(at), next.start, previous.end)
	}
	// 8.8.5: sequence numbers grow with the order of the fragments; 32 bits wrap.
	if int32(next.firstSequence-previous.lastSequence) <= 0 {
		f.add(ruleSequence, "%s has sequence number %d after %d", place(at), next.firstSequence, previous.lastSequence)
	}
}

// concatenation compares a segment with its parts once all are known, and lets their bytes go. Of a segment that left
// the low-latency part of the playlist before its last parts were listed only the beginning can be compared.
func concatenation(f *findings, s *segment) {
	missing := func(m media) bool { return !m.have }
	if !s.whole.have || s.whole.bytes == nil || len(s.parts) == 0 || s.tag.Open() || slices.ContainsFunc(s.parts, missing) {
		return
	}
	rest, same := s.whole.bytes, true
	for i := range s.parts {
		n := len(s.parts[i].bytes)
		// 4.4.4.9: a segment is its parts, one after another.
		if n > len(rest) || !slices.Equal(rest[:n], s.parts[i].bytes) {
			f.add(rulePart, "segment %d is not its parts: they differ in part %d", s.msn, i)
			same = false
			break
		}
		rest = rest[n:]
	}
	if same && s.allParts && len(rest) > 0 {
		f.add(rulePart, "segment %d is not its parts: %d bytes are left", s.msn, len(rest))
	}
	s.whole.bytes = nil
	for i := range s.parts {
		s.parts[i].bytes = nil
	}
}
