// Package check holds the output of a low-latency HLS server against draft-pantos-hls-rfc8216bis-22, CMAF (ISO/IEC
// 23000-19) and what this project promises beyond them. It sees what a player sees, playlists and bytes, and shares no
// code with what makes them except the parsers.
//
// A Checker follows one rendition, an Index the multivariant playlist; Agree and Reports look across renditions. What is
// found are values, each reported once, and every rule has a row in a Tally. Nothing here reads a clock or the network.
package check

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// Checker follows one rendition of one generation through successive versions of its media playlist. It is not safe for
// concurrent use. Its memory grows with the number of URIs seen, a hundred bytes each, up to maxNames of them; media
// bytes are let go once they have been compared.
type Checker struct {
	ledger
	first *playlist.MediaPlaylist // its constants hold for ever
	last  *playlist.MediaPlaylist // newest version, delta update applied
	grown time.Time               // when the newest segment or part was first seen

	segments map[int64]*segment
	names    map[string]thing
	digests  map[string][sha256.Size]byte
	inits    map[string]*header
	waiting  map[string][]byte // bytes whose meaning is not known yet
	recent   []reading         // the newest of what has been parsed
	peak     float64           // peak segment bit rate, bit/s
	facts    Facts
	cannot   error // why the newest version could not be checked

	brokenHints int
	owed        string // a hint that its own segment passed over
	owedAt      int64  // the segment that it has to begin
}

// New returns a Checker of all rules that has seen nothing yet.
func New() *Checker { return NewFor(Strict) }

// NewFor returns a Checker of the rules of a profile.
func NewFor(p Profile) *Checker {
	return &Checker{
		ledger:   newLedger(p),
		segments: map[int64]*segment{}, names: map[string]thing{}, digests: map[string][sha256.Size]byte{},
		inits: map[string]*header{}, waiting: map[string][]byte{},
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

	allParts bool  // tag.Parts is known to be all there will be
	compared bool  // whole with parts
	lastSync int64 // decode time of the last sync sample up to the end of whole, in ticks; below 0: not known
}

// Playlist takes a version of the media playlist as it was fetched at some time, full or as a delta update to the
// version given before. Versions come in the order in which the server made them; the same may come again. A playlist
// that is legal but cannot be read on is no violation: see Cannot.
func (c *Checker) Playlist(at time.Time, body []byte) []Violation {
	f := c.open()
	f.saw(Syntax)
	p, err := c.parse(body)
	c.cannot = nil
	switch {
	case c.unsupported(err):
		c.cannot = err
		return nil
	case err != nil:
		f.add(Syntax, "%v", err)
		return f.list
	}
	if p.Skip != nil {
		full, ok := c.applyDelta(f, &p)
		if !ok {
			return f.list
		}
		p = full
	}
	c.version(f, at, &p)
	return f.list
}

// reading is a playlist as text and as what was read of it.
type reading struct {
	body []byte
	p    playlist.MediaPlaylist
}

// parse reads a playlist, once if the same comes again soon, as it does where versions are compared.
func (c *Checker) parse(body []byte) (playlist.MediaPlaylist, error) {
	for i := range c.recent {
		if bytes.Equal(c.recent[i].body, body) {
			return c.recent[i].p, nil
		}
	}
	p, err := playlist.ParseMedia(body)
	if err != nil {
		return p, err
	}
	const kept = 4
	if len(c.recent) == kept {
		c.recent = slices.Delete(c.recent, 0, 1)
	}
	c.recent = append(c.recent, reading{bytes.Clone(body), p})
	return p, nil
}

// Cannot says why the newest playlist, though it may be legal, could not be checked; nil if it was.
func (c *Checker) Cannot() error { return c.cannot }

// version runs every check that a whole playlist allows.
func (c *Checker) version(f *findings, at time.Time, p *playlist.MediaPlaylist) {
	if c.first == nil {
		c.first, c.grown = p, at
	}
	headers(f, p)
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
	c.observe(at, p)
	c.last = p
	c.resolve(f)
	c.forget(p.MediaSequence)
}

// Bytes takes what was served under a URI as the playlists name it: an init segment, a part or a segment. What has been
// fetched ahead of its listing, as a preload hint asks for, is checked when it gets listed.
func (c *Checker) Bytes(uri string, data []byte) []Violation {
	f := c.open()
	f.saw(OneContent)
	digest := sha256.Sum256(data)
	if old, ok := c.digests[uri]; ok {
		if old != digest {
			f.add(OneContent, "%s: other bytes than before", uri)
		}
		return f.list
	}
	c.digests[uri] = digest
	c.waiting[uri] = data
	c.resolve(f)
	return f.list
}

// Missing takes note that a URI of the playlist could not be fetched, and why.
func (c *Checker) Missing(uri, why string) []Violation {
	f := c.open()
	f.saw(Available)
	f.add(Available, "%s: %s", uri, why)
	c.digests[uri] = [sha256.Size]byte{}
	return f.list
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

// Newest returns the newest version, delta update applied; nil before any. It must not be changed.
func (c *Checker) Newest() *playlist.MediaPlaylist { return c.last }

// BrokenHints counts the preload hints whose part was not the next one. A source that cuts where it likes breaks some
// without fault; a steady one breaks none.
func (c *Checker) BrokenHints() int { return c.brokenHints }

// resolve checks the bytes whose place and init segment are known by now.
func (c *Checker) resolve(f *findings) {
	for _, uri := range c.waitingInOrder() {
		at, data := c.names[uri], c.waiting[uri]
		if at.kind == isInit {
			c.inits[uri] = readHeader(f, uri, data)
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
	c.forgetNames(first)
}

// audio reports whether this is known to be a rendition of sound alone.
func (c *Checker) audio() bool {
	for _, init := range c.inits {
		if init != nil {
			return init.movie.Tracks[init.lead].Handler == "soun"
		}
	}
	return false
}

// newestHeader is the init segment of the newest closed segment, nil if it is not known. A multivariant playlist need
// not know of a change before a segment of it is whole.
func (c *Checker) newestHeader() *header {
	if c.last == nil {
		return nil
	}
	uri := ""
	for i := range c.last.Segments {
		s := &c.last.Segments[i]
		if s.Map == nil {
			continue
		}
		if s.Open() && c.inits[s.Map.URI] != c.inits[uri] {
			return nil // it is just changing: either may be announced
		}
		uri = s.Map.URI
	}
	return c.inits[uri]
}

// leadTrack is the track that a rendition's length and beginnings are judged by: its first picture track, or else the
// first of all.
func leadTrack(m *fmp4.Movie) int {
	return max(0, slices.IndexFunc(m.Tracks, func(t fmp4.MovieTrack) bool { return t.Handler == "vide" }))
}

func plural(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
