package segmenter

import (
	"time"

	"whipsaw/fmp4"
)

// tryStart goes live when the tracks that will come have come: video with its first IDR, audio with a frame; a declared
// track of which nothing came within TrackWait of the first media is left out.
func (c *channel) tryStart(now time.Duration) {
	first, any := c.firstMedia()
	if !any {
		return
	}
	waited := now-first >= c.cfg.TrackWait || c.queue.full()
	pic, frame := c.queue.first()
	if v := c.track(Video); v != nil && pic == nil && (v.in.came || !waited) {
		return
	}
	if c.track(Audio) != nil && frame == nil && !waited {
		return
	}
	if pic != nil && !waited && !c.orderKnown() {
		return
	}
	if pic == nil && frame == nil {
		return
	}
	c.goLive(pic, frame)
}

// orderKnown says whether enough pictures have come to see how they are reordered and what their RTP times mean.
func (c *channel) orderKnown() bool {
	in := &c.track(Video).in
	depth := in.h264.MaxReorder()
	return depth == 0 || in.stamps.known || c.queue.pictures >= 4+max(depth, 0)
}

// firstMedia is when the first packet of any track came.
func (c *channel) firstMedia() (first time.Duration, any bool) {
	for _, t := range c.pub.tracks {
		if t != nil && t.in.came && (!any || t.in.first < first) {
			first, any = t.in.first, true
		}
	}
	return first, any
}

// reorders says whether the publisher's pictures are shown in another order than they come.
func (c *channel) reorders() bool {
	in := &c.track(Video).in
	return in.h264.MaxReorder() > 0 || in.stamps.depth > 0
}

// goLive lays the publisher's time line on the generation's, or begins a generation, and plays the queue. What the filler
// has already filled is caught up with by pictures that last shorter.
func (c *channel) goLive(pic, frame *queued) {
	kind, ticks := Audio, int64(0)
	if frame != nil {
		ticks = frame.ticks
	}
	if pic != nil {
		kind, ticks = Video, pic.ticks
	}
	if c.w != nil && pic != nil {
		pic = c.queue.sinceLastIDR() // the filler has stood in for what came before
		ticks = pic.ticks
	}
	came := c.line.clocks[kind].offset() + c.line.clocks[kind].time(ticks)
	fresh := c.w == nil
	if fresh {
		from := c.restored(pic != nil, frame != nil)
		c.w = newWriter(c.cfg, c.now, came, c.base, from)
		c.w.stream = c.name
		c.w.fault = func(err error) { c.log.Error("restarts will not be survived", "error", err) }
		c.lead = c.w.start() - came
	}
	start := came + c.lead
	if pic != nil && c.reorders() {
		start = max(start, c.w.end(), c.w.shown()) // pictures out of order cannot be hurried
	}
	c.line.anchor(kind, ticks, start)
	c.phase = live
	c.lead = c.line.lead()
	if fresh {
		if !c.begin(pic, frame) {
			return
		}
	} else {
		c.w.now = c.now
		c.w.wall.step(c.w.epoch+1, start, -c.lead)
		c.rejoin(pic, start)
	}
	c.play()
}

// begin opens the renditions of a new generation.
func (c *channel) begin(pic, frame *queued) bool {
	w := c.w
	if pic != nil {
		v := newVideoWriter(w)
		if err := v.prepare(&pic.picture); err != nil {
			c.w = nil
			c.phase = starting
			c.unusable(err)
			c.queue.dropPictures()
			return false
		}
		v.builder.begin(timeToTicks(w.start(), videoRate), 0, pic.picture.init, w.wall.program(w.epoch, w.start()))
		pic.picture.init = nil
		v.idrAt = v.end
		v.order.reset(pic.picture.reorder)
		w.video = v
	}
	if frame != nil {
		a := newAudioWriter(w, c.track(Audio).cfg.Channels)
		init, err := fmp4.OpusInit(a.channels)
		if err != nil {
			c.log.Error("no init segment for Opus", "error", err)
			c.w = nil
			c.detach(c.now, ReasonInternal)
			return false
		}
		a.builder.begin(timeToTicks(w.start(), audioRate), 0, init, w.wall.program(w.epoch, w.start()))
		w.audio = a
	}
	for _, b := range w.builders() {
		w.number(b)
		w.save(b)
		w.show(b)
	}
	c.begun(w.gen)
	c.log.Info("generation begins", "session", c.pub.session, "generation", w.gen.id, "continued", w.from != nil, "video", pic != nil, "audio", frame != nil)
	c.observe(EventLive, c.pub, "")
	return true
}

// rejoin brings a generation that a filler held up to the point where the new publisher goes on.
func (c *channel) rejoin(pic *queued, start time.Duration) {
	w := c.w
	if w.audio != nil {
		w.audio.fill(timeToTicks(start, audioRate))
	}
	if pic != nil && w.video != nil {
		w.video.version = -1 // versions of another publisher mean nothing
		w.video.cadence = cadence{}
		w.video.last = 0
		w.video.startFilling()
		w.video.anew = true
	} else {
		w.discontinue()
		w.publish(w.builders()[0], PartID{}, false) // the others follow, with the parts that they announced
	}
	c.log.Info("generation goes on", "session", c.pub.session, "generation", w.gen.id)
	c.observe(EventResumed, c.pub, "")
}

// play lays what was queued on the time line.
func (c *channel) play() {
	items := c.queue.items
	c.queue.items = nil
	for _, i := range items {
		if i.opus != nil {
			c.playFrame(i.opus, i.ticks, i.samples)
		} else {
			c.showPicture(i.picture, i.ticks)
		}
	}
	c.queue.reset()
}

// endGeneration shows EXT-X-ENDLIST; the next publisher begins a generation of its own.
func (c *channel) endGeneration() {
	w := c.w
	w.now = c.now
	w.finish()
	c.observe(EventEnded, c.pub, "")
	c.w = nil
	c.cfg = c.all.of(c.name)
	if w.store != nil {
		if err := w.store.Delete(c.name); err != nil {
			c.log.Error("saved state cannot be deleted", "error", err)
		}
	}
	c.log.Info("generation ended", "generation", w.gen.id)
}

// leave ends the generation when the process ends: for good, or for the successor that finds the saved state.
func (c *channel) leave() {
	if c.w.store == nil {
		c.endGeneration()
	} else {
		close(c.w.gen.done)
		c.w = nil
	}
	c.phase = waiting
}
