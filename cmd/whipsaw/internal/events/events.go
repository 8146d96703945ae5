// Package events hands what happens to streams to whoever listens: webhooks, the API's event stream. A publisher of events
// never waits; a listener that does not keep up is dropped.
package events

import (
	"sync"
	"time"

	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/segmenter"
)

// Finding is the type of events that carry a finding; the others have the names of segmenter's.
const Finding = "finding"

// Types lists all types of events.
func Types() []string {
	return []string{
		string(segmenter.EventPublishing), string(segmenter.EventLive), string(segmenter.EventFrozen), string(segmenter.EventLeft),
		string(segmenter.EventResumed), string(segmenter.EventEnded), Finding,
	}
}

// Event is one thing that happened, as programs see it in JSON.
type Event struct {
	ID         uint64          `json:"id"` // counts up by one from the server's start
	Type       string          `json:"type"`
	At         time.Time       `json:"at"`
	Stream     string          `json:"stream"`
	Session    string          `json:"session,omitempty"`
	UserAgent  string          `json:"user_agent,omitempty"`
	Generation string          `json:"generation,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Finding    *doctor.Finding `json:"finding,omitempty"`
}

// FromStream makes an event of the core's.
func FromStream(e segmenter.Event) Event {
	return Event{
		Type: string(e.Kind), At: e.At.UTC(), Stream: e.Stream, Session: e.Session, UserAgent: e.UserAgent,
		Generation: e.Generation, Reason: string(e.Reason),
	}
}

// Hub hands events to its listeners. The zero value is ready; its methods are safe for any goroutine.
type Hub struct {
	mu        sync.Mutex
	last      uint64
	listeners map[*Listener]struct{}
	closed    bool
}

// Listener is one who listens. C is closed when it was dropped for being slow, or the hub has ended.
type Listener struct {
	C   <-chan Event
	c   chan Event
	hub *Hub
}

// Publish numbers an event, hands it on without waiting, and returns it with its number.
func (h *Hub) Publish(e Event) Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.ID = h.last
	for l := range h.listeners {
		select {
		case l.c <- e:
		default:
			h.drop(l)
		}
	}
	return e
}

// Listen begins to listen, with room for so many events that were not taken yet. It returns nil if there are as many
// listeners as most, or the hub has ended.
func (h *Hub) Listen(room, most int) *Listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.listeners) >= most {
		return nil
	}
	c := make(chan Event, room)
	l := &Listener{C: c, c: c, hub: h}
	if h.listeners == nil {
		h.listeners = map[*Listener]struct{}{}
	}
	h.listeners[l] = struct{}{}
	return l
}

// Close ends listening. It may be called again.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.drop(l)
}

// Close drops all listeners and lets no more in.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		h.drop(l)
	}
}

func (h *Hub) drop(l *Listener) {
	if _, there := h.listeners[l]; there {
		delete(h.listeners, l)
		close(l.c)
	}
}
