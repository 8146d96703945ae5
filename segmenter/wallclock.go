package segmenter

import "time"

// slewPPM bounds how fast EXT-X-PROGRAM-DATE-TIME follows the server's clock, slewOnce for how much time it may make up
// in one step: after a pause there is no leap.
const (
	slewPPM  = 500
	slewOnce = time.Second
)

// wallClock maps stream time to the server's wall clock. The mapping moves slowly, steps only forward and only at a
// discontinuity, so that no program time ever goes back.
type wallClock struct {
	base   time.Time     // wall clock at server time 0
	offset time.Duration // server time minus stream time
	want   time.Duration // the same as it was last measured
	last   time.Duration // stream time of the last slew

	older []mapping // the last steps, oldest first: a rendition that is behind still writes the epochs before them
}

// mapping is the offset of the epochs before until.
type mapping struct {
	until  int64
	offset time.Duration
}

// maxMappings is more steps than a rendition can be behind.
const maxMappings = 8

// slew moves the mapping towards want, the offset measured now at stream time at.
func (w *wallClock) slew(at, want time.Duration) {
	passed := at - w.last
	if passed <= 0 {
		return
	}
	w.last, w.want = at, want
	bound := min(passed, slewOnce) * slewPPM / 1_000_000
	w.offset += min(max(want-w.offset, -bound), bound)
}

// settle takes the mapping last measured, for all of the first epoch; later ones are left alone. It reports a change.
func (w *wallClock) settle() bool {
	if len(w.older) > 0 || w.want == w.offset {
		return false
	}
	w.offset = w.want
	return true
}

// step moves the mapping for what begins with epoch, at stream time at; never back.
func (w *wallClock) step(epoch int64, at, want time.Duration) {
	if len(w.older) == maxMappings {
		w.older = append(w.older[:0], w.older[1:]...)
	}
	w.older = append(w.older, mapping{until: epoch, offset: w.offset})
	w.last = max(w.last, at)
	w.offset = max(w.offset, want)
}

// program is the wall clock of a sample at stream time at in an epoch.
func (w *wallClock) program(epoch int64, at time.Duration) time.Time {
	offset := w.offset
	for _, m := range w.older {
		if epoch < m.until {
			offset = m.offset
			break
		}
	}
	return w.base.Add(at + offset).UTC().Truncate(time.Millisecond)
}
