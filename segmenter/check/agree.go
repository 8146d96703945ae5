package check

import (
	"maps"
	"slices"
	"time"

	"whipsaw/segmenter/playlist"
)

// Agree checks two renditions of one stream against each other, by what has been seen of both: constants, sequence
// numbers, discontinuities and times. Players map one onto the other by these numbers. What it finds is counted with a.
func Agree(a, b *Checker) []Violation {
	f := a.open()
	if a.last == nil || b.last == nil {
		return nil
	}
	sameConstants(f, a.last, b.last)
	sameDiscontinuities(f, a, b)
	sameEnd(f, a.last, b.last)
	target := time.Duration(a.last.TargetDuration) * time.Second
	for _, msn := range slices.Sorted(maps.Keys(a.segments)) {
		if other := b.segments[msn]; other != nil {
			sameSegment(f, a.segments[msn], other, target)
		}
	}
	return f.list
}

// sameConstants: 6.2.4, 4.4.3.1 and 4.4.3.8 ask for the same in all media playlists.
func sameConstants(f *findings, a, b *playlist.MediaPlaylist) {
	f.saw(RenditionConstants)
	if a.TargetDuration != b.TargetDuration {
		f.add(RenditionConstants, "renditions have target durations %d and %d", a.TargetDuration, b.TargetDuration)
	}
	if a.ServerControl != b.ServerControl {
		f.add(RenditionConstants, "renditions have %+v and %+v", a.ServerControl, b.ServerControl)
	}
	if a.PartInf != b.PartInf {
		f.add(RenditionConstants, "renditions have PART-TARGET %v and %v", a.PartInf.PartTarget, b.PartInf.PartTarget)
	}
}

// sameEnd: 6.2.4: what is available of all renditions is the same; newer by two target durations is more than a moment.
func sameEnd(f *findings, a, b *playlist.MediaPlaylist) {
	one, okOne := endDate(a)
	other, okOther := endDate(b)
	if !okOne || !okOther || a.EndList || b.EndList {
		return
	}
	f.saw(RenditionTimes)
	if d := one.Sub(other); d.Abs() > 2*time.Duration(a.TargetDuration)*time.Second {
		f.add(RenditionTimes, "one rendition ends at %v, another at %v", one, other)
	}
}

// endDate is when the newest media of a playlist ends; false without a date.
func endDate(p *playlist.MediaPlaylist) (time.Time, bool) {
	var date time.Time
	for i := range p.Segments {
		if at := p.Segments[i].ProgramDateTime; !at.IsZero() {
			date = at
		}
		if !date.IsZero() {
			date = date.Add(length(&p.Segments[i]))
		}
	}
	return date, !date.IsZero()
}

// sameDiscontinuities: 6.2.4: the same content has the same discontinuity sequence number, so that where one rendition
// has a discontinuity the other has it too, at the same time.
func sameDiscontinuities(f *findings, a, b *Checker) {
	breaks, others := a.discontinuities(), b.discontinuities()
	target := time.Duration(a.last.TargetDuration) * time.Second
	for _, number := range slices.Sorted(maps.Keys(breaks)) {
		s, other := breaks[number], others[number]
		at := s.tag.ProgramDateTime
		f.saw(RenditionDiscontinuities)
		switch from, to, dated := b.dated(); {
		case other != nil:
			// Segments of two renditions begin as much apart as a segment lasts, at most.
			if d := at.Sub(other.tag.ProgramDateTime); dated && !at.IsZero() && d.Abs() > target {
				f.add(RenditionDiscontinuities, "discontinuity %d is at %v and at %v", number, at, other.tag.ProgramDateTime)
			}
		case dated && !at.IsZero() && at.Sub(from) > target && to.Sub(at) > target:
			f.add(RenditionDiscontinuities, "discontinuity %d, at segment %d and %v, is in one rendition alone", number, s.msn, at)
		}
	}
}

// discontinuities are the known segments that begin with EXT-X-DISCONTINUITY, by their discontinuity sequence number.
func (c *Checker) discontinuities() map[int64]*segment {
	list := map[int64]*segment{}
	for _, s := range c.segments {
		if s.tag.Discontinuity {
			list[s.number] = s
		}
	}
	return list
}

// dated is the time between the first and the last date that is known; false without two.
func (c *Checker) dated() (from, to time.Time, ok bool) {
	for _, s := range c.segments {
		at := s.tag.ProgramDateTime
		if at.IsZero() {
			continue
		}
		if from.IsZero() || at.Before(from) {
			from = at
		}
		if at.After(to) {
			to = at
		}
	}
	return from, to, from.Before(to)
}

func sameSegment(f *findings, a, b *segment, target time.Duration) {
	f.saw(RenditionNumbers)
	if a.number != b.number || a.tag.Discontinuity != b.tag.Discontinuity {
		f.add(RenditionNumbers, "segment %d has discontinuity numbers %d and %d, tags %t and %t",
			a.msn, a.number, b.number, a.tag.Discontinuity, b.tag.Discontinuity)
	}
	// Boundaries differ by as much as a cut becomes known late.
	if d := a.tag.ProgramDateTime.Sub(b.tag.ProgramDateTime); d.Abs() >= target {
		f.add(RenditionNumbers, "segment %d begins at %v and %v", a.msn, a.tag.ProgramDateTime, b.tag.ProgramDateTime)
	}
}
