package segmenter

import (
	"log/slog"
	"time"
)

// phase is what a channel does.
//
//	waiting  -> starting   a publisher came
//	starting -> live       its tracks came; a generation begins or goes on
//	starting -> waiting    it left again, nothing was published before
//	live     -> resuming   it left; the filler holds the playlists up
//	resuming -> starting   the next one came; the filler goes on until it is live
//	resuming -> waiting    nobody came in time: EXT-X-ENDLIST
type phase uint8

const (
	waiting phase = iota
	starting
	live
	resuming
)

const (
	// deleteGrace is how long a publisher who said goodbye may still come back.
	deleteGrace = 3 * time.Second
	// freezeBound is how long a picture may stand before the filler takes over: hls.js gives up a blocked request after
	// 1.6 s, and asks anew a second later.
	freezeBound = 1200 * time.Millisecond
	// takeOverQuiet and takeOverSpacing guard an incumbent: a silent one is replaced at once, a healthy one rarely.
	takeOverQuiet   = time.Second
	takeOverSpacing = 30 * time.Second
	// takeOverStart is how long an incumbent counts as healthy before its first packet: two that need longer than
	// takeOverQuiet to connect would otherwise replace each other for ever, and nobody would be seen.
	takeOverStart = 3 * time.Second
	// maxTick is the longest the channel sleeps while it has anything to do.
	maxTick = 100 * time.Millisecond
)

// channel is all the state of one stream that only its owner goroutine touches. Time is an argument everywhere: now is
// server time since base.
type channel struct {
	name string
	all  *Config // of the registry
	cfg  *Config // of the stream, and of the running generation
	log  *slog.Logger
	base time.Time

	phase     phase
	pub       *Publisher
	cameAt    time.Duration // when pub came
	line      timeline
	conductor conductor
	queue     queue         // what came while starting
	lead      time.Duration // stream time minus server time
	now       time.Duration
	deadline  time.Duration // resuming: when the generation ends
	tookOver  time.Duration // when a healthy publisher was last replaced
	replaced  bool          // one ever was

	w       *writer // of the generation that goes on; nil without one
	begun   func(*Generation)
	memory  holding
	past    int64  // bytes of ended generations
	drop    func() // forgets them
	lastEnd *End
	lastPub *Publisher // whose end that was
	meters  [2]meter
}

// tracks are the present publisher's.
func (c *channel) track(k Kind) *Track {
	if c.pub == nil {
		return nil
	}
	return c.pub.tracks[k]
}

// attach makes p the publisher, if the one before may be replaced.
func (c *channel) attach(now time.Duration, p *Publisher) error {
	c.now = now
	if c.pub != nil {
		if p.polite {
			return ErrBusy
		}
		if c.healthy(now) {
			if c.replaced && now-c.tookOver < takeOverSpacing {
				return ErrBusy
			}
			c.replaced, c.tookOver = true, now
		}
		c.detach(now, ReasonReplaced)
	}
	if c.w == nil {
		c.cfg = c.all.of(c.name)
	}
	c.pub, c.cameAt = p, now
	c.conductor = conductor{}
	c.line = timeline{}
	c.queue.reset()
	for k, t := range p.tracks {
		if t == nil {
			continue
		}
		c.line.clocks[k] = &t.in.clock
		t.in.open(c.cfg, t.cfg)
		t.in.unit = c.accessUnit
		t.in.frame = c.opusFrame
		t.in.jump = func(moved time.Duration) { c.jump(t.cfg.Kind, moved) }
	}
	c.phase = starting
	c.log.Info("publisher attached", "session", p.session, "user_agent", p.userAgent)
	c.observe(EventPublishing, p, "")
	return nil
}

// healthy reports whether the publisher sends, or has just come and may be about to.
func (c *channel) healthy(now time.Duration) bool {
	if _, any := c.firstMedia(); !any {
		return now-c.cameAt < takeOverStart
	}
	return now-c.lastMedia() < takeOverQuiet
}

// lastMedia is when the publisher last sent anything of use, or came.
func (c *channel) lastMedia() time.Duration {
	last := c.cameAt
	for _, t := range c.pub.tracks {
		if t != nil && t.in.came {
			last = max(last, t.in.lastMedia)
		}
	}
	return last
}

// detach ends the publisher. The stream goes on: with filler while a generation runs.
func (c *channel) detach(now time.Duration, reason Reason) {
	p := c.pub
	if p == nil {
		return
	}
	c.now = now
	c.pub = nil
	c.lastEnd = &End{Reason: reason, At: c.wall(now), Session: p.session}
	c.queue.reset()
	c.log.Info("publisher ended", "session", p.session, "reason", string(reason))
	c.observe(EventLeft, p, reason)
	p.finish(reason)
	c.lastPub = p
	for _, t := range p.tracks {
		if t != nil {
			t.in = ingest{} // whoever still holds the publisher holds no buffers, and nothing of its connection
			t.cfg.NACK, t.cfg.PLI = nil, nil
		}
	}
	if c.w == nil {
		c.phase = waiting
		return
	}
	wait := c.cfg.Resume
	if reason == ReasonDeleted {
		wait = min(wait, deleteGrace)
	}
	if reason == ReasonShutdown {
		wait = 0
	}
	if c.phase == live || now+wait < c.deadline {
		c.deadline = now + wait
	}
	c.phase = resuming
	if c.w.video != nil {
		c.w.video.startFilling()
	}
}

// goodbye takes a DELETE that comes after its publisher's connection had closed, as some encoders send it: the generation
// ends as if it had come before. Of a publisher that was kicked it is no wish of its own, and changes nothing.
func (c *channel) goodbye(now time.Duration, p *Publisher) {
	if c.lastPub != p || c.phase != resuming || p.Reason() == ReasonKicked {
		return
	}
	c.deadline = min(c.deadline, now+deleteGrace)
	c.lastEnd = &End{Reason: ReasonDeleted, At: c.lastEnd.At, Session: p.session}
	c.log.Info("publisher said goodbye", "session", p.session)
}

func (c *channel) wall(now time.Duration) time.Time { return c.base.Add(now) }

// packet takes one RTP packet of the present publisher.
func (c *channel) packet(now time.Duration, t *Track, raw []byte) {
	if t.pub != c.pub {
		return
	}
	c.now = now
	if t.in.receive(now, raw) {
		t.in.ask(now, t.cfg.NACK)
	}
	if t.in.tooBig {
		c.detach(now, ReasonTooLarge)
		return
	}
	if c.phase == starting {
		c.tryStart(now)
	}
}

// jump keeps a track in its place when its sender began a new time line.
func (c *channel) jump(kind Kind, moved time.Duration) {
	c.log.Info("sender began a new time line", "session", c.pub.session, "track", kind.String(), "moved", moved)
	c.line.jump(kind, moved)
	if c.phase == starting {
		c.queue.reset() // its times mean nothing now
	}
}

// report takes a sender report.
func (c *channel) report(now time.Duration, t *Track, ntp uint64, rtp uint32) {
	if t.pub == c.pub {
		c.now = now
		t.in.clock.report(ntp, rtp)
	}
}

// tell gives the writer the time, before it writes.
func (c *channel) tell() {
	c.w.now = c.now
	if c.phase == live {
		c.lead = c.line.lead()
		c.w.wall.slew(c.now+c.lead, -c.lead)
	}
}
