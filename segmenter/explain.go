package segmenter

import (
	"context"
	"log/slog"
	"time"
)

// explainer writes, at debug level, what became of a stream's packets: each loss, each cut and why it was made there. It
// compares counters after each batch of packets, so that it costs nothing at any other level.
type explainer struct {
	on    bool
	ended [2]int64 // segments whose end is explained already
	gen   *Generation
	lost  [2]uint64
	drops [2]uint64
	pub   *Publisher
}

func newExplainer(log *slog.Logger) explainer {
	return explainer{on: log.Enabled(context.Background(), slog.LevelDebug)}
}

// explain tells what happened since the last call.
func (x *explainer) explain(c *channel) {
	if !x.on {
		return
	}
	if c.pub != x.pub {
		x.pub, x.lost, x.drops = c.pub, [2]uint64{}, [2]uint64{}
	}
	if p := c.pub; p != nil {
		for k, t := range p.tracks {
			if t != nil {
				x.track(c, Kind(k), &t.in)
			}
		}
	}
	if c.w == nil {
		return
	}
	if c.w.gen != x.gen {
		x.gen, x.ended = c.w.gen, [2]int64{-1, -1}
	}
	for _, b := range c.w.builders() {
		x.cuts(c, b)
	}
}

// track tells of losses, and of what could not be shown because of them.
func (x *explainer) track(c *channel, k Kind, in *ingest) {
	if n := in.lost - x.lost[k]; n > 0 {
		c.log.Debug("packets lost, after all repair", "session", c.pub.session, "track", k.String(), "packets", n, "asked_for", in.nacks)
	}
	if n := in.dropped - x.drops[k]; n > 0 {
		c.log.Debug("not shown: damaged, out of its time, or dependent on what was", "session", c.pub.session, "track", k.String(),
			"units", n, "waits_for_keyframe", k == Video && in.damaged)
	}
	x.lost[k], x.drops[k] = in.lost, in.dropped
}

// cuts tells of segments that ended.
func (x *explainer) cuts(c *channel, b *builder) {
	for _, s := range b.segments {
		if s.MSN <= x.ended[b.kind] {
			continue
		}
		x.ended[b.kind] = s.MSN
		c.log.Debug("segment cut", "generation", c.w.gen.id, "track", b.kind.String(), "msn", s.MSN,
			"duration", s.Duration().Round(time.Millisecond), "parts", len(s.Parts), "why", c.w.why(b, s.MSN+1))
	}
}

// why says what made the segment before msn end.
func (w *writer) why(b *builder, msn int64) string {
	next := b.open
	if next.MSN != msn {
		return "its successor has ended as well"
	}
	switch {
	case next.Discontinuity:
		return "discontinuity"
	case b.kind == Audio && w.video != nil:
		return "follows video"
	case b.kind == Audio:
		return "its length is reached"
	case w.video.filling:
		return "filler"
	case w.video.idrCut && b.end > b.began || w.video.pending && w.video.idrCut:
		return "keyframe"
	case msn == 1:
		return "first segment, short on purpose"
	}
	return "no keyframe came in time"
}
