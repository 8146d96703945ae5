package segmenter

import (
	"slices"
	"sync/atomic"
	"time"
)

const (
	// lingers is how long a stream without publisher and generation stays known, for its last end to be read.
	lingers = time.Minute
	// maxEnded bounds the ended generations that a stream still serves.
	maxEnded = 4
	// statusEvery is how often Status is renewed while anything goes on.
	statusEvery = 500 * time.Millisecond
)

// Stream is a channel that publishers come to and go from. One goroutine owns its state; readers see what that one
// publishes. Its methods are safe for any goroutine.
type Stream struct {
	name    string
	inbox   inbox
	stopped chan struct{} // closed when the goroutine is gone
	gone    func(*Stream) // takes the stream off the registry

	current atomic.Pointer[Generation]    // the newest, ended or not
	ended   atomic.Pointer[[]*Generation] // those before that are still served
	status  atomic.Pointer[Status]

	channel channel
	closing bool
	expiry  map[*Generation]time.Duration // when an ended one is forgotten
	idle    time.Duration                 // since when there was nothing to do
	drawn   time.Duration                 // when Status was last renewed
	explain explainer
}

func newStream(name string, r *Registry) *Stream {
	s := &Stream{name: name, stopped: make(chan struct{}), gone: r.remove, expiry: map[*Generation]time.Duration{}}
	s.inbox.now = func() time.Duration { return r.cfg.Now().Sub(r.base) }
	s.inbox.wake = make(chan struct{}, 1)
	s.channel = channel{
		name: name, all: &r.cfg, cfg: r.cfg.of(name), log: r.log.With("stream", name), base: r.base, begun: s.begun,
		memory: holding{all: &r.kept}, drop: s.drop,
	}
	s.explain = newExplainer(r.log)
	s.idle = s.inbox.now()
	s.draw(s.idle)
	go s.run()
	return s
}

// Name is the stream's name in URLs.
func (s *Stream) Name() string { return s.name }

// Generation is the newest generation, which may have ended; nil before anything was published.
func (s *Stream) Generation() *Generation { return s.current.Load() }

// FindGeneration returns the generation with that ID while it is served, or nil.
func (s *Stream) FindGeneration(id string) *Generation {
	if g := s.current.Load(); g != nil && g.id == id {
		return g
	}
	if list := s.ended.Load(); list != nil {
		for _, g := range *list {
			if g.id == id {
				return g
			}
		}
	}
	return nil
}

// begun makes g the current generation. It runs on the stream's goroutine.
func (s *Stream) begun(g *Generation) {
	if old := s.current.Load(); old != nil {
		var list []*Generation
		if p := s.ended.Load(); p != nil {
			list = slices.Clone(*p)
		}
		list = append(list, old)
		if n := len(list) - maxEnded; n > 0 {
			list = list[n:]
		}
		s.ended.Store(&list)
	}
	s.current.Store(g)
}

// attach makes p the publisher; errors are ErrBusy, or ErrClosed when the stream ended meanwhile.
func (s *Stream) attach(p *Publisher) error {
	answer := make(chan error, 1)
	ok := s.inbox.put(entry{do: func(now time.Duration) { answer <- s.channel.attach(now, p) }})
	if !ok {
		return ErrClosed
	}
	return <-answer
}

func (s *Stream) detach(p *Publisher, reason Reason) {
	ok := s.inbox.put(entry{do: func(now time.Duration) {
		switch {
		case s.channel.pub == p:
			s.channel.detach(now, reason)
		case reason == ReasonDeleted:
			s.channel.goodbye(now, p)
		}
	}})
	if !ok {
		p.finish(reason)
	}
}

// stop ends the publisher, and the generation unless a successor of this process may continue it; the goroutine stops by itself afterwards.
func (s *Stream) stop() {
	s.inbox.put(entry{do: func(now time.Duration) {
		s.closing = true
		s.channel.detach(now, ReasonShutdown)
		if s.channel.w != nil {
			s.channel.now = now
			s.channel.leave()
		}
	}})
}

// run is the goroutine that owns the stream.
func (s *Stream) run() {
	defer close(s.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var list []entry
	var arena []byte
	for {
		select {
		case <-s.inbox.wake:
		case <-timer.C:
		}
		list, arena = s.inbox.take(list, arena)
		for i := range list {
			s.handle(&list[i], arena)
			s.channel.measure(s.inbox.now)
		}
		now := s.inbox.now()
		next, busy := s.channel.tick(now)
		if busy {
			s.idle = now
		}
		s.channel.measure(nil)
		s.explain.explain(&s.channel)
		s.forget(now)
		s.draw(now)
		if !busy {
			next = now + time.Second
			if (s.closing || now-s.idle >= lingers && len(s.expiry) == 0) && s.inbox.shutIfEmpty() {
				s.gone(s)
				return
			}
		}
		timer.Reset(max(next-now, 0))
	}
}

func (s *Stream) handle(e *entry, arena []byte) {
	switch {
	case e.do != nil:
		e.do(e.at)
	case e.report:
		s.channel.report(e.at, e.track, e.ntp, e.rtp)
	default:
		s.channel.packet(e.at, e.track, arena[e.from:e.from+e.length])
	}
}

// forget drops ended generations once no player can still want them: a window after their end.
func (s *Stream) forget(now time.Duration) {
	g := s.current.Load()
	if g == nil {
		return
	}
	if _, known := s.expiry[g]; !known && g.over() {
		s.expiry[g] = now + g.cfg.window() + 3*g.cfg.maxSegment()
	}
	for old, at := range s.expiry {
		if now >= at {
			s.dropOne(old)
		}
	}
	s.channel.past = s.past()
}

// dropOne forgets an ended generation.
func (s *Stream) dropOne(old *Generation) {
	delete(s.expiry, old)
	if old == s.current.Load() {
		s.current.Store(nil)
		return
	}
	if p := s.ended.Load(); p != nil {
		list := slices.DeleteFunc(slices.Clone(*p), func(o *Generation) bool { return o == old })
		s.ended.Store(&list)
	}
}

// drop forgets all ended generations but the newest, for lack of memory.
func (s *Stream) drop() {
	for old := range s.expiry {
		if old != s.current.Load() {
			s.dropOne(old)
		}
	}
	s.channel.past = s.past()
}

// past is how many bytes the ended generations keep that are still served.
func (s *Stream) past() int64 {
	n := int64(0)
	for old := range s.expiry {
		n += old.size
	}
	return n
}

// over reports whether the generation has ended.
func (g *Generation) over() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}
