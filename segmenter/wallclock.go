package segmenter

import "time"

// slewPPM bounds how fast EXT-X-PROGRAM-DATE-TIME follows the server's clock: 500 parts per million.
const slewPPM = 500

// wallClock maps stream time to the server's wall clock. The mapping moves slowly, steps only forward and only at a
// discontinuity, so that no program time ever goes back.
type wallClock struct {
	base   time.Time     // wall clock at server time 0
	offset time.Duration // server time minus stream time
	last   time.Duration // stream time of the last slew
}

// slew moves the mapping towards want, the offset measured now at stream time at.
func (w *wallClock) slew(at, want time.Duration) {
	passed := at - w.last
	if passed <= 0 {
		return
	}
	w.last = at
	bound := passed * slewPPM / 1_000_000
	w.offset += min(max(want-w.offset, -bound), bound)
}

// step moves the mapping at a discontinuity at stream time at; never back.
func (w *wallClock) step(at, want time.Duration) {
	w.last = max(w.last, at)
	w.offset = max(w.offset, want)
}

// program is the wall clock of a sample at stream time at.
func (w *wallClock) program(at time.Duration) time.Time {
	return w.base.Add(at + w.offset).UTC().Truncate(time.Millisecond)
}
