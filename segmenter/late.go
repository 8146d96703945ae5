package segmenter

import (
	"fmt"
	"slices"

	"whipsaw/fmp4"
)

// late lays a track that comes after the generation began on its time line, beside the one that is there.
func (l *timeline) late(kind Kind) {
	if kind == l.master {
		return // it is this publisher's first track
	}
	l.shift[kind] = l.shift[l.master] + l.skew(kind, l.master)
	l.slewed = 0
	l.master = Audio
}

// joinAudio adds an audio rendition to a generation that has video alone: silence until now.
func (w *writer) joinAudio(channels int) error {
	init, err := fmp4.OpusInit(channels)
	if err != nil {
		return fmt.Errorf("segmenter: late audio: %w", err)
	}
	a := newAudioWriter(w, channels)
	a.inits = [][]byte{init}
	w.backfill(&a.builder, &w.video.builder, a.hush)
	w.audio = a
	w.show(&a.builder)
	return nil
}

// joinVideo adds a video rendition to a generation that has audio alone: its first IDR, repeated until now. Errors say
// that its parameter sets cannot be read.
func (w *writer) joinVideo(p *picture) error {
	v := newVideoWriter(w)
	if err := v.prepare(p); err != nil {
		return err
	}
	v.inits = [][]byte{p.init}
	p.init = nil
	v.order.reset(p.reorder)
	v.idr = append(v.idr, p.data...)
	w.backfill(&v.builder, &w.audio.builder, v.repeat)
	v.idrAt = v.end
	w.video = v
	w.show(&v.builder)
	return nil
}

// backfill gives b the segments that lead has: the same numbers, epochs and times, filled by fill up to a tick.
func (w *writer) backfill(b, lead *builder, fill func(until int64)) {
	list := append(slices.Clone(lead.segments), lead.open)
	head := list[0]
	b.begin(timeToTicks(head.Start, b.rate), head.Epoch, b.inits[0], head.ProgramTime)
	b.open.MSN, b.open.Discontinuity = head.MSN, head.Discontinuity
	for _, g := range list[1:] {
		fill(max(timeToTicks(g.Start, b.rate), b.end+1))
		w.close(b)
		b.cut(boundary{epoch: g.Epoch, discontinuity: g.Discontinuity}, g.ProgramTime.Add(b.time(b.end)-g.Start))
		w.peak[b.kind] = max(w.peak[b.kind], b.newPeak())
	}
	fill(timeToTicks(lead.time(lead.end), b.rate))
	shown := lead.open.MSN
	if len(lead.segments) > 0 {
		shown = lead.segments[lead.first].MSN
	}
	b.first = max(slices.IndexFunc(b.segments, func(g *Segment) bool { return g.MSN == shown }), 0)
	b.discontinuity, b.breaks = lead.discontinuity, lead.breaks
}

// hush adds silence up to a tick and closes parts, without a look at the agenda.
func (a *audioWriter) hush(until int64) {
	const frame = 960
	for a.end < until {
		if full(a.cfg, a.inPart(), a.time(frame)) {
			a.w.close(&a.builder)
		}
		a.add(a.silence(frame), frame, 0, true)
		a.silent += frame
	}
}

// repeat adds the newest IDR up to a tick, one sample a part, without a look at the agenda.
func (v *videoWriter) repeat(until int64) {
	part := timeToTicks(v.cfg.Part, v.rate)
	for v.end < until {
		d := min(part, until-v.end)
		v.still(v.idr, d)
	}
	v.idrCut = true
}

// show makes a builder's rendition a part of the generation.
func (w *writer) show(b *builder) {
	b.rendition.publish(b.snapshot(false))
	w.gen.renditions[b.kind].Store(b.rendition)
	w.announce()
}
