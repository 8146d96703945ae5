// Package check holds the output of a low-latency HLS server against draft-pantos-hls-rfc8216bis-22, CMAF (ISO/IEC
// 23000-19) and what this project promises beyond them. It sees what a player sees, playlists and bytes, and shares no
// code with what makes them except the parsers.
//
// A Checker follows one rendition. Agree and Multivariant look across renditions, Delta compares a delta update with the
// full playlist. Violations are values, each reported once. Nothing here reads a clock or the network.
package check

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// Violation is one rule broken once.
type Violation struct {
	Rule   string // the document and its section: "rfc8216bis 4.4.4.9"
	Detail string // what was seen, with numbers and names
}

func (v Violation) String() string { return v.Rule + ": " + v.Detail }

// findings collects violations.
type findings []Violation

func (f *findings) add(rule, format string, args ...any) {
	*f = append(*f, Violation{rule, fmt.Sprintf(format, args...)})
}

// Checker follows one rendition of one generation through successive versions of its media playlist. It is not safe for
// concurrent use. Its memory grows with the number of URIs ever seen, a hundred bytes each; media bytes are let go once
// they have been compared.
type Checker struct {
	first *playlist.MediaPlaylist // its constants hold for ever
	last  *playlist.MediaPlaylist // newest version, delta update applied
	grown time.Time               // when the newest segment or part was first seen

	segments map[int64]*segment
	names    map[string]thing
	digests  map[string][sha256.Size]byte
	inits    map[string]*fmp4.Init
	waiting  map[string][]byte // bytes whose meaning is not known yet
	peak     float64           // peak segment bit rate, bit/s
	reported map[Violation]bool

	brokenHints int
	owed        string // a hint that its own segment passed over
	owedAt      int64  // the segment that it has to begin
}

// New returns a Checker that has seen nothing yet.
func New() *Checker {
	return &Checker{
		segments: map[int64]*segment{}, names: map[string]thing{}, digests: map[string][sha256.Size]byte{},
		inits: map[string]*fmp4.Init{}, waiting: map[string][]byte{}, reported: map[Violation]bool{},
	}
}

// segment is what is known of one media sequence number: the union of what all versions said, and the bytes.
type segment struct {
	msn    int64
	number int64 // discontinuity sequence number
	mapURI string
	tag    playlist.Segment // with parts also after their tags have left the playlist
	parts  []media          // as many as tag.Parts
	whole  media

	allParts bool // tag.Parts is known to be all there will be
}

// Playlist takes a version of the media playlist as it was fetched at some time, full or as a delta update to the
// version given before. Versions come in the order in which the server made them; the same may come again.
func (c *Checker) Playlist(at time.Time, body []byte) []Violation {
	var f findings
	p, err := playlist.ParseMedia(body)
	if err != nil {
		f.add(ruleSyntax, "%v", err)
		return c.report(f)
	}
	if p.Skip != nil {
		full, ok := c.applyDelta(&f, &p)
		if !ok {
			return c.report(f)
		}
		p = full
	}
	c.version(&f, at, &p)
	return c.report(f)
}

// version runs every check that a whole playlist allows.
func (c *Checker) version(f *findings, at time.Time, p *playlist.MediaPlaylist) {
	if c.first == nil {
		c.first, c.grown = p, at
	}
	header(f, p)
	constants(f, c.first, p)
	durations(f, p)
	partDurations(f, p, c.audio())
	tags(f, p)
	ends(f, p)
	if c.last != nil {
		succession(f, c.last, p)
		c.hints(f, p)
		c.freshness(f, at, p)
	}
	c.merge(f, p)
	c.last = p
	c.resolve(f)
	c.forget(p.MediaSequence)
}

// Bytes takes what was served under a URI as the playlists name it: an init segment, a part or a segment. What has been
// fetched ahead of its listing, as a preload hint asks for, is checked when it gets listed.
func (c *Checker) Bytes(uri string, data []byte) []Violation {
	var f findings
	digest := sha256.Sum256(data)
	if old, ok := c.digests[uri]; ok {
		if old != digest {
			f.add(ruleImmutable, "%s: other bytes than before", uri)
		}
		return c.report(f)
	}
	c.digests[uri] = digest
	c.waiting[uri] = data
	c.resolve(&f)
	return c.report(f)
}

// Wanted lists the URIs that the newest version names, relative to the playlist, whose bytes have not been given: init
// segments, then the rest as listed. Hints and gaps are not among them.
func (c *Checker) Wanted() []string {
	if c.last == nil {
		return nil
	}
	var inits, uris []string
	want := func(list *[]string, uri string) {
		if _, ok := c.digests[uri]; !ok && uri != "" {
			*list = append(*list, uri)
		}
	}
	for _, s := range c.last.Segments {
		if s.Map != nil {
			want(&inits, s.Map.URI)
		}
		for _, part := range s.Parts {
			if !part.Gap {
				want(&uris, part.URI)
			}
		}
		if !s.Gap {
			want(&uris, s.URI)
		}
	}
	return append(slices.Compact(inits), uris...)
}

// Ended reports whether the newest version has EXT-X-ENDLIST.
func (c *Checker) Ended() bool { return c.last != nil && c.last.EndList }

// BrokenHints counts the preload hints whose part was not the next one. A source that cuts where it likes breaks some
// without fault; a steady one breaks none.
func (c *Checker) BrokenHints() int { return c.brokenHints }

// report keeps what has been reported from being reported again.
func (c *Checker) report(f findings) []Violation {
	return slices.DeleteFunc(f, func(v Violation) bool {
		old := c.reported[v]
		c.reported[v] = true
		return old
	})
}

// resolve checks the bytes whose place and init segment are known by now.
func (c *Checker) resolve(f *findings) {
	for _, uri := range c.waitingInOrder() {
		at, data := c.names[uri], c.waiting[uri]
		if at.kind == isInit {
			c.inits[uri] = initSegment(f, uri, data)
			delete(c.waiting, uri)
		}
	}
	for _, uri := range c.waitingInOrder() {
		at := c.names[uri]
		s := c.segments[at.msn]
		if s == nil {
			delete(c.waiting, uri) // too late: the segment is long gone
			continue
		}
		init, known := c.inits[s.mapURI]
		if !known {
			continue
		}
		data := c.waiting[uri]
		delete(c.waiting, uri)
		if init != nil {
			c.takeMedia(f, s, at, init, data)
		}
	}
}

// waitingInOrder lists what waits and has been named, oldest first.
func (c *Checker) waitingInOrder() []string {
	uris := slices.DeleteFunc(slices.Collect(maps.Keys(c.waiting)), func(uri string) bool {
		_, named := c.names[uri]
		return !named
	})
	slices.SortFunc(uris, func(a, b string) int { return c.names[a].compare(c.names[b]) })
	return uris
}

// forget lets segments go that left the playlist long ago.
func (c *Checker) forget(first int64) {
	maps.DeleteFunc(c.segments, func(msn int64, _ *segment) bool { return msn < first-8 })
}

// audio reports whether this is known to be an audio rendition.
func (c *Checker) audio() bool {
	for _, init := range c.inits {
		if init != nil && init.Name == "Opus" {
			return true
		}
	}
	return false
}
