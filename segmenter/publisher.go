package segmenter

// Kind is what a track carries.
type Kind uint8

// The kinds; a stream has at most one track of each.
const (
	Video Kind = iota
	Audio
)

func (k Kind) String() string {
	if k == Video {
		return "video"
	}
	return "audio"
}

// TrackConfig describes one negotiated track: H.264 at 90 kHz or Opus at 48 kHz.
type TrackConfig struct {
	Kind          Kind
	Channels      int      // Opus: 1 or 2, as the publisher declared it
	ParameterSets [][]byte // H.264: NAL units of sprop-parameter-sets (RFC 6184 8.1), may be nil

	// Feedback towards the publisher; both are called from the stream's goroutine and must not block. Nil: not possible.
	NACK func(sequence []uint16)
	PLI  func()
}

// PublisherConfig describes one WHIP session to the stream it feeds.
type PublisherConfig struct {
	Session   string // a name for logs and API; never the secret of the session URL
	UserAgent string
	Tracks    []TrackConfig
}
