package segmenter

import (
	"sync"
	"time"
)

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
	// The slice is borrowed for the call.
	NACK func(sequence []uint16)
	PLI  func()
}

// PublisherConfig describes one WHIP session to the stream it feeds.
type PublisherConfig struct {
	Session   string // a name for logs and API; never the secret of the session URL
	UserAgent string
	Origin    string // what the offer says of the program that wrote it: its o= and s= (RFC 8866 5.2, 5.3), "; " between them
	Tracks    []TrackConfig

	Connect    time.Duration // how long its connection may take to come up; FirstMedia counts from then at the latest
	NoTakeOver bool          // it does not replace a publisher that is there, however long that one has been silent
}

// Publisher is one session's hold on a stream. Its methods are safe for any goroutine.
type Publisher struct {
	stream    *Stream
	session   string
	userAgent string
	origin    string
	tracks    [2]*Track
	connect   time.Duration
	polite    bool // PublisherConfig.NoTakeOver
	once      sync.Once
	done      chan struct{}
	reason    Reason
}

// newPublisher checks the tracks: at least one, at most one of each kind.
func newPublisher(s *Stream, cfg PublisherConfig) (*Publisher, error) {
	p := &Publisher{
		stream: s, session: cfg.Session, userAgent: cfg.UserAgent, origin: cfg.Origin, connect: cfg.Connect, polite: cfg.NoTakeOver,
		done: make(chan struct{}),
	}
	for _, t := range cfg.Tracks {
		if t.Kind > Audio || p.tracks[t.Kind] != nil {
			return nil, ErrTracks
		}
		if t.Kind == Audio && t.Channels != 1 {
			t.Channels = 2
		}
		p.tracks[t.Kind] = &Track{pub: p, cfg: t}
	}
	if p.tracks == [2]*Track{} {
		return nil, ErrTracks
	}
	return p, nil
}

// Track is where packets of a kind go in; nil when no such track was negotiated.
func (p *Publisher) Track(k Kind) *Track { return p.tracks[k] }

// Stream is what the publisher feeds.
func (p *Publisher) Stream() *Stream { return p.stream }

// Close ends the publisher for that reason, unless it has ended already; the stream goes on. It does not wait. A publisher
// that was lost and is then closed with ReasonDeleted does not keep its viewers waiting for its return.
func (p *Publisher) Close(reason Reason) { p.stream.detach(p, reason) }

// Done is closed when the publisher has ended, by either side.
func (p *Publisher) Done() <-chan struct{} { return p.done }

// Reason is why it ended; valid once Done is closed.
func (p *Publisher) Reason() Reason { return p.reason }

// finish closes Done; the stream's goroutine calls it, and whoever finds the stream gone.
func (p *Publisher) finish(reason Reason) {
	p.once.Do(func() {
		p.reason = reason
		close(p.done)
	})
}
