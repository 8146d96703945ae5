package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
)

const (
	keysFresh   = 10 * time.Minute // after which they are fetched anew, beside the request that noticed
	keysPause   = 10 * time.Second // between two fetches, however many tokens ask for keys that are not there
	keysTime    = 5 * time.Second  // for one fetch
	keysWait    = 2 * time.Second  // that a request waits for one
	maxKeysSize = 256 << 10        // bytes
	maxKeys     = 64
)

// keySet holds the keys of a file or URL. They are fetched anew when they get old or one is missing, and stay as they are
// while that fails.
type keySet struct {
	gate   *Gate
	source string                          // URL or file
	keys   atomic.Pointer[keyfunc.Keyfunc] // nil until the first fetch

	mu      sync.Mutex
	fetched chan struct{} // closed when the running fetch has ended; nil: none runs
	tried   time.Time     // when the last fetch began
	read    time.Time     // when the last one that succeeded did
}

// newKeySet reads a file, which has to be there, or begins to fetch a URL.
func newKeySet(g *Gate, source string) (*keySet, error) {
	s := &keySet{gate: g, source: source}
	if s.remote() {
		s.fetch()
		return s, nil
	}
	s.tried = time.Now()
	s.read = s.tried
	return s, s.load(g.ctx)
}

// CheckKeys reads a file of keys as New does, and tells what is wrong with it. Of a URL it tells nothing.
func CheckKeys(source string) error {
	s := &keySet{source: source, gate: &Gate{log: slog.New(slog.DiscardHandler), ctx: context.Background()}}
	if s.remote() {
		return nil
	}
	return s.load(s.gate.ctx)
}

func (s *keySet) remote() bool {
	return strings.HasPrefix(s.source, "https://") || strings.HasPrefix(s.source, "http://")
}

// current returns the keys there are, or nil. Old ones are fetched anew beside.
func (s *keySet) current() keyfunc.Keyfunc {
	s.mu.Lock()
	old := time.Since(s.read) > keysFresh
	s.mu.Unlock()
	if old {
		s.fetch()
	}
	if k := s.keys.Load(); k != nil {
		return *k
	}
	return nil
}

// renew fetches the keys, if that was not done just now, waits for it a moment, and reports whether there may be other
// keys than before.
func (s *keySet) renew(ctx context.Context) bool {
	done := s.fetch()
	if done == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, keysWait)
	defer cancel()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// fetch joins the fetch that runs, or begins one; it returns what is closed at its end, or nil if it is too early for one.
func (s *keySet) fetch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetched != nil {
		return s.fetched
	}
	if time.Since(s.tried) < keysPause {
		return nil
	}
	done, begun := make(chan struct{}), time.Now()
	s.fetched, s.tried = done, begun
	s.gate.background(keysTime, func(ctx context.Context) {
		err := s.load(ctx)
		if err != nil {
			s.gate.log.Warn("the keys of --jwt-jwks could not be read; those there are stay", "err", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err == nil {
			s.read = begun
		}
		s.fetched = nil
		close(done)
	})
	return done
}

// load replaces the keys by those of the source.
func (s *keySet) load(ctx context.Context) error {
	var raw []byte
	var err error
	if s.remote() {
		raw, err = fetch(ctx, s.gate.client, s.source, maxKeysSize)
	} else {
		raw, err = readFile(s.source, maxKeysSize)
	}
	if err != nil {
		return err
	}
	set, err := s.parse(raw)
	if err != nil {
		return err
	}
	s.keys.Store(&set)
	return nil
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return readBounded(f, limit)
}

// errKeys says that something is no set of keys.
var errKeys = errors.New("not a JSON Web Key Set with an RSA, P-256 or Ed25519 key for signatures")

// parse reads a JSON Web Key Set (RFC 7517 5). Keys that cannot be used here are left out; at least one has to be left.
func (s *keySet) parse(raw []byte) (keyfunc.Keyfunc, error) {
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("%w: %w", errKeys, err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%w: it has %d, and may have %d", errKeys, len(set.Keys), maxKeys)
	}
	store := jwkset.NewMemoryStorage()
	n := 0
	for _, m := range set.Keys {
		m.D, m.X5U = "", "" // what is private is none of our business, and nothing more is fetched
		key, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err == nil {
			err = usable(key.Key())
		}
		// RFC 7517 4.2, 4.3
		if err == nil && (m.USE == jwkset.UseEnc || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify)) {
			err = errors.New("a key for something else")
		}
		if err != nil {
			s.gate.log.Debug("key left out", "kid", m.KID, "err", err)
			continue
		}
		if err := store.KeyWrite(s.gate.ctx, key); err != nil {
			return nil, err
		}
		n++
	}
	if n == 0 {
		return nil, errKeys
	}
	return keyfunc.New(keyfunc.Options{Storage: store})
}
