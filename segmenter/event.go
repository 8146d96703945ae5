package segmenter

import "time"

// EventKind says what happened to a stream, in a word that is the same everywhere.
type EventKind string

// The kinds of events, in the order in which a stream usually sees them.
const (
	EventPublishing EventKind = "publish-started" // a publisher came; nothing of it is shown yet
	EventLive       EventKind = "live"            // its first media begins a generation
	EventFrozen     EventKind = "frozen"          // pictures stopped, the last one stands in for them
	EventLeft       EventKind = "publish-ended"   // the publisher is gone; viewers may not have noticed
	EventResumed    EventKind = "resumed"         // a publisher's media goes on in the running generation
	EventEnded      EventKind = "ended"           // the generation has its end; the next publisher begins another
)

// Event is one thing that happened to a stream.
type Event struct {
	Kind       EventKind
	At         time.Time
	Stream     string
	Session    string // of the publisher; empty without one
	UserAgent  string // of the publisher, with EventPublishing
	Generation string // from EventLive on
	Reason     Reason // with EventLeft
}

// observe tells of an event whoever wants to know.
func (c *channel) observe(kind EventKind, p *Publisher, reason Reason) {
	if c.cfg.Observe == nil {
		return
	}
	e := Event{Kind: kind, At: c.wall(c.now), Stream: c.name, Reason: reason}
	if p != nil {
		e.Session = p.session
	}
	if kind == EventPublishing {
		e.UserAgent = p.userAgent
	}
	if c.w != nil {
		e.Generation = c.w.gen.id
	}
	c.cfg.Observe(e)
}
