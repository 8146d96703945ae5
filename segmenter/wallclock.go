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

	before time.Duration // offset for the epochs before since
	since  int64
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

// step moves the mapping for what begins with epoch, at stream time at; never back.
func (w *wallClock) step(epoch int64, at, want time.Duration) {
	w.before, w.since = w.offset, epoch
	w.last = max(w.last, at)
	w.offset = max(w.offset, want)
}

// program is the wall clock of a sample at stream time at in an epoch.
func (w *wallClock) program(epoch int64, at time.Duration) time.Time {
	offset := w.offset
	if epoch < w.since {
		offset = w.before
	}
	return w.base.Add(at + offset).UTC().Truncate(time.Millisecond)
}
