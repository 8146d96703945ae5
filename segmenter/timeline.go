package segmenter

import (
	"slices"
	"time"
)

const (
	// offsetWindow is half the time over which the least delayed packet stands for the network's own delay.
	offsetWindow = 5 * time.Second
	// Media ahead of its arrival by more than jumpAhead, behind it by more than jumpBehind, or going back by more than
	// jumpBack, has a new time line (RFC 3550 5.1 lets a sender start over).
	jumpAhead  = time.Second
	jumpBehind = 10 * time.Second
	jumpBack   = time.Second
	// maxSkew is the largest distance between sender reports and arrival times that is believed.
	maxSkew = 2 * time.Second
	// maxSpread is how far apart the middle half of a track's reports may lie: there are senders whose NTP times are wrong
	// by up to a second, each by another.
	maxSpread = 150 * time.Millisecond
	// Video that is off by more than slewBegin moves until it is off by less than slewEnd: noise in the reports does not
	// reach the pictures.
	slewBegin = 6 * time.Millisecond
	slewEnd   = time.Millisecond
	// slewShare bounds how fast video moves towards the sender reports, as a share of the media time that passes.
	slewShare = 20
)

// ticksToTime converts media ticks without overflow for years of stream.
func ticksToTime(ticks, rate int64) time.Duration {
	return time.Duration(ticks/rate)*time.Second + time.Duration(ticks%rate)*time.Second/time.Duration(rate)
}

// timeToTicks converts to the nearest tick.
func timeToTicks(d time.Duration, rate int64) int64 {
	s, rest := int64(d/time.Second), int64(d%time.Second)
	n := rest * rate
	if n >= 0 {
		n += int64(time.Second) / 2
	} else {
		n -= int64(time.Second) / 2
	}
	return s*rate + n/int64(time.Second)
}

// clock unwraps the RTP time of one track and relates it to the server's time line by arrival, and to the sender's wall
// clock by its reports.
type clock struct {
	rate    int64
	started bool
	last    int64 // highest unwrapped time
	window  [2]time.Duration
	turned  time.Duration // when the window last turned

	heard    [32]time.Duration // sender's NTP time minus media time, by the last reports
	reported int               // how many of the present time line
	reports  uint64
	jumps    uint64
}

// unwrap extends a 32-bit RTP time to 64 bits, near the highest seen. It does not move the clock.
func (c *clock) unwrap(timestamp uint32) int64 {
	if !c.started {
		return int64(timestamp)
	}
	return c.last + int64(int32(timestamp-uint32(c.last)))
}

// breaks says whether a packet shows that its sender began a new time line.
func (c *clock) breaks(now time.Duration, timestamp uint32) bool {
	if !c.started {
		return false
	}
	t := c.unwrap(timestamp)
	late := now - c.time(t) - c.offset()
	return late < -jumpAhead || late > jumpBehind || c.time(c.last-t) > jumpBack
}

// arrive notes a packet's arrival.
func (c *clock) arrive(now time.Duration, timestamp uint32) {
	if !c.started {
		c.restart(now, timestamp)
		return
	}
	t := c.unwrap(timestamp)
	c.last = max(c.last, t)
	offset := now - c.time(t)
	if now-c.turned >= offsetWindow {
		c.window[1], c.window[0] = c.window[0], offset
		c.turned = now
	}
	c.window[0] = min(c.window[0], offset)
}

// restart begins a time line with a packet. It returns by how much the server's time of a media tick changed.
func (c *clock) restart(now time.Duration, timestamp uint32) (moved time.Duration) {
	t := c.unwrap(timestamp)
	offset := now - c.time(t)
	if c.started {
		moved = offset - c.offset()
		c.jumps++
	}
	c.started, c.last, c.turned = true, t, now
	c.window = [2]time.Duration{offset, offset}
	c.reported = 0
	return moved
}

