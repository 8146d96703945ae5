package segmenter

import "time"

const (
	pliSpacing  = 500 * time.Millisecond // between two PLIs, at least
	pliBackoff  = 4 * time.Second        // between two PLIs, for a publisher that does not answer
	pliAnswer   = time.Second            // an IDR within this time answers a PLI
	quickly     = 400 * time.Millisecond // two IDRs so soon after a PLI are no coincidence
	deafAfter   = 3                      // unanswered PLIs after which a publisher may count as deaf
	remembered  = 32                     // PLIs whose fate is remembered
	deafSpacing = 10 * time.Second
)

// conductor asks for keyframes: at once where decoding cannot go on, and just in time for a segment's end, so that a
// publisher who obeys gives one IDR exactly per segment. One whose own IDRs come in time is left alone.
type conductor struct {
	asked   time.Duration // server time of the last PLI
	askedAt time.Duration // stream time of the newest picture then
	waiting bool          // no IDR has come since
	once    bool          // a PLI was ever sent
	spacing time.Duration
	reply   time.Duration // media time from asking to the IDR, averaged

	lastIDR time.Duration // stream time
	seen    bool
	gop     time.Duration // between the last two IDRs
	natural time.Duration // the same, for IDRs that nobody asked for

	answered, ignored int  // PLIs; old ones count less
	overdue           bool // an IDR is: it comes only if asked for
	quick             int  // answers in a row that came quickly
	proved            bool // what is asked for is given: an overdue one came, or two quickly
	told              bool // the operator knows that keyframes come too rarely
}

// rare says, once, that keyframes come too rarely for the segments and are not given when asked for.
func (c *conductor) rare(cfg *Config) bool {
	if c.told || !c.deaf() || c.gop <= cfg.maxSegment()*11/10 {
		return false
	}
	c.told = true
	return true
}

// idr notes an IDR at server time now and stream time at.
func (c *conductor) idr(now, at time.Duration) {
	if c.seen {
		c.gop = at - c.lastIDR
	}
	if c.waiting && now-c.asked < pliAnswer {
		c.count(&c.answered)
		d := at - c.askedAt
		if c.quick++; d > quickly {
			c.quick = 0
		}
		c.proved = c.proved || c.overdue || c.quick > 1
		if c.reply == 0 {
			c.reply = d
		}
		c.reply += (d - c.reply) / 4
	} else if c.seen {
		c.natural = c.gop
	}
	c.waiting, c.overdue, c.spacing = false, false, 0
	c.lastIDR, c.seen = at, true
}

// mayAsk says whether a PLI may go out now; unanswered ones make it rarer.
func (c *conductor) mayAsk(now time.Duration) bool {
	if !c.once {
		return true
	}
	wait := max(c.spacing, pliSpacing)
	if c.deaf() {
		wait = deafSpacing
	}
	return now-c.asked >= wait
}

// deaf reports a publisher that ignores PLIs. Now and then an IDR of its own looks like an answer.
func (c *conductor) deaf() bool { return c.ignored >= deafAfter && c.ignored > 2*c.answered }

// count notes what became of a PLI.
func (c *conductor) count(fate *int) {
	*fate++
	if c.answered+c.ignored > remembered {
		c.answered, c.ignored = c.answered/2, c.ignored/2
	}
}

// ask notes that a PLI goes out. An IDR that was to come by itself and did not ends the habit: the next segment asks in time.
func (c *conductor) ask(now, at time.Duration) {
	if at > c.lastIDR+c.natural {
		c.natural = 0
	}
	if c.waiting {
		c.count(&c.ignored)
		c.spacing = min(max(c.spacing, pliSpacing)*2, pliBackoff)
	}
	c.asked, c.askedAt, c.waiting, c.once = now, at, true, true
}

// due says whether the segment that began at began wants its closing IDR asked for now, when the newest picture is at.
// frame is the time between two pictures.
func (c *conductor) due(cfg *Config, began, at, frame time.Duration) bool {
	end := began + cfg.Segment
	patience := frame * 3 / 2
	if own := c.lastIDR + c.natural; c.natural > 0 && own <= end+cfg.Segment/10 {
		return at > max(own, end)+patience // it should have come by itself
	}
	if c.natural == 0 && !c.proved {
		c.overdue = at > end+patience // an IDR of its own would have come
		return c.overdue
	}
	return at+max(c.reply, frame) >= end-frame/2
}
