// Package audience estimates how many watch each stream, from the playlists they ask for. It costs a request one hash and
// at most one atomic operation, whoever asks and however many do.
package audience

import (
	"hash/maphash"
	"math"
	"math/bits"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"whipsaw/segmenter"
)

const (
	slotTime = 5 * time.Second
	slots    = 3       // the present one and those that are complete: 10 to 15 seconds
	cells    = 1 << 14 // bits of one slot: exact to about 1 % for thousands of viewers, and to 3 % for 50,000
)

// Viewers is an estimate of who asked for a stream's playlists in the last 10 to 15 seconds. A cache or proxy in front of
// this server counts as one, whoever is behind it: then its own numbers tell.
type Viewers struct {
	Players     int `json:"players"`     // distinct addresses with their User-Agents, or sessions where players name one
	Connections int `json:"connections"` // distinct connections; a player has one or a few
}

// Audience counts for all streams. Its methods are safe for any goroutine.
type Audience struct {
	exists  func(stream string) bool
	now     func() time.Time
	seed    maphash.Seed
	streams sync.Map // name -> *stream
}

// New returns an Audience of nobody. exists says which names are streams: others are not counted.
func New(exists func(stream string) bool) *Audience {
	return &Audience{exists: exists, now: time.Now, seed: maphash.MakeSeed()}
}

// stream is what is kept of one.
type stream struct {
	mu     sync.Mutex // of turning to the next slot
	epoch  atomic.Int64
	people [slots]sketch
	lines  [slots]sketch
}

// sketch is a linear counter (Whang 1990): every visitor sets the bit that its hash names, and the share of zeros tells how
// many there were.
type sketch [cells / 64]atomic.Uint64

func (s *sketch) add(hash uint64) {
	at, bit := &s[hash%(cells/64)], uint64(1)<<(hash>>58)
	if at.Load()&bit == 0 {
		at.Or(bit)
	}
}

func (s *sketch) clear() {
	for i := range s {
		s[i].Store(0)
	}
}

// estimate is the count of the union of sketches.
func estimate(of *[slots]sketch) int {
	zeros := 0
	for i := range of[0] {
		union := uint64(0)
		for n := range of {
			union |= of[n][i].Load()
		}
		zeros += 64 - bits.OnesCount64(union)
	}
	return int(math.Round(cells * math.Log(cells/math.Max(float64(zeros), 1))))
}

// Count counts who asks for media playlists. The path begins with a stream's name: /{stream}/...
func (a *Audience) Count(r *http.Request, path string) {
	name, file, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if strings.HasSuffix(file, "/"+segmenter.MediaPlaylistName) && !glance(r) {
		a.note(name, r)
	}
}

// glance reports whether a request is for a still, of a list of streams, and nobody watches.
func glance(r *http.Request) bool { return r.Header.Get("X-Purpose") == "preview" }

func (a *Audience) note(name string, r *http.Request) {
	v, known := a.streams.Load(name)
	if !known {
		if !a.exists(name) {
			return
		}
		v, _ = a.streams.LoadOrStore(name, new(stream))
	}
	s, _ := v.(*stream) // nothing else is stored
	slot := s.turn(a.now())
	s.lines[slot].add(maphash.String(a.seed, r.RemoteAddr))
	s.people[slot].add(a.person(r))
}

// person is a hash of what tells players apart.
func (a *Audience) person(r *http.Request) uint64 {
	var h maphash.Hash
	h.SetSeed(a.seed)
	if id := r.Header.Get("X-Playback-Session-Id"); id != "" { // Apple's players name theirs
		write(&h, id)
		return h.Sum64()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	write(&h, host)
	write(&h, r.UserAgent())
	return h.Sum64()
}

func write(h *maphash.Hash, s string) {
	_, _ = h.WriteString(s) // never fails (hash/maphash)
	_ = h.WriteByte(0)      // neither
}

// turn returns the present slot, emptied if its time has just begun.
func (s *stream) turn(now time.Time) int {
	epoch := now.UnixNano() / int64(slotTime)
	if s.epoch.Load() != epoch {
		s.mu.Lock()
		for e := max(s.epoch.Load()+1, epoch-slots+1); e <= epoch; e++ {
			s.people[e%slots].clear()
			s.lines[e%slots].clear()
		}
		s.epoch.Store(epoch)
		s.mu.Unlock()
	}
	return int(epoch % slots)
}

// Viewers estimates who watches a stream.
func (a *Audience) Viewers(name string) Viewers {
	v, known := a.streams.Load(name)
	if !known {
		return Viewers{}
	}
	s, _ := v.(*stream) // nothing else is stored
	s.turn(a.now())
	return Viewers{Players: estimate(&s.people), Connections: estimate(&s.lines)}
}

// Forget drops what is kept of streams that are no more.
func (a *Audience) Forget() {
	a.streams.Range(func(name, _ any) bool {
		if n, ok := name.(string); ok && !a.exists(n) {
			a.streams.Delete(name)
		}
		return true
	})
}