// offset is the server's time of media tick 0, by the least delayed packet of the last seconds.
func (c *clock) offset() time.Duration { return min(c.window[0], c.window[1]) }

// time is media time: ticks as a duration.
func (c *clock) time(ticks int64) time.Duration { return ticksToTime(ticks, c.rate) }

// report notes a sender report (RFC 3550 6.4.1): at the sender's wall clock ntp the track's RTP time was timestamp.
func (c *clock) report(ntp uint64, timestamp uint32) {
	if !c.started || ntp == 0 {
		return
	}
	wall := time.Duration(ntp>>32)*time.Second + time.Duration((ntp&0xffffffff)*uint64(time.Second)>>32)
	c.heard[c.reported%len(c.heard)] = wall - c.time(c.unwrap(timestamp))
	c.reported++
	c.reports++
}

// sender is the sender's NTP time minus media time: the second smallest of the last reports, since senders take the time
// late but never early, and one report may be wrong altogether. False without reports, or if they contradict each other.
func (c *clock) sender() (time.Duration, bool) {
	var sorted [len(c.heard)]time.Duration
	list := sorted[:min(c.reported, len(sorted))]
	copy(list, c.heard[:])
	slices.Sort(list)
	n := len(list)
	switch {
	case n == 0, list[n*3/4]-list[n/4] > maxSpread:
		return 0, false
	case n < 3:
		return list[0], true
	}
	return list[1], true
}

// timeline lays the tracks of one publisher on the stream's time line. Audio is the master: its samples are counted.
// Video follows it by the sender reports, or by arrival as long as there are none.
type timeline struct {
	clocks [2]*clock
	shift  [2]time.Duration // stream time of media tick 0
	master Kind
	slewed time.Duration // video's media time at the last step towards the target
	moving bool          // video is on its way there
}

// anchor lays media tick t of the track at stream time at, and the other track beside it.
func (l *timeline) anchor(kind Kind, ticks int64, at time.Duration) {
	l.shift[kind] = at - l.clocks[kind].time(ticks)
	other := Audio - kind
	if l.clocks[other] != nil && l.clocks[other].started {
		l.shift[other] = l.shift[kind] + l.skew(other, kind)
	}
	l.master = Audio
	if l.clocks[Audio] == nil || !l.clocks[Audio].started {
		l.master = Video
	}
}

// skew is the difference of shifts that makes track a play in time with track b.
func (l *timeline) skew(a, b Kind) time.Duration {
	ca, cb := l.clocks[a], l.clocks[b]
	byArrival := ca.offset() - cb.offset()
	sa, known := ca.sender()
	if sb, both := cb.sender(); known && both {
		byReport := sa - sb
		if d := byReport - byArrival; d > -maxSkew && d < maxSkew {
			return byReport
		}
	}
	return byArrival
}

// jump keeps a track in its place when its sender began a new time line.
func (l *timeline) jump(kind Kind, moved time.Duration) { l.shift[kind] += moved }

// at is the stream time of a track's media tick.
func (l *timeline) at(kind Kind, ticks int64) time.Duration {
	return l.clocks[kind].time(ticks) + l.shift[kind]
}

// follow moves video a little towards where the sender reports want it. media is the video's media time.
func (l *timeline) follow(media time.Duration) {
	passed := media - l.slewed
	l.slewed = media
	if l.master != Audio || l.clocks[Video] == nil || passed <= 0 || passed > time.Second {
		return
	}
	off := l.shift[Audio] + l.skew(Video, Audio) - l.shift[Video]
	l.moving = off.Abs() > slewBegin || l.moving && off.Abs() > slewEnd
	if l.moving {
		bound := passed / slewShare
		l.shift[Video] += min(max(off, -bound), bound)
	}
}

// lead is stream time minus server time for media that arrives without delay.
func (l *timeline) lead() time.Duration {
	return l.shift[l.master] - l.clocks[l.master].offset()
}
