package playlist

import (
	"fmt"
	"math"
	"time"
)

// ParseMultivariant reads a multivariant playlist as strictly as ParseMedia reads a media playlist.
func ParseMultivariant(b []byte) (MultivariantPlaylist, error) {
	m := multivariantParser{seen: map[string]bool{}}
	if err := scan(b, m.line); err != nil {
		return MultivariantPlaylist{}, err
	}
	if m.variant != nil {
		return MultivariantPlaylist{}, fmt.Errorf("at the end: %w", syntaxError("EXT-X-STREAM-INF without a URI"))
	}
	return m.p, nil
}

type multivariantParser struct {
	p       MultivariantPlaylist
	seen    map[string]bool // tags that may stand once
	variant *StreamInf      // waits for its URI
}

// sharedTags may stand in either kind of playlist; they are not what tells the kinds apart.
var sharedTags = map[string]func(m *multivariantParser, name, value string) error{
	"#EXT-X-VERSION":              (*multivariantParser).version,
	"#EXT-X-INDEPENDENT-SEGMENTS": (*multivariantParser).independentSegments,
	"#EXT-X-START":                (*multivariantParser).start,
}

var multivariantTags = map[string]func(m *multivariantParser, name, value string) error{
	"#EXT-X-MEDIA":      (*multivariantParser).media,
	"#EXT-X-STREAM-INF": (*multivariantParser).streamInf,
}

func (m *multivariantParser) line(name, value string) error {
	if m.variant != nil {
		return m.uri(name, value)
	}
	if tag := multivariantTags[name]; tag != nil {
		return tag(m, name, value)
	}
	if tag := sharedTags[name]; tag != nil {
		if m.seen[name] {
			return syntaxError("%s stands twice", name)
		}
		m.seen[name] = true
		return tag(m, name, value)
	}
	switch {
	case name == "":
		return syntaxError("a URI without EXT-X-STREAM-INF")
	case unsupportedTags[name]:
		return unsupportedError(name)
	case mediaTagNames[name]:
		// 4.4.6: never in one playlist with multivariant tags.
		return syntaxError("%s in a multivariant playlist", name)
	case name == "#EXTM3U":
		return syntaxError("%s stands twice", name)
	}
	return nil
}

// mediaTagNames are the tags that make a playlist a media playlist.
var mediaTagNames = map[string]bool{
	"#EXTINF": true, "#EXT-X-TARGETDURATION": true, "#EXT-X-MEDIA-SEQUENCE": true, "#EXT-X-DISCONTINUITY-SEQUENCE": true,
	"#EXT-X-ENDLIST": true, "#EXT-X-PLAYLIST-TYPE": true, "#EXT-X-PART-INF": true, "#EXT-X-SERVER-CONTROL": true,
	"#EXT-X-PART": true, "#EXT-X-MAP": true, "#EXT-X-DISCONTINUITY": true, "#EXT-X-PROGRAM-DATE-TIME": true, "#EXT-X-GAP": true,
	"#EXT-X-SKIP": true, "#EXT-X-PRELOAD-HINT": true, "#EXT-X-RENDITION-REPORT": true, "#EXT-X-DATERANGE": true,
}

// uri takes the line that must follow EXT-X-STREAM-INF (4.4.6.2).
func (m *multivariantParser) uri(name, value string) error {
	if name != "" {
		return syntaxError("%s between EXT-X-STREAM-INF and its URI", name)
	}
	m.variant.URI = value
	m.p.StreamInfs = append(m.p.StreamInfs, *m.variant)
	m.variant = nil
	return nil
}

func (m *multivariantParser) version(name, value string) (err error) {
	m.p.Version, err = parseVersion(name, value)
	return err
}

func (m *multivariantParser) independentSegments(name, value string) error {
	return flag(name, value, &m.p.IndependentSegments)
}

func (m *multivariantParser) start(name, value string) error {
	a := parseAttributes(name, value)
	a.require("TIME-OFFSET")
	a.yes("PRECISE")
	m.p.Start = a.signedSeconds("TIME-OFFSET").Round(time.Millisecond) // as it is written again
	return a.err
}

func (m *multivariantParser) media(name, value string) error {
	a := parseAttributes(name, value)
	a.require("TYPE", "GROUP-ID", "NAME")
	media := Media{
		Type: a.word("TYPE"), URI: a.quoted("URI"), GroupID: a.quoted("GROUP-ID"), Language: a.quoted("LANGUAGE"),
		AssocLanguage: a.quoted("ASSOC-LANGUAGE"), Name: a.quoted("NAME"), StableRenditionID: a.quoted("STABLE-RENDITION-ID"),
		Default: a.yes("DEFAULT"), Autoselect: a.yes("AUTOSELECT"), Forced: a.yes("FORCED"), InstreamID: a.quoted("INSTREAM-ID"),
		BitDepth: int(a.number("BIT-DEPTH", math.MaxInt32)), SampleRate: int(a.number("SAMPLE-RATE", math.MaxInt32)),
		Characteristics: a.quoted("CHARACTERISTICS"), Channels: a.quoted("CHANNELS"),
	}
	switch media.Type {
	case TypeAudio, TypeVideo, TypeSubtitles, TypeClosedCaptions:
	default:
		a.fail("TYPE is none of the four")
	}
	if media.Default && a.find("AUTOSELECT") != nil && !media.Autoselect {
		// 4.4.6.1: AUTOSELECT, if present, is YES where DEFAULT is.
		a.fail("DEFAULT=YES with AUTOSELECT=NO")
	}
	m.p.Media = append(m.p.Media, media)
	return a.err
}

func (m *multivariantParser) streamInf(name, value string) error {
	a := parseAttributes(name, value)
	a.require("BANDWIDTH")
	m.variant = &StreamInf{
		Bandwidth: int(a.number("BANDWIDTH", maxBandwidth)), AverageBandwidth: int(a.number("AVERAGE-BANDWIDTH", maxBandwidth)),
		Score: a.float("SCORE"), Codecs: a.quoted("CODECS"), SupplementalCodecs: a.quoted("SUPPLEMENTAL-CODECS"),
		Resolution: a.resolution("RESOLUTION"), FrameRate: a.float("FRAME-RATE"), HDCPLevel: a.word("HDCP-LEVEL"),
		AllowedCPC: a.quoted("ALLOWED-CPC"), VideoRange: a.word("VIDEO-RANGE"), ReqVideoLayout: a.quoted("REQ-VIDEO-LAYOUT"),
		StableVariantID: a.quoted("STABLE-VARIANT-ID"), Audio: a.quoted("AUDIO"), Video: a.quoted("VIDEO"),
		Subtitles: a.quoted("SUBTITLES"), ClosedCaptions: a.closedCaptions(), PathwayID: a.quoted("PATHWAY-ID"),
	}
	return a.err
}

// maxBandwidth is far above any and fits an int everywhere.
const maxBandwidth = math.MaxInt32

// closedCaptions is a group in quotes, or NONE without them (4.4.6.2).
func (a *attributes) closedCaptions() string {
	x := a.find("CLOSED-CAPTIONS")
	if x == nil {
		return ""
	}
	if x.quoted == (x.value == NoClosedCaptions) {
		a.fail("CLOSED-CAPTIONS is neither a group in quotes nor NONE")
	}
	return x.value
}
