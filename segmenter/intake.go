package segmenter

import (
	"time"

	"whipsaw/segmenter/depacket"
)

// maxAhead is how far media may lie ahead of the server's time: senders burst.
const maxAhead = 3 * time.Second

// maxDelay bounds how far a picture is shown from where it is decoded: a decoded picture buffer at 16 frames a second.
const maxDelay = time.Second

// accessUnit takes a picture: whole and decodable ones go on, the others are dropped with all that depends on them.
func (c *channel) accessUnit(u *depacket.AccessUnit) {
	in := &c.track(Video).in
	in.units++
	access := u.IDR || c.cfg.RecoveryPoints && u.RecoveryPoint == 0 && u.Intra
	if !c.showable(in, u, access) {
		in.dropped++
		c.askIDR()
		return
	}
	ticks := in.clock.unwrap(u.Timestamp)
	if in.units > 1 {
		in.cadence.add(ticks - in.stamps.ticks)
	}
	in.stamps.note(u, ticks)
	p := picture{data: u.Data, idr: access, leading: in.leading(u, access), count: u.POC, counted: u.HasPOC, from: in.stamps.idr}
	if access {
		p.sps, p.pps, p.version = in.h264.ParameterSets()
	}
	if c.phase == starting {
		c.queue.picture(p, ticks)
		return
	}
	c.showPicture(p, ticks)
}

// showable decides what may be published: nothing damaged; and after a loss, unless the policy is Show, nothing until the
// next picture that depends on none before it.
func (c *channel) showable(in *ingest, u *depacket.AccessUnit, access bool) bool {
	broken := u.Damaged || u.MissingSets
	lossy := broken || u.AfterLoss && !access
	switch {
	case lossy && c.cfg.OnLoss == Show && !in.damaged && !u.MissingSets:
		c.askIDR()
		return !broken
	case lossy:
		if !in.damaged {
			c.log.Debug("pictures withheld until the next IDR", "session", c.pub.session, "damaged", u.Damaged,
				"missing_sets", u.MissingSets, "after_loss", u.AfterLoss)
		}
		in.damaged = true
	case access:
		in.rejoined = in.damaged
		in.damaged = false
	case in.rejoined && in.leading(u, false):
		return false
	}
	return !in.damaged
}

// leading reports a picture that comes after the newest random access point and is shown before it (ISO/IEC 14496-12
// 3.1.10): without what came before that point it cannot be decoded. An IDR has none.
func (in *ingest) leading(u *depacket.AccessUnit, access bool) bool {
	if access {
		in.openGroup, in.access = !u.IDR && u.HasPOC, u.POC
	}
	return in.openGroup && u.HasPOC && u.POC < in.access
}

// showPicture lays a picture on the time line.
func (c *channel) showPicture(p picture, ticks int64) {
	in := &c.track(Video).in
	c.line.follow(in.clock.time(ticks))
	p.at = c.place(Video, ticks)
	if p.idr && c.reorders() { // nothing of a new time line is shown before the last of the old
		if d := c.w.shown() - p.at; d > 0 {
			c.line.jump(Video, d)
			p.at += d
		}
	}
	p.reorder = max(in.h264.MaxReorder(), in.stamps.depth)
	if in.stamps.decode && p.counted {
		p.reorder, p.stamped = 0, true
		shown := in.stamps.presentation(p.count, p.from, in.cadence.unbroken(firstFrame))
		p.delay = min(max(ticksToTime(shown-ticks, videoRate), -maxDelay), maxDelay)
	}
	if p.idr {
		c.conductor.idr(c.now, p.at)
		if c.conductor.rare(c.cfg) {
			c.log.Warn("keyframes come too rarely, and none when asked: set the encoder's keyframe interval to the segment's length",
				"session", c.pub.session, "interval", c.conductor.gop.Round(time.Millisecond), "segment", c.cfg.Segment)
		}
	}
	c.tell()
	if c.w.video == nil && !c.joinVideo(&p, ticks) {
		in.dropped++
		return
	}
	v := c.w.video
	if err := v.prepare(&p); err != nil {
		c.unusable(err)
		return
	}
	msn := v.open.MSN
	if !v.push(p) {
		in.dropped++
		c.askIDR()
		return
	}
	forced := v.open.MSN != msn && !p.idr
	if forced || v.slow() || v.opening() && v.elapsed() >= openingAsk || c.conductor.due(c.cfg, v.time(v.began), v.time(v.end), v.time(v.frame())) {
		c.askIDR()
	}
}

// place is the stream time of media. What would lie in the future is taken as of now: whatever a sender's clock does, no
// stream runs ahead of the server's time.
func (c *channel) place(kind Kind, ticks int64) time.Duration {
	at, edge := c.line.at(kind, ticks), c.now+c.lead
	if at <= edge+maxAhead {
		return at
	}
	c.line.jump(kind, edge-at)
	return edge
}

// unusable withholds pictures whose parameter sets cannot be read.
func (c *channel) unusable(err error) {
	in := &c.track(Video).in
	in.dropped++
	if !in.damaged {
		c.log.Warn("parameter sets cannot be used", "session", c.pub.session, "error", err)
	}
	in.damaged = true
}

// opusFrame takes one Opus packet (RFC 7587).
func (c *channel) opusFrame(timestamp uint32, opus []byte) {
	in := &c.track(Audio).in
	in.units++
	n, err := depacket.OpusDuration(opus)
	if err != nil {
		in.garbage++
		in.dropped++
		return
	}
	if depacket.OpusChannels(opus) == 2 {
		in.stereo++
	}
	ticks := in.clock.unwrap(timestamp)
	if c.phase == starting {
		c.queue.frame(opus, ticks, int64(n))
		return
	}
	c.playFrame(opus, ticks, int64(n))
}

// playFrame lays a frame on the time line.
func (c *channel) playFrame(opus []byte, ticks, samples int64) {
	c.tell()
	if c.w.audio == nil && !c.joinAudio() {
		c.track(Audio).in.dropped++
		return
	}
	if !c.w.audio.push(opus, samples, c.place(Audio, ticks)) {
		c.track(Audio).in.dropped++
	}
}

// joinVideo adds video that came late to the generation, from its first IDR on.
func (c *channel) joinVideo(p *picture, ticks int64) bool {
	if !p.idr {
		c.askIDR()
		return false
	}
	c.line.late(Video)
	p.at = c.line.at(Video, ticks)
	if err := c.w.joinVideo(p); err != nil {
		c.unusable(err)
		return false
	}
	c.log.Info("video joins the generation", "session", c.pub.session, "generation", c.w.gen.id)
	return true
}

// joinAudio adds audio that came late to the generation.
func (c *channel) joinAudio() bool {
	c.line.late(Audio)
	if err := c.w.joinAudio(c.track(Audio).cfg.Channels); err != nil {
		c.log.Error("audio cannot join", "session", c.pub.session, "error", err)
		return false
	}
	c.log.Info("audio joins the generation", "session", c.pub.session, "generation", c.w.gen.id)
	return true
}

// askIDR sends a PLI, unless one went out a moment ago.
func (c *channel) askIDR() {
	t := c.track(Video)
	if t == nil || t.cfg.PLI == nil || !c.conductor.mayAsk(c.now) {
		return
	}
	c.conductor.ask(c.now, c.line.at(Video, t.in.clock.last))
	t.in.plis++
	t.cfg.PLI()
}
