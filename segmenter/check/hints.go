package check

import "whipsaw/segmenter/playlist"

// hints checks the promises of the version before: what it hinted is what came next. Two may be broken without fault,
// since where a segment ends can come as a surprise: the part hinted in a segment that was cut will never be, and the
// one hinted in the next segment comes when that begins.
func (c *Checker) hints(f *findings, p *playlist.MediaPlaylist) {
	c.owedHint(f, p)
	last := c.last
	part, init := hintOf(last, playlist.HintPart), hintOf(last, playlist.HintMap)
	if part == "" || p.EndList {
		return
	}
	f.saw(Hint)
	next, ok := nextPart(last, p)
	if !ok {
		// 4.4.5.3: the hint stays until its part is there, unless nothing of the kind will come.
		if still := hintOf(p, playlist.HintPart); !grew(last, p) && still != "" && still != part {
			f.add(Hint, "the hint changed from %q to %q before its part came", part, still)
		}
		return
	}
	if next.uri != part {
		c.brokenHints++
		if next.index > 0 {
			c.owed, c.owedAt = part, next.msn+1
		}
		return
	}
	// A new map in front of the hinted part needs a hint of its own.
	if next.mapURI == "" || next.mapURI == mapAtEnd(last) {
		return
	}
	f.saw(HintMap)
	if next.mapURI != init {
		f.add(HintMap, "the hinted part %q came with map %q, hinted was %q", part, next.mapURI, init)
	}
}

// owedHint holds a hint that was passed over by its own segment to what is left of its promise: to be the first part
// of the next. A discontinuity voids it.
func (c *Checker) owedHint(f *findings, p *playlist.MediaPlaylist) {
	i := c.owedAt - p.MediaSequence
	if c.owed == "" || i < 0 || i >= int64(len(p.Segments)) {
		return
	}
	if s := &p.Segments[i]; len(s.Parts) > 0 && s.Parts[0].URI != c.owed && !s.Discontinuity {
		f.add(Hint, "hinted was %q, it came neither next nor as the first part of segment %d: that is %q", c.owed, c.owedAt, s.Parts[0].URI)
	}
	c.owed = ""
}

func hintOf(p *playlist.MediaPlaylist, kind string) string {
	for _, h := range p.PreloadHints {
		if h.Type == kind {
			return h.URI
		}
	}
	return ""
}

// mapAtEnd is the map in force behind the last segment.
func mapAtEnd(p *playlist.MediaPlaylist) string {
	uri := ""
	for _, s := range p.Segments {
		if s.Map != nil {
			uri = s.Map.URI
		}
	}
	return uri
}

// newPart is the first part behind the end of an earlier version.
type newPart struct {
	uri, mapURI string // mapURI only where the part's segment has the tag
	msn         int64
	index       int
}

// nextPart finds the first part in p that is not in last; false if there is none, or if it is not listed any more.
func nextPart(last, p *playlist.MediaPlaylist) (newPart, bool) {
	msn, index := last.MediaSequence+int64(len(last.Segments)), 0
	if n := len(last.Segments); n > 0 && last.Segments[n-1].Open() {
		msn, index = msn-1, len(last.Segments[n-1].Parts)
	}
	for ; ; msn, index = msn+1, 0 {
		i := msn - p.MediaSequence
		if i < 0 || i >= int64(len(p.Segments)) {
			return newPart{}, false
		}
		s := &p.Segments[i]
		if index < len(s.Parts) {
			found := newPart{uri: s.Parts[index].URI, msn: msn, index: index}
			if index == 0 && s.Map != nil {
				found.mapURI = s.Map.URI
			}
			return found, true
		}
		if len(s.Parts) == 0 {
			return newPart{}, false // its parts have left the playlist
		}
	}
}
