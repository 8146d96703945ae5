package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// tags checks maps, dates and independence along one version. That DISCONTINUITY, MAP and PROGRAM-DATE-TIME stand
// before the first part of their segment, and sequence numbers before segments, is syntax: the parser refuses others.
func tags(f *findings, p *playlist.MediaPlaylist) {
	if len(p.Segments) > 0 && p.Segments[0].Map == nil && f.profile == Strict {
		f.add(MapTag, "no EXT-X-MAP before the first segment, %d", p.MediaSequence)
	}
	dated := dating{}
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		if s.Map != nil {
			f.saw(MapTag)
		}
		if p.IndependentSegments && len(s.Parts) > 0 {
			f.saw(IndependentSegments)
			// 4.4.2.1: every segment can be decoded by itself.
			if !s.Parts[0].Independent {
				f.add(IndependentSegments, "EXT-X-INDEPENDENT-SEGMENTS, but segment %d begins with a part that is not", msn)
			}
		}
		f.saw(DateTimeExact)
		if s.ProgramDateTime.IsZero() {
			f.add(DateTimeExact, "no EXT-X-PROGRAM-DATE-TIME on segment %d", msn)
		}
		dated.next(f, msn, s)
	}
	if p.PartInf.PartTarget > 0 && len(p.Segments) > 0 {
		f.saw(DateTime)
		if dated.last.IsZero() {
			f.add(DateTime, "no EXT-X-PROGRAM-DATE-TIME at all")
		}
	}
}

// dating follows the dates along a playlist.
type dating struct {
	last  time.Time     // the date before
	since time.Duration // media since then
}

// stepSlack is how far dates and durations may part from one segment to the next before a player that seeks by dates
// would be elsewhere.
const stepSlack = 250 * time.Millisecond

// next takes in a segment. Wall-clock time goes on from one date to the next as the media does where nothing is
// discontinuous, and it never goes back. Exactly is: but for slewing by at most 500 ppm and the rounding to milliseconds.
func (d *dating) next(f *findings, msn int64, s *playlist.Segment) {
	defer func() { d.since += length(s) }()
	at := s.ProgramDateTime
	if at.IsZero() {
		if s.Discontinuity {
			d.last = time.Time{} // what follows is of another time
		}
		return
	}
	before, since := d.last, d.since
	d.last, d.since = at, 0
	if before.IsZero() {
		return
	}
	step := at.Sub(before)
	f.saw(DateTimeOrder)
	if step < 0 {
		f.add(DateTimeOrder, "EXT-X-PROGRAM-DATE-TIME goes back by %v at segment %d", -step, msn)
		return
	}
	if s.Discontinuity {
		return
	}
	f.saw(DateTimeSteps)
	off := (step - since).Abs()
	if off > stepSlack {
		f.add(DateTimeSteps, "EXT-X-PROGRAM-DATE-TIME advances by %v over media of %v, at segment %d", step, since, msn)
	}
	if off > 3*time.Millisecond+since/2000 {
		f.add(DateTimeExact, "EXT-X-PROGRAM-DATE-TIME advances by %v over media of %v, at segment %d", step, since, msn)
	}
}

// ends checks the end of one version: what has to be there, and what may not.
func ends(f *findings, p *playlist.MediaPlaylist) {
	n := len(p.Segments)
	if p.EndList {
		f.saw(EndList)
		// 4.4.3.4: nothing will follow, so nothing can be open. That there is no hint is syntax.
		if n > 0 && p.Segments[n-1].Open() {
			f.add(EndList, "EXT-X-ENDLIST after an open segment, %d", p.MediaSequence+int64(n-1))
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
		f.add(Hint, "%d EXT-X-PRELOAD-HINT tags", len(p.PreloadHints))
	}
	// 4.4.4.9: parts more than three target durations from the end are to be removed; one segment is let pass.
	behind := time.Duration(0)
	for i := n - 1; i >= 0; i-- {
		s := &p.Segments[i]
		if len(s.Parts) > 0 {
			f.saw(PartLeaves)
		}
		if behind > 4*time.Duration(p.TargetDuration)*time.Second && len(s.Parts) > 0 {
			f.add(PartLeaves, "segment %d still has parts, %v from the end", p.MediaSequence+int64(i), behind)
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
