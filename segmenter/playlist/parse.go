package playlist

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// ParseMedia reads a media playlist strictly: what breaks the draft is an error that names its line. Unknown tags and
// attributes are ignored (6.3.1); those that cannot be ignored without reading the media wrongly give ErrUnsupported.
// The result keeps a copy of b, not b.
func ParseMedia(b []byte) (MediaPlaylist, error) {
	m := mediaParser{seen: map[string]bool{}}
	if err := scan(b, m.line); err != nil {
		return MediaPlaylist{}, err
	}
	if err := m.finish(); err != nil {
		return MediaPlaylist{}, fmt.Errorf("at the end: %w", err)
	}
	return m.p, nil
}

// mediaParser collects the tags of the next segment until its URI comes.
type mediaParser struct {
	p       MediaPlaylist
	seen    map[string]bool // tags that may stand once in a playlist
	next    Segment
	tags    bool // next has a tag, or a part
	inf     bool // next has its EXTINF
	hasPart bool // any part anywhere
}

// mediaTags holds what each known tag does.
var mediaTags = map[string]func(m *mediaParser, name, value string) error{
	"#EXT-X-VERSION":                (*mediaParser).version,
	"#EXT-X-TARGETDURATION":         (*mediaParser).targetDuration,
	"#EXT-X-SERVER-CONTROL":         (*mediaParser).serverControl,
	"#EXT-X-PART-INF":               (*mediaParser).partInf,
	"#EXT-X-INDEPENDENT-SEGMENTS":   (*mediaParser).independentSegments,
	"#EXT-X-MEDIA-SEQUENCE":         (*mediaParser).mediaSequence,
	"#EXT-X-DISCONTINUITY-SEQUENCE": (*mediaParser).discontinuitySequence,
	"#EXT-X-SKIP":                   (*mediaParser).skip,
	"#EXT-X-ENDLIST":                (*mediaParser).endList,
	"#EXT-X-PRELOAD-HINT":           (*mediaParser).preloadHint,
	"#EXT-X-RENDITION-REPORT":       (*mediaParser).renditionReport,
	"#EXT-X-DISCONTINUITY":          (*mediaParser).discontinuity,
	"#EXT-X-MAP":                    (*mediaParser).mapTag,
	"#EXT-X-PROGRAM-DATE-TIME":      (*mediaParser).programDateTime,
	"#EXT-X-PART":                   (*mediaParser).part,
	"#EXT-X-GAP":                    (*mediaParser).gap,
	"#EXTINF":                       (*mediaParser).extinf,
}

func (m *mediaParser) line(name, value string) error {
	if name == "" {
		return m.uri(value)
	}
	if tag := mediaTags[name]; tag != nil {
		return tag(m, name, value)
	}
	switch {
	case unsupportedTags[name]:
		return unsupportedError(name)
	case multivariantTags[name] != nil, name == "#EXT-X-I-FRAME-STREAM-INF":
		// 4.4.6: never in one playlist with media tags.
		return syntaxError("%s in a media playlist", name)
	case name == "#EXTM3U":
		return syntaxError("%s stands twice", name)
	}
	return nil
}

func (m *mediaParser) uri(text string) error {
	// 4.4.4.1: EXTINF is required for every segment.
	if !m.inf {
		return syntaxError("a segment without EXTINF")
	}
	m.next.URI = text
	m.p.Segments = append(m.p.Segments, m.next)
	m.next, m.tags, m.inf = Segment{}, false, false
	return nil
}

func (m *mediaParser) finish() error {
	switch {
	case !m.seen["#EXT-X-TARGETDURATION"]:
		return syntaxError("no EXT-X-TARGETDURATION (4.4.3.1)")
	case m.inf:
		return syntaxError("EXTINF without a segment")
	case m.tags && len(m.next.Parts) == 0:
		return syntaxError("tags without a segment")
	case m.hasPart && m.p.PartInf.PartTarget == 0:
		return syntaxError("parts without EXT-X-PART-INF (4.4.3.7)")
	case m.p.EndList && len(m.p.PreloadHints) > 0:
		return syntaxError("EXT-X-PRELOAD-HINT with EXT-X-ENDLIST (4.4.5.3)")
	case m.p.MediaSequence > math.MaxInt64-maxLines-math.MaxInt32:
		return syntaxError("EXT-X-MEDIA-SEQUENCE leaves no room for segments")
	}
	if m.tags {
		m.p.Segments = append(m.p.Segments, m.next)
	}
	return nil
}

// once refuses a tag that has been seen.
func (m *mediaParser) once(name string) error {
	if m.seen[name] {
		return syntaxError("%s stands twice", name)
	}
	m.seen[name] = true
	return nil
}

