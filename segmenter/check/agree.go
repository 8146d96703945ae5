package check

import (
	"maps"
	"slices"
	"time"

	"whipsaw/segmenter/playlist"
)

// Agree checks two renditions of one stream against each other, by what has been seen of both: constants, sequence
// numbers, discontinuities and times. Players map one onto the other by these numbers.
func Agree(a, b *Checker) []Violation {
	var f findings
	if a.last == nil || b.last == nil {
		return f
	}
	sameConstants(&f, a.last, b.last)
	for _, msn := range slices.Sorted(maps.Keys(a.segments)) {
		if other := b.segments[msn]; other != nil {
			sameSegment(&f, a.segments[msn], other, time.Duration(a.last.TargetDuration)*time.Second)
		}
	}
	return a.report(f)
}

// sameConstants: 4.4.3.1 and 4.4.3.8 ask for the same in all media playlists.
func sameConstants(f *findings, a, b *playlist.MediaPlaylist) {
	if a.TargetDuration != b.TargetDuration {
		f.add(ruleTarget, "renditions have target durations %d and %d", a.TargetDuration, b.TargetDuration)
	}
	if a.ServerControl != b.ServerControl {
		f.add(ruleServerControl, "renditions have %+v and %+v", a.ServerControl, b.ServerControl)
	}
	if a.PartInf != b.PartInf {
		f.add(rulePartInf, "renditions have PART-TARGET %v and %v", a.PartInf.PartTarget, b.PartInf.PartTarget)
	}
}

func sameSegment(f *findings, a, b *segment, target time.Duration) {
	// 6.2.4: the same content has the same discontinuity sequence number.
	if a.number != b.number || a.tag.Discontinuity != b.tag.Discontinuity {
		f.add(ruleRenditions, "segment %d has discontinuity numbers %d and %d, tags %t and %t",
			a.msn, a.number, b.number, a.tag.Discontinuity, b.tag.Discontinuity)
	}
	// 6.2.4: and the same time. Boundaries differ by as much as a cut becomes known late.
	if d := a.tag.ProgramDateTime.Sub(b.tag.ProgramDateTime); d.Abs() >= target {
		f.add(ruleRenditions, "segment %d begins at %v and %v", a.msn, a.tag.ProgramDateTime, b.tag.ProgramDateTime)
	}
}

// Reports checks the rendition reports of one rendition's newest version against what others have: others maps the URI
// that a report has to bear to the other rendition. It is to be called when the newest versions of all were fetched
// right after one another.
func Reports(c *Checker, others map[string]*Checker) []Violation {
	var f findings
	if c.last == nil || c.last.EndList {
		return f
	}
	seen := map[string]bool{}
	for _, r := range c.last.RenditionReports {
		if seen[r.URI] {
			f.add(ruleReport, "two reports of %q", r.URI)
		}
		seen[r.URI] = true
		if other := others[r.URI]; other != nil && other.last != nil {
			reportTruth(&f, r, other.last)
		}
	}
	// 4.4.5.4: one for every other rendition, as soon as that has more than its very first part.
	for _, uri := range slices.Sorted(maps.Keys(others)) {
		if !seen[uri] && others[uri].begun() {
			f.add(ruleReport, "no EXT-X-RENDITION-REPORT of %q", uri)
		}
	}
	return c.report(f)
}

func (c *Checker) begun() bool {
	if c.last == nil || len(c.last.Segments) == 0 {
		return false
	}
	return len(c.last.Segments) > 1 || len(c.last.Segments[0].Parts) > 1
}

// reportSlack is how many parts a report may be off: it is true within one when it is written, and the two playlists
// were not fetched at one instant.
const reportSlack = 2

func reportTruth(f *findings, r playlist.RenditionReport, other *playlist.MediaPlaylist) {
	reported, ok := position(other, r.LastMSN, r.LastPart)
	last := len(other.Segments) - 1
	msn, part := other.MediaSequence+int64(last), -1
	if last >= 0 {
		part = len(other.Segments[last].Parts) - 1
	}
	newest, _ := position(other, msn, part)
	if off := reported - newest; !ok || off > reportSlack || off < -reportSlack {
		f.add(ruleReport, "%q is reported at segment %d part %d, its playlist is at segment %d part %d", r.URI, r.LastMSN, r.LastPart, msn, part)
	}
}

// position counts the parts of a playlist up to one that LAST-MSN and LAST-PART name (4.4.5.4), which may be in the
// segment to come; false if there is no such segment. Without LAST-PART it is where the segment begins.
func position(p *playlist.MediaPlaylist, msn int64, part int) (int, bool) {
	i := msn - p.MediaSequence
	if i < 0 || i > int64(len(p.Segments)) {
		return 0, false
	}
	at := part
	for _, s := range p.Segments[:i] {
		at += len(s.Parts)
	}
	return at, true
}
