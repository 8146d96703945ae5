package segmenter

import "time"

// tick does what time alone brings about, and returns when to call it again; false when nothing is due ever.
func (c *channel) tick(now time.Duration) (time.Duration, bool) {
	c.now = now
	if c.pub != nil {
		c.tickTracks(now)
		c.tickPublisher(now)
	}
	if c.w != nil {
		c.tickWriter(now)
	}
	c.tickMemory(now)
	if c.phase == resuming && now >= c.deadline {
		c.endGeneration()
		c.phase = waiting
	}
	return c.next(now)
}

// next is the earliest thing to come, at most maxTick away.
func (c *channel) next(now time.Duration) (time.Duration, bool) {
	if c.pub == nil && c.w == nil {
		return 0, false
	}
	at := now + maxTick
	if c.w != nil && c.w.video != nil && c.w.video.filling {
		v := c.w.video
		// rfc8216bis 6.2.2: the next part comes within PART-TARGET of the one before
		at = min(at, v.time(v.end)+c.cfg.Part-c.lead)
	}
	if c.pub == nil {
		return max(at, now+time.Millisecond), true
	}
	for _, t := range c.pub.tracks {
		if t == nil {
			continue
		}
		if d, ok := t.in.reorder.deadline(); ok {
			at = min(at, d)
		}
		if d, ok := t.in.reorder.nackDue(); ok && t.cfg.NACK != nil {
			at = min(at, d)
		}
	}
	return max(at, now+time.Millisecond), true
}

// tickTracks gives up overdue holes and asks again for the others.
func (c *channel) tickTracks(now time.Duration) {
	for _, t := range c.pub.tracks {
		if t == nil {
			continue
		}
		t.in.expire(now)
		t.in.ask(now, t.cfg.NACK)
	}
	if c.phase == starting {
		c.tryStart(now)
	}
}

// tickPublisher ends a publisher that has nothing to say.
func (c *channel) tickPublisher(now time.Duration) {
	switch {
	case c.pub == nil:
	case c.w != nil && c.w.err != nil:
		c.log.Error("part could not be made", "session", c.pub.session, "error", c.w.err)
		c.w.err = nil
		c.detach(now, ReasonInternal)
	case c.phase == live && now-c.lastMedia() >= c.cfg.Silence:
		c.detach(now, ReasonSilent)
	case c.phase == starting:
		c.tickStart(now)
	}
}

// tickMemory keeps the stream within its bounds: what is over goes first, then the publisher and the generation, whose
// filler would take more.
func (c *channel) tickMemory(now time.Duration) {
	c.weigh()
	if c.w == nil || !c.memory.tooLarge(c.cfg) {
		return
	}
	c.drop()
	c.weigh()
	if !c.memory.tooLarge(c.cfg) {
		return
	}
	c.detach(now, ReasonTooLarge)
	c.endGeneration()
	c.phase = waiting
}

func (c *channel) weigh() {
	n := c.past
	if c.w != nil {
		n += int64(c.w.kept())
	}
	c.memory.set(n)
}

// tickStart ends a publisher that does not get to anything usable, and says why.
func (c *channel) tickStart(now time.Duration) {
	first, any := c.firstMedia()
	if !any {
		// Until it is connected signaling counts; this bound only backs it up.
		if now-c.cameAt >= max(c.pub.connect, c.cfg.FirstMedia)+c.cfg.FirstMedia {
			c.detach(now, ReasonNoMedia)
		}
		return
	}
	v := c.track(Video)
	if v != nil && v.in.came && c.queue.pictures == 0 && now-v.in.first > pliSpacing {
		c.askIDR()
	}
	if now-first < c.cfg.FirstMedia {
		return
	}
	switch {
	case v == nil || !v.in.came || v.in.units == 0:
		c.detach(now, ReasonNoMedia)
	case v.in.h264.Stats().MissingSets > v.in.units/2:
		c.detach(now, ReasonNoParameters)
	default:
		c.detach(now, ReasonNoRandomAccess)
	}
}

// tickWriter lets filler and silence stand in for what does not come.
func (c *channel) tickWriter(now time.Duration) {
	w := c.w
	w.now = now
	edge := now + c.lead
	if v := w.video; v != nil {
		switch stood := edge - v.time(v.last); {
		case c.phase != live || v.filling:
		case stood > max(freezeBound, v.time(v.frame())*3/2):
			c.log.Info("pictures stopped; filler takes over", "session", c.pub.session)
			c.observe(EventFrozen, c.pub, "")
			v.startFilling()
		case stood > c.cfg.Part && v.slow() && v.idrLast:
			v.startFilling() // the picture that stands can be repeated: it is an IDR
		}
		if v.filling {
			v.fillTo(timeToTicks(edge, videoRate))
			if c.phase == live {
				c.askIDR()
			}
		}
	}
	if a := w.audio; a != nil {
		if c.phase != live {
			a.fill(timeToTicks(edge, audioRate))
		} else if edge-a.time(a.end) > audioLate {
			a.fill(timeToTicks(edge-audioSlack, audioRate))
		}
	}
}