// header refuses a tag that has been seen, and one that comes after segments have begun.
func (m *mediaParser) header(name string) error {
	if m.tags || len(m.p.Segments) > 0 {
		return syntaxError("%s after the first segment", name)
	}
	return m.once(name)
}

func (m *mediaParser) version(name, value string) (err error) {
	m.p.Version, err = parseVersion(name, value)
	return orElse(err, m.once, name)
}

func (m *mediaParser) targetDuration(name, value string) error {
	n, ok := parseNumber(value, maxSeconds)
	if !ok || n < 1 {
		return syntaxError("%s is not a whole number of seconds from 1", name)
	}
	m.p.TargetDuration = int(n)
	return m.once(name)
}

func (m *mediaParser) mediaSequence(name, value string) (err error) {
	m.p.MediaSequence, err = parseSequence(name, value)
	return orElse(err, m.header, name)
}

func (m *mediaParser) discontinuitySequence(name, value string) (err error) {
	m.p.DiscontinuitySequence, err = parseSequence(name, value)
	return orElse(err, m.header, name)
}

func (m *mediaParser) independentSegments(name, value string) error {
	return orElse(flag(name, value, &m.p.IndependentSegments), m.once, name)
}

func (m *mediaParser) endList(name, value string) error {
	return orElse(flag(name, value, &m.p.EndList), m.once, name)
}

func (m *mediaParser) serverControl(name, value string) error {
	a := parseAttributes(name, value)
	m.p.ServerControl = ServerControl{
		CanBlockReload: a.yes("CAN-BLOCK-RELOAD"),
		PartHoldBack:   a.seconds("PART-HOLD-BACK"),
		HoldBack:       a.seconds("HOLD-BACK"),
		CanSkipUntil:   a.seconds("CAN-SKIP-UNTIL"),
	}
	return orElse(a.err, m.once, name)
}

func (m *mediaParser) partInf(name, value string) error {
	a := parseAttributes(name, value)
	m.p.PartInf.PartTarget = a.seconds("PART-TARGET")
	if m.p.PartInf.PartTarget == 0 {
		a.fail("PART-TARGET is missing or 0")
	}
	return orElse(a.err, m.once, name)
}

func (m *mediaParser) skip(name, value string) error {
	a := parseAttributes(name, value)
	a.require("SKIPPED-SEGMENTS")
	m.p.Skip = &Skip{SkippedSegments: int(a.number("SKIPPED-SEGMENTS", math.MaxInt32))}
	return orElse(a.err, m.header, name)
}

func (m *mediaParser) preloadHint(name, value string) error {
	a := parseAttributes(name, value)
	a.require("TYPE", "URI")
	a.refuse("BYTERANGE-START", "BYTERANGE-LENGTH")
	hint := PreloadHint{Type: a.word("TYPE"), URI: a.quoted("URI")}
	// 6.3.8: hints of unknown types are ignored.
	if a.err == nil && (hint.Type == HintPart || hint.Type == HintMap) {
		m.p.PreloadHints = append(m.p.PreloadHints, hint)
	}
	return a.err
}

func (m *mediaParser) renditionReport(name, value string) error {
	a := parseAttributes(name, value)
	a.require("URI", "LAST-MSN")
	report := RenditionReport{URI: a.quoted("URI"), LastMSN: a.number("LAST-MSN", math.MaxInt64), LastPart: NoPart}
	if a.find("LAST-PART") != nil {
		report.LastPart = int(a.number("LAST-PART", math.MaxInt32))
	}
	m.p.RenditionReports = append(m.p.RenditionReports, report)
	return a.err
}

func parseSequence(name, value string) (int64, error) {
	n, ok := parseNumber(value, math.MaxInt64)
	if !ok {
		return 0, syntaxError("%s is not a number below 2^63", name)
	}
	return n, nil
}

func parseVersion(name, value string) (int, error) {
	n, ok := parseNumber(value, math.MaxInt32)
	if !ok || n < 1 {
		return 0, syntaxError("%s is not a number from 1", name)
	}
	return int(n), nil
}

func unsupportedError(what string) error { return fmt.Errorf("%w: %s", ErrUnsupported, what) }

// orElse is err, or else what check says.
func orElse(err error, check func(string) error, name string) error {
	if err != nil {
		return err
	}
	return check(name)
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05Z0700", s) // ISO 8601's other way to write a zone, which ffmpeg's muxer has
	}
	// RFC 3339 as time.Parse reads it also takes a comma for the point.
	if err != nil || strings.Contains(s, ",") {
		return time.Time{}, syntaxError("EXT-X-PROGRAM-DATE-TIME is not a date with time and zone")
	}
	return t.UTC().Truncate(time.Millisecond), nil
}
