package watch

import (
	"slices"
	"sync"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/cmd/whipsaw/internal/bench/tally"
)

// Delays is what a bench learns of how fast parts get to viewers.
type Delays struct {
	Part     tally.Histogram // the last packet of a part was sent -> its last byte is at a viewer
	First    tally.Histogram // the same for its first viewer alone: what a server adds before it has to serve one after the other
	Playlist tally.Histogram // the last packet of a part was sent -> the playlist that lists it is at a viewer who waited
	Delivery tally.Histogram // a part's last byte is at its first viewer -> at the others
	Release  tally.Histogram // the last packet of a part was sent -> the last of all who waited for the playlist has it
	Taken    tally.Histogram // the last byte of an answer is there -> its viewer takes it: how late the bench itself is
	Unmarked uint64          // parts in which no mark was found
}

// settled is how long after its first arrival a part is taken to be at all viewers.
const settled = 10 * time.Second

// ledger notes when each part of one rendition came to whom. It is shared by all viewers of the rendition.
type ledger struct {
	library
	sent func(mark.Mark) time.Time

	mu     sync.Mutex
	parts  map[string]*entry // by name
	free   []*entry
	swept  time.Time
	delays Delays
}

// entry is one part.
type entry struct {
	first     time.Time // when it was first heard of
	mark      mark.Mark
	marked    bool
	looked    bool // somebody has asked for it
	early     bool // it is left out: it came, or began to come, before the measurement
	playlists []time.Time
	bodies    []time.Time
}

func newLedger(sent func(mark.Mark) time.Time) *ledger {
	return &ledger{sent: sent, parts: make(map[string]*entry)}
}

// entry returns that of a part, a new one if there is none; the lock is held.
func (l *ledger) entry(name string, now time.Time) *entry {
	if now.Sub(l.swept) > time.Second {
		l.swept = now
		l.sweep(func(e *entry) bool { return now.Sub(e.first) > settled })
	}
	e := l.parts[name]
	if e == nil {
		e = &entry{}
		if n := len(l.free); n > 0 {
			e, l.free = l.free[n-1], l.free[:n-1]
		}
		e.first = now
		l.parts[name] = e
	}
	return e
}

// claim reports whether the caller is the first to ask for a part, and so the one who looks into it.
func (l *ledger) claim(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(name, time.Now())
	first := !e.looked
	e.looked = true
	return first
}

// listed notes that a playlist whose newest part is name came to a viewer who waited for it.
func (l *ledger) listed(name string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(name, at)
	e.playlists = append(e.playlists, at)
	l.delays.Taken.Add(time.Since(at))
}

// came notes that a part came to a viewer; body is nil unless that viewer looks into it.
func (l *ledger) came(name string, at time.Time, body []byte) {
	m, ok := mark.Mark{}, false
	if body != nil {
		m, ok = mark.InPart(body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(name, at)
	e.bodies = append(e.bodies, at)
	l.delays.Taken.Add(time.Since(at))
	if ok {
		e.mark, e.marked = m, true
	}
}

// begin leaves out all that came up to now.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.parts {
		e.early = e.early || len(e.playlists)+len(e.bodies) > 0
	}
	l.delays = Delays{}
}

// result adds up all that was noted.
func (l *ledger) result() Delays {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(func(*entry) bool { return true })
	return l.delays
}

// sweep counts the entries that are done, and forgets them; the lock is held.
func (l *ledger) sweep(done func(*entry) bool) {
	for name, e := range l.parts {
		if !done(e) {
			continue
		}
		l.count(e)
		delete(l.parts, name)
		*e = entry{playlists: e.playlists[:0], bodies: e.bodies[:0]}
		l.free = append(l.free, e)
	}
}

func (l *ledger) count(e *entry) {
	if e.early || len(e.bodies) == 0 {
		return
	}
	slices.SortFunc(e.bodies, time.Time.Compare)
	for _, at := range e.bodies[1:] {
		l.delays.Delivery.Add(at.Sub(e.bodies[0]))
	}
	if !e.marked {
		l.delays.Unmarked++
		return
	}
	sent := l.sent(e.mark)
	l.delays.First.Add(e.bodies[0].Sub(sent))
	for _, at := range e.bodies {
		l.delays.Part.Add(at.Sub(sent))
	}
	last := time.Duration(0)
	for _, at := range e.playlists {
		l.delays.Playlist.Add(at.Sub(sent))
		last = max(last, at.Sub(sent))
	}
	if len(e.playlists) > 0 {
		l.delays.Release.Add(last)
	}
}

// Merge adds what o holds.
func (d *Delays) Merge(o *Delays) {
	d.Part.Merge(&o.Part)
	d.First.Merge(&o.First)
	d.Playlist.Merge(&o.Playlist)
	d.Delivery.Merge(&o.Delivery)
	d.Release.Merge(&o.Release)
	d.Taken.Merge(&o.Taken)
	d.Unmarked += o.Unmarked
}
