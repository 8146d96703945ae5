package segmenter

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Registry holds the streams by name. Its methods are safe for any goroutine.
type Registry struct {
	cfg  Config
	log  *slog.Logger
	base time.Time
	kept memory

	mu      sync.RWMutex
	streams map[string]*Stream
	blocked map[string]time.Time // until when nobody may publish
	closed  bool
}

// NewRegistry returns an empty registry. cfg must be valid (Config.Validate).
func NewRegistry(cfg Config, log *slog.Logger) *Registry {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Registry{cfg: cfg, log: log, base: cfg.Now(), streams: map[string]*Stream{}}
}

// Config returns the settings that streams have which Config.Stream says nothing of.
func (r *Registry) Config() Config { return r.cfg }

// ValidName reports whether a stream may have this name: [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
func ValidName(name string) bool {
	if name == "" || len(name) > 64 || strings.IndexByte("._-", name[0]) >= 0 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// Lookup returns the stream of that name, or nil.
func (r *Registry) Lookup(name string) *Stream {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.streams[name]
}

// Streams returns all streams, sorted by name.
func (r *Registry) Streams() []*Stream {
	r.mu.RLock()
	list := slices.Collect(maps.Values(r.streams))
	r.mu.RUnlock()
	slices.SortFunc(list, func(a, b *Stream) int { return strings.Compare(a.name, b.name) })
	return list
}

// Publish gives a session hold of a stream, which begins to exist with its first publisher. A publisher already there
// is replaced if it has been silent for a second, a healthy one at most once in 30 s. Errors: ErrName, ErrTracks,
// ErrTooMany, ErrMemory, ErrClosed, ErrBusy, ErrBlocked.
func (r *Registry) Publish(name string, cfg PublisherConfig) (*Publisher, error) {
	if !ValidName(name) {
		return nil, ErrName
	}
	for {
		s, err := r.open(name)
		if err != nil {
			return nil, err
		}
		p, err := newPublisher(s, cfg)
		if err != nil {
			return nil, err
		}
		err = s.attach(p)
		if errors.Is(err, ErrClosed) {
			<-s.stopped // it ended just now; the next look makes another
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, blocked := r.Blocked(name); blocked { // a kick came in between
			p.Close(ReasonKicked)
			return nil, ErrBlocked
		}
		return p, nil
	}
}

// open returns the stream of that name, a new one if there is none.
func (r *Registry) open(name string) (*Stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	if r.cfg.Now().Before(r.blocked[name]) {
		return nil, ErrBlocked
	}
	if s := r.streams[name]; s != nil {
		return s, nil
	}
	if len(r.streams) >= r.cfg.MaxStreams {
		return nil, ErrTooMany
	}
	if r.kept.full(&r.cfg) {
		return nil, ErrMemory
	}
	s := newStream(name, r)
	r.streams[name] = s
	return s, nil
}

// remove forgets a stream that has stopped; not while the registry closes, since players still fetch the last parts.
func (r *Registry) remove(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && r.streams[s.name] == s {
		delete(r.streams, s.name)
	}
}

// Close ends all publishers and generations, releases all who wait for parts, and waits for the streams' goroutines. What
// they published can be read on.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	list := slices.Collect(maps.Values(r.streams))
	r.mu.Unlock()
	for _, s := range list {
		s.stop()
	}
	for _, s := range list {
		<-s.stopped
	}
}
