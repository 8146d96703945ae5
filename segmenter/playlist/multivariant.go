package playlist

import "time"

// MultivariantPlaylist lists the variants of a stream and their renditions.
type MultivariantPlaylist struct {
	Version             int // EXT-X-VERSION (4.4.1.2); 0: absent
	IndependentSegments bool
	Start               time.Duration // TIME-OFFSET of EXT-X-START (4.4.2.2), negative: from the end; 0: absent, or at the beginning
	Media               []Media
	StreamInfs          []StreamInf
}

// The types of a Media tag.
const (
	TypeAudio          = "AUDIO"
	TypeVideo          = "VIDEO"
	TypeSubtitles      = "SUBTITLES"
	TypeClosedCaptions = "CLOSED-CAPTIONS"
)

// Media is EXT-X-MEDIA (4.4.6.1): one rendition. Empty and zero fields are absent attributes.
type Media struct {
	Type              string // TypeAudio, ...
	URI               string
	GroupID           string
	Language          string // RFC 5646
	AssocLanguage     string
	Name              string
	StableRenditionID string
	Default           bool
	Autoselect        bool
	Forced            bool
	InstreamID        string
	BitDepth          int
	SampleRate        int
	Characteristics   string
	Channels          string // "2", "16/JOC"
}

// NoClosedCaptions as ClosedCaptions of every StreamInf says that no variant has any.
const NoClosedCaptions = "NONE"

// StreamInf is EXT-X-STREAM-INF (4.4.6.2) with the URI below it: one variant. Empty and zero fields are absent
// attributes.
type StreamInf struct {
	URI                string
	Bandwidth          int     // bit/s, peak of any segment; required
	AverageBandwidth   int     // bit/s
	Score              float64 // higher is better
	Codecs             string  // RFC 6381, of every rendition that may be played with this one
	SupplementalCodecs string
	Resolution         Resolution
	FrameRate          float64 // frames/s, written with three decimals
	HDCPLevel          string
	AllowedCPC         string
	VideoRange         string
	ReqVideoLayout     string
	StableVariantID    string
	Audio              string // GroupID of Media
	Video              string
	Subtitles          string
	ClosedCaptions     string // GroupID of Media, or NoClosedCaptions
	PathwayID          string
}

// Resolution is the size at which the pictures are to be shown.
type Resolution struct {
	Width, Height int
}
