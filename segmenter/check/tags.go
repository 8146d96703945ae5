package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// tags checks maps, dates and independence along one version. That DISCONTINUITY, MAP and PROGRAM-DATE-TIME stand
// before the first part of their segment, and sequence numbers before segments, is syntax: the parser refuses others.
func tags(f *findings, p *playlist.MediaPlaylist) {
	if len(p.Segments) > 0 && p.Segments[0].Map == nil {
		f.add(ruleMap, "no EXT-X-MAP before the first segment, %d", p.MediaSequence)
	}
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		if s.ProgramDateTime.IsZero() {
			f.add(ruleDateTime, "no EXT-X-PROGRAM-DATE-TIME on segment %d", msn)
		}
		// 4.4.2.1: every segment can be decoded by itself.
		if p.IndependentSegments && len(s.Parts) > 0 && !s.Parts[0].Independent {
			f.add(ruleIndependent, "EXT-X-INDEPENDENT-SEGMENTS, but segment %d begins with a part that is not", msn)
		}
		if i > 0 {
			dates(f, msn, &p.Segments[i-1], s)
		}
	}
}

// dates checks that wall-clock time goes on from one segment to the next: exactly, but for slewing by at most 500 ppm
// and the rounding to milliseconds, where nothing is discontinuous; and never back.
func dates(f *findings, msn int64, previous, s *playlist.Segment) {
	if previous.ProgramDateTime.IsZero() || s.ProgramDateTime.IsZero() {
		return
	}
	step := s.ProgramDateTime.Sub(previous.ProgramDateTime)
	if step < 0 {
		f.add(ruleDateTime, "EXT-X-PROGRAM-DATE-TIME goes back by %v at segment %d", -step, msn)
		return
	}
	slack := 3*time.Millisecond + previous.Duration/2000
	if !s.Discontinuity && (step-previous.Duration).Abs() > slack {
		f.add(ruleDateTime, "EXT-X-PROGRAM-DATE-TIME advances by %v over a segment of %v, at %d", step, previous.Duration, msn)
	}
}

// ends checks the end of one version: what has to be there, and what may not.
func ends(f *findings, p *playlist.MediaPlaylist) {
	n := len(p.Segments)
	if p.EndList {
		// 4.4.3.4: nothing will follow, so nothing can be open. That there is no hint is syntax.
		if n > 0 && p.Segments[n-1].Open() {
			f.add(ruleEndList, "EXT-X-ENDLIST after an open segment, %d", p.MediaSequence+int64(n-1))
		}
		return
	}
	parts := 0
	for _, h := range p.PreloadHints {
		if h.Type == playlist.HintPart {
			parts++
		}
	}
	// 4.4.5.3: at most one hint of each type.
	if parts > 1 || len(p.PreloadHints)-parts > 1 {
		f.add(ruleHint, "%d EXT-X-PRELOAD-HINT tags", len(p.PreloadHints))
	}
	// 4.4.4.9: parts more than three target durations from the end are to be removed; one segment is let pass.
	behind := time.Duration(0)
	for i := n - 1; i >= 0; i-- {
		s := &p.Segments[i]
		if behind > 4*time.Duration(p.TargetDuration)*time.Second && len(s.Parts) > 0 {
			f.add(rulePart, "segment %d still has parts, %v from the end", p.MediaSequence+int64(i), behind)
		}
		behind += length(s)
	}
}

// length is EXTINF, or what the parts of an open segment come to.
func length(s *playlist.Segment) time.Duration {
	if s.Open() {
		return partSum(s.Parts)
	}
	return s.Duration
}
