package segmenter

import (
	"time"

	"whipsaw/segmenter/depacket"
)

const (
	audioRate = 48000
	// audioLate is how long audio may be behind the clock before silence stands in for it, audioSlack what the silence
	// leaves open for frames that are still on their way.
	audioLate  = 500 * time.Millisecond
	audioSlack = 300 * time.Millisecond
	// holeTicks is the shortest hole that silence can fill: the shortest Opus frame (RFC 6716 2.1.4).
	holeTicks = 120
)

// silenceTicks are the frame lengths that silence is made of, longest first.
var silenceTicks = []int64{960, 480, 240, 120}

// audioWriter lays Opus frames end to end: each lasts what its own bytes say (RFC 6716 3.1), holes are silence.
type audioWriter struct {
	builder
	w        *writer
	channels int
	last     int64 // length of the newest frame
	silent   int64 // ticks of silence put in
}

func newAudioWriter(w *writer, channels int) *audioWriter {
	return &audioWriter{builder: newBuilder(w, Audio, audioRate), w: w, channels: channels}
}

// silence is an Opus packet of silence.
func (a *audioWriter) silence(ticks int64) []byte {
	return depacket.OpusSilence(int(ticks), a.channels)
}

// push appends a frame that belongs at the stream time at. It reports false for one that came after silence took its
// place.
func (a *audioWriter) push(frame []byte, ticks int64, at time.Duration) bool {
	want := timeToTicks(at, a.rate)
	if want <= a.end-holeTicks {
		return false
	}
	a.fill(want)
	a.append(frame, ticks)
	return true
}

// fill puts silence in up to a tick, as far as whole frames of silence go.
func (a *audioWriter) fill(until int64) {
	for until-a.end >= holeTicks {
		for _, n := range silenceTicks {
			if n <= until-a.end {
				a.append(a.silence(n), n)
				a.silent += n
				break
			}
		}
	}
}

// occupy makes sure that the open segment is not empty, and that no part that was announced is missing.
func (a *audioWriter) occupy() {
	if a.end == a.began || a.owes() {
		a.add(a.silence(960), 960, 0, true)
		a.silent += 960
		a.w.close(&a.builder)
	}
}

func (a *audioWriter) append(frame []byte, ticks int64) {
	if a.cutBefore(ticks) {
		a.cut()
		a.publish()
	}
	if len(a.samples) > 0 && a.full(ticks) {
		a.w.close(&a.builder)
		a.publish()
	}
	a.add(frame, ticks, 0, true)
	a.last = ticks
	if a.full(ticks) {
		a.w.close(&a.builder)
		if a.w.video == nil && a.opening() && cutOpening(a.cfg, a.elapsed()) {
			a.w.cut(&a.builder)
		}
		a.publish()
	}
}

// cutBefore decides whether the next frame begins a segment: where video did, or on its own clock without video or when
// video is so late that the segment would grow past what EXTINF may say.
func (a *audioWriter) cutBefore(ticks int64) bool {
	switch at, ok := a.w.agenda.begins(a.open.MSN + 1); {
	case a.end == a.began:
		return false
	case a.w.video != nil && a.forced(ticks):
		return true
	case a.owes():
		return false
	case ok && a.w.due(&a.builder):
		// A part that was announced and begun before video's cut was known becomes as long as others are.
		late := a.announced() && !at.discontinuity && at.at <= a.time(a.partBegan)+dueSlack
		return !late || a.inPart() >= floor(a.cfg)
	default:
		return a.w.video == nil && a.ownCut(ticks)
	}
}

// cut ends the segment: before the open part, if that began where video had cut already, which is known only now.
func (a *audioWriter) cut() {
	at, ok := a.w.agenda.begins(a.open.MSN + 1)
	if !ok || at.at > a.time(a.partBegan)+dueSlack || a.announced() || a.partBegan == a.began {
		a.w.cut(&a.builder)
		return
	}
	samples, end := a.samples, a.end
	a.samples, a.end = nil, a.partBegan
	a.w.cut(&a.builder)
	a.samples, a.end = samples, end
}

// forced says whether video is so late that the segment must end before a frame of that length.
func (a *audioWriter) forced(ticks int64) bool {
	return a.elapsed()+a.time(ticks) > a.cfg.maxSegment()+forceFollowAfter
}

// full closes a part where the segment is a whole number of such parts, if that keeps the floor, so that none is left with
// a very short last one: hls.js takes that for buffered already and stands still.
func (a *audioWriter) full(ticks int64) bool {
	frame := a.time(ticks)
	if at, ok := a.w.agenda.begins(a.open.MSN + 1); ok && !a.w.due(&a.builder) && a.time(a.partBegan)+a.cfg.Part >= at.at+frame {
		return false // what is left of the segment fits in as well
	}
	for d := a.cfg.Part / frame * frame; d >= floor(a.cfg); d -= frame {
		if a.cfg.Segment%d == 0 && a.inPart() >= floor(a.cfg) {
			return a.inPart()+frame > d
		}
	}
	return full(a.cfg, a.inPart(), frame)
}

// ownCut decides without video: at the frame boundary nearest to the target.
func (a *audioWriter) ownCut(ticks int64) bool {
	return a.elapsed()+a.time(ticks)/2 > a.cfg.Segment
}

func (a *audioWriter) publish() {
	id, ok := a.nextPart()
	a.w.publish(&a.builder, id, ok)
}
