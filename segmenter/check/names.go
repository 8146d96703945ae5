package check

import (
	"cmp"
	"slices"
)

// The kinds of things that have a URI.
const (
	isInit = 1 + iota
	isPart
	isSegment
)

// thing is what a URI stands for: one for ever (6.2.1). An init segment is known by its bytes alone.
type thing struct {
	kind  int
	msn   int64
	index int // of a part
}

func (a thing) compare(b thing) int {
	return cmp.Or(cmp.Compare(a.msn, b.msn), cmp.Compare(a.kind, b.kind), cmp.Compare(a.index, b.index))
}

// name takes in the URIs of one segment.
func (c *Checker) name(f *findings, s *segment) {
	if s.mapURI != "" {
		c.nameOne(f, s.mapURI, thing{kind: isInit})
	}
	for j, part := range s.tag.Parts {
		if part.Gap {
			continue // nothing is behind the name
		}
		c.nameOne(f, part.URI, thing{isPart, s.msn, j})
	}
	if s.tag.URI != "" && !s.tag.Gap {
		c.nameOne(f, s.tag.URI, thing{isSegment, s.msn, 0})
	}
}

func (c *Checker) nameOne(f *findings, uri string, is thing) {
	f.saw(OneName)
	was, ok := c.names[uri]
	if ok && was != is {
		f.add(OneName, "%s is used again: for segment %d part %d, before for segment %d part %d", uri, is.msn, is.index, was.msn, was.index)
		return
	}
	c.names[uri] = is
}

// maxNames bounds the URIs that are remembered.
const maxNames = 1 << 18

// forgetNames lets the older half of the names go once there are too many.
func (c *Checker) forgetNames(first int64) {
	if len(c.names) <= maxNames {
		return
	}
	msns := make([]int64, 0, len(c.names))
	for _, is := range c.names {
		msns = append(msns, is.msn)
	}
	slices.Sort(msns)
	median := min(msns[len(msns)/2], first)
	for uri, is := range c.names {
		if is.kind != isInit && is.msn < median {
			delete(c.names, uri)
			delete(c.digests, uri)
		}
	}
}
