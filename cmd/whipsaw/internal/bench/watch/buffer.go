package watch

import "time"

// buffer is what a player would have in store: it plays on at the speed of time, and stands still while there is nothing.
type buffer struct {
	begun  time.Time     // when it began to play; zero: not yet
	filled time.Duration // all that came since
	stood  time.Duration // how long it stood still
}

// start begins to play with what is there.
func (b *buffer) start(now time.Time, filled time.Duration) {
	b.begun, b.filled, b.stood = now, filled, 0
}

// add takes a part that came just now, and counts a stall if it came when all before it had been played.
func (b *buffer) add(now time.Time, d time.Duration) (stalled time.Duration) {
	if left := b.filled - (now.Sub(b.begun) - b.stood); left < 0 {
		stalled = -left
		b.stood += stalled
	}
	b.filled += d
	return stalled
}
