package check

import (
	"maps"
	"slices"

	"whipsaw/segmenter/playlist"
)

// Edge is where a media playlist ends: at a part of a segment, or with a whole segment, of which Part is then the last.
type Edge struct {
	MSN  int64
	Part int // -1 where the playlist has no parts
}

// Before reports whether a is further from the future than b.
func (a Edge) Before(b Edge) bool { return a.MSN < b.MSN || a.MSN == b.MSN && a.Part < b.Part }

// Edge is where the newest version ends; false if there is none, or nothing in it.
func (c *Checker) Edge() (Edge, bool) {
	if c.last == nil || len(c.last.Segments) == 0 {
		return Edge{}, false
	}
	n := len(c.last.Segments) - 1
	return Edge{c.last.MediaSequence + int64(n), len(c.last.Segments[n].Parts) - 1}, true
}

// Reports checks the rendition reports of one rendition's newest version against what others have: others maps the URI
// that a report has to bear to the other rendition. It is to be called when the newest versions of all were fetched
// right after one another.
func Reports(c *Checker, others map[string]*Checker) []Violation {
	list := Reported(c, others)
	if c.last == nil || c.last.EndList {
		return list
	}
	for _, r := range c.last.RenditionReports {
		other := others[r.URI]
		if other == nil {
			continue
		}
		if edge, ok := other.Edge(); ok {
			list = append(list, ReportBetween(c, r, other, edge, edge)...)
		}
	}
	return list
}

// Reported checks that the newest version has a report of every other rendition, each once.
func Reported(c *Checker, others map[string]*Checker) []Violation {
	f := c.open()
	if c.last == nil || c.last.EndList || c.last.PartInf.PartTarget == 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range c.last.RenditionReports {
		if seen[r.URI] {
			f.add(Report, "two reports of %q", r.URI)
		}
		seen[r.URI] = true
	}
	// 4.4.5.4: one for every other rendition, as soon as that has more than its very first part.
	for _, uri := range slices.Sorted(maps.Keys(others)) {
		if !others[uri].begun() {
			continue
		}
		f.saw(Report)
		if !seen[uri] {
			f.add(Report, "no EXT-X-RENDITION-REPORT of %q", uri)
		}
	}
	return f.list
}

func (c *Checker) begun() bool {
	if c.last == nil || len(c.last.Segments) == 0 {
		return false
	}
	return len(c.last.Segments) > 1 || len(c.last.Segments[0].Parts) > 1
}

// reportSlack is how many parts a report may be off: it is true within one when it is written, and one more may come
// while it is on its way.
const reportSlack = 2

// ReportBetween checks a report that stood in a version of c against where the playlist of the other rendition ended
// before that version can have been made, and after it has come: it is to lie between, give or take reportSlack parts.
// Of the other rendition the playlist is known up to where it ended last.
func ReportBetween(c *Checker, r playlist.RenditionReport, other *Checker, before, after Edge) []Violation {
	f := c.open()
	f.saw(ReportTrue)
	reported, ok := other.position(Edge{r.LastMSN, r.LastPart})
	low, okLow := other.position(before)
	high, okHigh := other.position(after)
	if !okLow || !okHigh {
		return nil // so long ago that it is forgotten
	}
	if !ok || reported < low-reportSlack || reported > high+reportSlack {
		f.add(ReportTrue, "%q is reported at segment %d part %d, its playlist is at segment %d part %d", r.URI, r.LastMSN, r.LastPart, after.MSN, after.Part)
	}
	return f.list
}

// position counts the parts of the known segments up to one that LAST-MSN and LAST-PART name (4.4.5.4), which may be in
// the segment to come; false if there is no such segment. Without LAST-PART it is where the segment begins.
func (c *Checker) position(e Edge) (int, bool) {
	if c.last == nil {
		return 0, false
	}
	i := e.MSN - c.last.MediaSequence
	if i < 0 || i > int64(len(c.last.Segments)) {
		return 0, false
	}
	at := e.Part
	for msn := c.last.MediaSequence; msn < e.MSN; msn++ {
		// A segment whose parts have never been seen counts as one.
		at += max(1, len(c.segments[msn].tag.Parts))
	}
	return at, true
}
