package segmenter

import (
	"errors"
	"time"
)

// Errors of what an operator asks for.
var (
	ErrNoStream    = errors.New("segmenter: no such stream")
	ErrNoPublisher = errors.New("segmenter: the stream has no publisher")
	ErrBlocked     = errors.New("segmenter: the stream is blocked by its operator") // of Registry.Publish
)

// maxBlocked bounds the blocks that are remembered; Kick refuses more with ErrTooMany.
const maxBlocked = 10000

// Kick ends a stream's publisher with ReasonKicked and refuses every other for a time, ErrBlocked; its viewers see the
// filler as after any loss. It returns the session that ended. A stream without a publisher is blocked all the same, and
// the error is ErrNoPublisher; further errors are ErrName, ErrTooMany and ErrClosed.
func (r *Registry) Kick(name string, block time.Duration) (session string, err error) {
	if err := r.block(name, block); err != nil {
		return "", err
	}
	s := r.Lookup(name)
	if s == nil {
		return "", ErrNoPublisher
	}
	return s.order(func(c *channel, now time.Duration) {
		c.detach(now, ReasonKicked)
	})
}

// End ends a stream's generation, with EXT-X-ENDLIST, and its publisher with ReasonKicked, whose session it returns, if
// there was one. The next publisher begins a new generation. Errors: ErrNoStream, and ErrNoPublisher if there was nothing
// to end.
func (r *Registry) End(name string) (session string, err error) {
	s := r.Lookup(name)
	if s == nil {
		return "", ErrNoStream
	}
	running := false
	session, err = s.order(func(c *channel, now time.Duration) {
		c.detach(now, ReasonKicked)
		if running = c.w != nil; running {
			c.now = now
			c.endGeneration()
			c.phase = waiting
		}
	})
	if running && errors.Is(err, ErrNoPublisher) {
		err = nil
	}
	return session, err
}

// order does something on the stream's goroutine and waits for it. It returns the publisher's session before, or
// ErrNoPublisher, or ErrNoStream when the stream has just ended.
func (s *Stream) order(do func(c *channel, now time.Duration)) (session string, err error) {
	done := make(chan struct{})
	ok := s.inbox.put(entry{do: func(now time.Duration) {
		defer close(done)
		if p := s.channel.pub; p != nil {
			session = p.session
		} else {
			err = ErrNoPublisher
		}
		do(&s.channel, now)
	}})
	if !ok {
		return "", ErrNoStream
	}
	<-done
	return session, err
}

// block refuses publishers of a stream for a time; a time of 0 lets them in again.
func (r *Registry) block(name string, d time.Duration) error {
	if !ValidName(name) {
		return ErrName
	}
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	for n, until := range r.blocked {
		if !now.Before(until) {
			delete(r.blocked, n)
		}
	}
	switch {
	case d <= 0:
		delete(r.blocked, name)
	case r.blocked == nil:
		r.blocked = map[string]time.Time{name: now.Add(d)}
	case len(r.blocked) >= maxBlocked:
		return ErrTooMany
	default:
		r.blocked[name] = now.Add(d)
	}
	return nil
}

// Blocked tells until when publishers of a stream are refused; false if they are not.
func (r *Registry) Blocked(name string) (until time.Time, blocked bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	until = r.blocked[name]
	return until, r.cfg.Now().Before(until)
}
