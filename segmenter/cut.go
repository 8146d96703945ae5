package segmenter

import (
	"slices"
	"time"
)

// forceAfter is how long past the longest segment a cut waits for an IDR. EXTINF may exceed the target duration by less
// than half a second, since it is rounded (rfc8216bis 4.4.3.1).
const (
	forceAfter       = 250 * time.Millisecond
	forceFollowAfter = 430 * time.Millisecond
)

// The first segments of a generation are short, so that it can be played within a second of its first picture: players
// want a whole segment besides the parts, and hls.js goes by parts only where the segment that grows is not much longer
// than those before it. They end with the last part that fits into openingMost; where the publisher obeys, with an IDR
// that was asked for at openingAsk.
const (
	openings     = 3
	openingMost  = 900 * time.Millisecond
	openingLeast = 500 * time.Millisecond
	openingAsk   = 550 * time.Millisecond
)

// cutAtIDR says whether an IDR ends the running segment: at or after 0.9 of the target, or when the segment did not
// begin with one.
func cutAtIDR(cfg *Config, elapsed time.Duration, beganWithIDR, opening bool) bool {
	least := cfg.Segment * 9 / 10
	if opening {
		least = openingLeast
	}
	return elapsed > 0 && (!beganWithIDR || elapsed >= least)
}

// cutOpening says whether one of the first segments ends with the part that just closed.
func cutOpening(cfg *Config, elapsed time.Duration) bool {
	return elapsed+cfg.Part > openingMost
}

// cutByForce says whether the segment must end before a sample that would bring it to elapsed.
func cutByForce(cfg *Config, elapsed time.Duration) bool {
	return elapsed > cfg.maxSegment()+forceAfter
}

// full says whether a part that holds elapsed should close now, because a frame more would not fit. A part is as many
// whole frames as fit, which keeps it over 85 % of the target (rfc8216bis 4.4.4.9).
func full(cfg *Config, elapsed, frame time.Duration) bool {
	return elapsed+frame > cfg.Part
}

// floor is the least a part may last unless an IDR or a segment's end follows (rfc8216bis 4.4.4.9).
func floor(cfg *Config) time.Duration {
	return (cfg.Part*85 + 99) / 100
}

// boundary is where a segment begins, for all renditions alike.
type boundary struct {
	at            time.Duration // stream time
	discontinuity bool
	epoch         int64 // of the segment that begins
}

// agenda is the list of boundaries that one rendition has passed and another may not: whoever cuts first decides, the
// other follows at its first frame at or after that time. So numbers and discontinuities stay equal.
type agenda struct {
	first int64 // MSN of list[0]
	list  []boundary
}

// begins returns the boundary at which segment msn begins, if it is decided.
func (a *agenda) begins(msn int64) (boundary, bool) {
	i := msn - a.first
	if i < 0 || i >= int64(len(a.list)) {
		return boundary{}, false
	}
	return a.list[i], true
}

// decide appends the boundary of segment msn, which must be the first undecided one.
func (a *agenda) decide(msn int64, b boundary) {
	if len(a.list) == 0 {
		a.first = msn
	}
	a.list = append(a.list, b)
}

// passed forgets boundaries up to msn, which all renditions have passed.
func (a *agenda) passed(msn int64) {
	if n := msn - a.first + 1; n > 0 && n <= int64(len(a.list)) {
		a.list = slices.Delete(a.list, 0, int(n))
		a.first = msn + 1
	}
}

// cadence estimates the time between frames from the last ones: the middle half of them, so that neither jitter nor a
// missing frame moves it.
type cadence struct {
	ring   [32]int64 // ticks
	n      int
	sorted [32]int64
}

// add notes a distance between two frames.
func (c *cadence) add(ticks int64) {
	if ticks <= 0 {
		return
	}
	c.ring[c.n%len(c.ring)] = ticks
	c.n++
}

// frame returns the estimate in ticks; fallback before anything is known.
func (c *cadence) frame(fallback int64) int64 {
	s := c.order()
	if len(s) == 0 {
		return fallback
	}
	s = s[len(s)/4 : len(s)-len(s)/4]
	sum := int64(0)
	for _, v := range s {
		sum += v
	}
	return (sum + int64(len(s))/2) / int64(len(s))
}

// unbroken returns the estimate for exact times in which pictures are missing: the lower quartile.
func (c *cadence) unbroken(fallback int64) int64 {
	s := c.order()
	if len(s) == 0 {
		return fallback
	}
	return s[len(s)/4]
}

// order returns the distances noted, sorted; valid until the next call.
func (c *cadence) order() []int64 {
	s := c.sorted[:min(c.n, len(c.ring))]
	copy(s, c.ring[:])
	slices.Sort(s)
	return s
}
