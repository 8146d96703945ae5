package signaling

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"whipsaw/segmenter"
)

// Server is a WHIP server: it lets publishers in and keeps their sessions until either side ends them.
type Server struct {
	cfg      Config
	registry *segmenter.Registry
	log      *slog.Logger
	factory  *factory
	auth     auth
	limiter  *limiter // of POSTs
	misses   *limiter // of requests for sessions that are not there
	counters *counters
	now      func() time.Time

	mu       sync.Mutex
	sessions map[string]*session  // by id
	taken    int                  // sessions, and POSTs on the way to one
	takenBy  map[netip.Prefix]int // of those, by the address that they came from
	tombs    tombstones
	closing  bool
	running  sync.WaitGroup // one for each session
}

// New opens the media port and returns a server that is ready for Routes. Errors are about the port, or wrap ErrConfig.
// The registry is the caller's and outlives the server; log may not be nil.
func New(cfg Config, reg *segmenter.Registry, log *slog.Logger) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	f, err := newFactory(cfg, newLibraryLog(log))
	if err != nil {
		return nil, err
	}
	return &Server{
		cfg: cfg, registry: reg, log: log, factory: f, auth: auth{cfg.Authorize}, now: time.Now,
		limiter: newLimiter(cfg.RateLimit, cfg.RateBurst), misses: newLimiter(missRate, missBurst), counters: newCounters(),
		sessions: map[string]*session{}, takenBy: map[netip.Prefix]int{},
		tombs: tombstones{life: cfg.TombstoneTime, tombs: map[string]tomb{}},
	}, nil
}

// MediaAddresses lists the UDP addresses on which media is received, in no certain order.
func (s *Server) MediaAddresses() []net.Addr { return s.factory.sockets.addresses() }

// Sessions is the number of sessions that have not ended.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Drain refuses new sessions with 503 from now on; those there are go on.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
}

// Close ends all sessions, so that their publishers see close_notify, and waits until nothing of them runs any more, or
// for ctx, whose error it then returns. New sessions are refused from its first moment. It may be called again.
func (s *Server) Close(ctx context.Context) error {
	s.Drain()
	s.mu.Lock()
	for _, n := range s.sessions {
		n.pub.Close(segmenter.ReasonShutdown)
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.running.Wait()
	}()
	var waitErr error
	select {
	case <-ended:
	case <-ctx.Done():
		waitErr = fmt.Errorf("signaling: sessions did not end in time: %w", ctx.Err())
	}
	if err := s.factory.close(); err != nil && waitErr == nil {
		return fmt.Errorf("signaling: close the media port: %w", err)
	}
	return waitErr
}

// reserve takes a place for a session that is about to be made for an address. A place that was taken is given back by
// release, or by the end of the session that start was called for.
func (s *Server) reserve(from netip.Prefix) *problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return probClosing.with("this server is closing; try again when it is back")
	case s.taken >= s.cfg.MaxSessions:
		return probFull.with("this server has as many sessions as it may")
	case s.cfg.MaxPerAddress > 0 && s.takenBy[from] >= s.cfg.MaxPerAddress:
		return probCrowded.with("as many sessions come from this address as may; end one first")
	}
	s.taken++
	s.takenBy[from]++
	s.running.Add(1)
	return nil
}

func (s *Server) release(from netip.Prefix) {
	s.mu.Lock()
	s.taken--
	if s.takenBy[from]--; s.takenBy[from] == 0 {
		delete(s.takenBy, from)
	}
	s.mu.Unlock()
	s.running.Done()
}

// start makes a session known and lets it run; its place was reserved before.
func (s *Server) start(n *session) {
	s.mu.Lock()
	s.sessions[n.id] = n
	if s.closing { // Close has been through the table already
		n.pub.Close(segmenter.ReasonShutdown)
	}
	s.mu.Unlock()
	go func() {
		n.run(s.cfg.ConnectTimeout, s.registry.Config().FirstMedia)
		s.counters.ended(n.pub.Reason())
		s.mu.Lock()
		delete(s.sessions, n.id)
		s.tombs.add(n.stream+"/"+n.id, n.pub, s.now())
		s.mu.Unlock()
		s.release(n.from)
		close(n.done)
	}()
}

// find returns the session of a URL, or the publisher of one that ended a short while ago, or neither.
func (s *Server) find(stream, id string) (n *session, gone *segmenter.Publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.sessions[id]; n != nil && n.stream == stream {
		return n, nil
	}
	return nil, s.tombs.find(stream+"/"+id, s.now())
}

// maxTombstones bounds the memory for ended sessions; the oldest go first.
const maxTombstones = 4096

// tombstones remembers which sessions ended lately, and whose they were.
type tombstones struct {
	life  time.Duration
	tombs map[string]tomb
	order []string // oldest first
}

type tomb struct {
	pub   *segmenter.Publisher
	until time.Time
}

func (t *tombstones) add(key string, pub *segmenter.Publisher, now time.Time) {
	t.expire(now)
	if len(t.order) >= maxTombstones {
		delete(t.tombs, t.order[0])
		t.order = t.order[1:]
	}
	t.tombs[key] = tomb{pub, now.Add(t.life)}
	t.order = append(t.order, key)
}

// find returns the publisher of a session that ended, or nil.
func (t *tombstones) find(key string, now time.Time) *segmenter.Publisher {
	t.expire(now)
	return t.tombs[key].pub
}

func (t *tombstones) expire(now time.Time) {
	for len(t.order) > 0 && !now.Before(t.tombs[t.order[0]].until) {
		delete(t.tombs, t.order[0])
		t.order = t.order[1:]
	}
}
