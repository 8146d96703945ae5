package segmenter

import (
	"time"
)

// writer is the owner's side of a Generation: the builders of its renditions, which keep the same segment numbers and
// discontinuities, and the mapping to the wall clock.
type writer struct {
	cfg    *Config
	gen    *Generation
	video  *videoWriter // nil without video
	audio  *audioWriter // nil without audio
	agenda agenda
	epoch  int64
	wall   wallClock
	join   time.Duration // EXT-X-START, from the end of the video playlist; 0: players may begin where they like
	peak   [2]int64      // bit/s of the largest segment so far
	now    time.Duration
	clock  func(time.Duration) time.Time
	err    error // the first part that could not be made; ends the publisher

	stream string
	store  Store
	saved  int64  // newest MSN that the store knows; -1 before any
	from   *state // what this generation continues, after a restart
	fault  func(error)

	made []time.Duration // of parts published since they were last asked for: when their last sample came
	gauges
}

// newWriter begins a generation at server time came; at its stream time 0, unless it continues another.
func newWriter(cfg *Config, now, came time.Duration, base time.Time, from *state) *writer {
	w := &writer{
		cfg: cfg, store: cfg.Store, saved: -1, gen: newGeneration(cfg, base.Add(came)), now: now,
		clock: func(d time.Duration) time.Time { return base.Add(d) }, gauges: newGauges(),
	}
	if from != nil {
		w.resumeFrom(from)
	}
	w.wall = wallClock{base: base, offset: came - w.start(), want: came - w.start(), last: w.start()}
	return w
}

// dueSlack is how much before a boundary a rendition may end and still have reached it: less than its shortest sample.
const dueSlack = 2500 * time.Microsecond

// builders are the present ones, video first.
func (w *writer) builders() []*builder {
	var list []*builder
	if w.video != nil {
		list = append(list, &w.video.builder)
	}
	if w.audio != nil {
		list = append(list, &w.audio.builder)
	}
	return list
}

// kept is how many bytes the generation holds for players, and for the parts to come.
func (w *writer) kept() int {
	n := 0
	for _, b := range w.builders() {
		n += b.kept + len(b.payload)
	}
	return n
}

// end is where the longer of the renditions ends on the stream's time line.
func (w *writer) end() time.Duration {
	var end time.Duration
	for _, b := range w.builders() {
		end = max(end, b.time(b.end))
	}
	return end
}

// shown is the stream time from which on a picture is shown after all that there are.
func (w *writer) shown() time.Duration {
	if w.video == nil || w.video.bytes == 0 {
		return 0
	}
	return w.video.time(w.video.shown + 1)
}

// due reports whether a boundary that another rendition decided has come for b.
func (w *writer) due(b *builder) bool {
	at, ok := w.agenda.begins(b.open.MSN + 1)
	return ok && b.time(b.end)+dueSlack >= at.at
}

// cut ends b's segment where b ends now: at the boundary that is decided already, or at a new one.
func (w *writer) cut(b *builder) {
	w.close(b)
	next := b.open.MSN + 1
	at, ok := w.agenda.begins(next)
	if !ok {
		at = boundary{at: b.time(b.end), epoch: w.epoch}
		w.agenda.decide(next, at)
	}
	b.cut(at, w.wall.program(at.epoch, b.time(b.end)))
	w.save(b)
	w.measure(b)
	passed := b.open.MSN
	for _, o := range w.builders() {
		passed = min(passed, o.open.MSN)
	}
	w.agenda.passed(passed)
}

// close ends b's part.
func (w *writer) close(b *builder) {
	before := b.bytes
	if err := b.closePart(w.clock(w.now)); err != nil && w.err == nil {
		w.err = err
	}
	if n := b.bytes - before; n > 0 {
		w.note(b, n)
	}
}

// publish shows b's state to readers. hint announces the next part.
func (w *writer) publish(b *builder, hint PartID, hinted bool) {
	s := b.snapshot(false)
	b.hint, b.hinted = hint, hinted
	s.hint, s.hinted = hint, hinted
	for _, o := range w.builders() {
		if o != b {
			msn, part := o.latest()
			s.reports = append(s.reports, report{name: o.kind.String(), msn: msn, part: part})
		}
	}
	b.rendition.publish(s)
}

// finish ends the generation: the last segments are completed and EXT-X-ENDLIST is shown.
func (w *writer) finish() {
	if w.video != nil {
		w.video.settle(w.video.end + w.video.frame())
	}
	for _, b := range w.builders() {
		w.close(b)
		if len(b.open.Parts) > 0 {
			b.open.Complete = true
			b.segments = append(b.segments, b.open)
			b.open = &Segment{MSN: b.open.MSN + 1, Epoch: b.open.Epoch, Init: b.open.Init}
			w.measure(b)
		}
		s := b.snapshot(true)
		s.Ended = true
		b.rendition.publish(s)
	}
	w.gen.size = int64(w.kept())
	close(w.gen.done)
}

// discontinue ends the running segment: what follows has another epoch. Video leads where there is video. Audio that is
// ahead in its numbers is caught up with by filler; audio that is behind follows when it comes to the boundary.
func (w *writer) discontinue() {
	w.epoch++
	newest := int64(0)
	for _, b := range w.builders() {
		newest = max(newest, b.open.MSN)
	}
	if w.video != nil {
		w.video.catchUp(newest)
	} else {
		w.audio.occupy()
	}
	lead := w.builders()[0]
	w.agenda.decide(newest+1, boundary{at: lead.time(lead.end), discontinuity: true, epoch: w.epoch})
	w.cut(lead)
}
