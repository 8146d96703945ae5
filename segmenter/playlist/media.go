// Package playlist is the text of HTTP Live Streaming: playlists as structs, one struct a tag, written and read.
//
// It follows draft-pantos-hls-rfc8216bis-22 and knows what a low-latency live stream needs: no encryption, byte ranges,
// variables or I-frame playlists. Writing trusts its caller; reading trusts nobody.
package playlist

import "time"

// MediaPlaylist is one version of the playlist of one rendition. A struct that is its zero value stands for a tag that
// is absent. Durations are written to the microsecond.
type MediaPlaylist struct {
	Version               int // EXT-X-VERSION (4.4.1.2); 0: absent
	TargetDuration        int // EXT-X-TARGETDURATION (4.4.3.1), seconds
	ServerControl         ServerControl
	PartInf               PartInf
	IndependentSegments   bool  // EXT-X-INDEPENDENT-SEGMENTS (4.4.2.1)
	MediaSequence         int64 // EXT-X-MEDIA-SEQUENCE (4.4.3.2): number of the first segment, skipped ones included
	DiscontinuitySequence int64 // EXT-X-DISCONTINUITY-SEQUENCE (4.4.3.3)
	Skip                  *Skip
	Segments              []Segment // oldest first; the last may be open
	PreloadHints          []PreloadHint
	RenditionReports      []RenditionReport
	EndList               bool // EXT-X-ENDLIST (4.4.3.4)
}

// ServerControl is EXT-X-SERVER-CONTROL (4.4.3.8). A zero duration is an absent attribute.
type ServerControl struct {
	CanBlockReload bool
	PartHoldBack   time.Duration
	HoldBack       time.Duration
	CanSkipUntil   time.Duration
}

// PartInf is EXT-X-PART-INF (4.4.3.7).
type PartInf struct {
	PartTarget time.Duration
}

// Skip is EXT-X-SKIP (4.4.5.2): it stands for the first SkippedSegments segments of the playlist.
type Skip struct {
	SkippedSegments int
}

// Segment is a media segment with the tags that stand before it. An empty URI makes it the open segment: only its parts
// are there yet, neither Duration nor an EXTINF; only the last segment of a playlist may be open, and only with parts.
type Segment struct {
	URI             string
	Duration        time.Duration // EXTINF (4.4.4.1)
	Discontinuity   bool          // EXT-X-DISCONTINUITY (4.4.4.3)
	Gap             bool          // EXT-X-GAP (4.4.4.7)
	Map             *Map          // where the tag stands; nil: the map of the segment before goes on
	ProgramDateTime time.Time     // EXT-X-PROGRAM-DATE-TIME (4.4.4.6), written in UTC and cut to milliseconds; zero: absent
	Parts           []Part
}

// Open reports whether more parts may follow.
func (s *Segment) Open() bool { return s.URI == "" }

// length is EXTINF, or what the parts of an open segment come to.
func (s *Segment) length() time.Duration {
	if !s.Open() {
		return s.Duration
	}
	var d time.Duration
	for i := range s.Parts {
		d += s.Parts[i].Duration
	}
	return d
}

// Map is EXT-X-MAP (4.4.4.5): the init segment from here on.
type Map struct {
	URI string
}

// Part is EXT-X-PART (4.4.4.9).
type Part struct {
	URI         string
	Duration    time.Duration
	Independent bool
	Gap         bool
}

// The types of a PreloadHint.
const (
	HintPart = "PART"
	HintMap  = "MAP"
)

// PreloadHint is EXT-X-PRELOAD-HINT (4.4.5.3).
type PreloadHint struct {
	Type string // HintPart or HintMap
	URI  string
}

// NoPart as LastPart says that the rendition has no part: the attribute is absent.
const NoPart = -1

// RenditionReport is EXT-X-RENDITION-REPORT (4.4.5.4).
type RenditionReport struct {
	URI      string
	LastMSN  int64
	LastPart int // or NoPart
}
