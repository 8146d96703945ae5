package segmenter

import (
	"sync"
	"time"
)

// maxInbox bounds what may wait for a stream's goroutine, bytes. At 50 Mbit/s it is over a second; what does not fit is
// dropped and counted, and shows up as loss.
const (
	maxInbox   = 8 << 20
	maxEntries = 1 << 16
)

// entry is one thing that came for a stream: a packet, a sender report, or something to do.
type entry struct {
	track  *Track
	at     time.Duration
	from   int // where the packet stands in the arena
	length int
	report bool
	ntp    uint64
	rtp    uint32
	do     func(now time.Duration)
}

// inbox hands packets from the goroutines that read them to the one that owns the stream. Packets are copied into an
// arena; two arenas take turns, so that the steady state allocates nothing.
type inbox struct {
	now   func() time.Duration
	wake  chan struct{}
	mu    sync.Mutex
	list  []entry
	arena []byte
	shut  bool
	full  uint64 // packets dropped for lack of room
}

func (b *inbox) packet(t *Track, raw []byte) {
	at := b.now()
	b.mu.Lock()
	if b.shut || len(b.arena)+len(raw) > maxInbox || len(b.list) >= maxEntries {
		b.full++
		b.mu.Unlock()
		return
	}
	b.list = append(b.list, entry{track: t, at: at, from: len(b.arena), length: len(raw)})
	b.arena = append(b.arena, raw...)
	b.mu.Unlock()
	b.signal()
}

func (b *inbox) report(t *Track, ntp uint64, rtp uint32) {
	b.put(entry{track: t, report: true, ntp: ntp, rtp: rtp})
}

// put appends an entry; false when the stream has ended.
func (b *inbox) put(e entry) bool {
	e.at = b.now()
	b.mu.Lock()
	if b.shut {
		b.mu.Unlock()
		return false
	}
	b.list = append(b.list, e)
	b.mu.Unlock()
	b.signal()
	return true
}

func (b *inbox) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns all that waits and leaves the given slices, emptied, in its place.
func (b *inbox) take(list []entry, arena []byte) ([]entry, []byte) {
	clear(list)
	b.mu.Lock()
	defer b.mu.Unlock()
	out, bytes := b.list, b.arena
	b.list, b.arena = list[:0], arena[:0]
	return out, bytes
}

// shutIfEmpty closes the inbox unless something waits.
func (b *inbox) shutIfEmpty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) == 0 {
		b.shut = true
	}
	return b.shut
}
