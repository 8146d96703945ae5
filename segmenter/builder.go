package segmenter

import (
	"fmt"
	"slices"
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// builder writes one rendition: samples become parts, parts become segments, and every part or cut a new Snapshot. Only
// the stream's goroutine touches it. Times are ticks of the track's timescale, counted from the generation's start.
type builder struct {
	cfg       *Config
	kind      Kind
	rate      int64
	rendition *Rendition

	inits     [][]byte // retained init segments, the newest last
	firstInit int

	segments      []*Segment // retained and complete, oldest first
	open          *Segment   // the one that grows
	shown         PartID     // the last part that readers have seen
	hint          PartID     // the part that readers have been told to expect
	hinted        bool
	first         int // index in segments of the first that the playlist shows
	discontinuity int64
	began         int64 // where the open segment began

	samples     []fmp4.Sample
	payload     []byte // scratch of the open part; reused
	partBegan   int64
	end         int64 // decode time of the next sample: the sum of all durations before it
	independent bool
	sequence    uint32

	now    *time.Duration // server time, the writer's
	came   time.Duration  // when the newest sample was added
	bytes  int64          // of all parts published
	kept   int            // bytes of all parts retained
	parts  int64
	breaks int64 // discontinuities
}

func newBuilder(w *writer, kind Kind, rate int64) builder {
	return builder{cfg: w.cfg, kind: kind, rate: rate, now: &w.now, rendition: &Rendition{name: kind.String(), done: w.gen.done}}
}

// begin opens the first segment of the generation at ticks.
func (b *builder) begin(ticks int64, epoch int64, init []byte, program time.Time) {
	b.inits = [][]byte{init}
	b.began, b.partBegan, b.end = ticks, ticks, ticks
	b.open = &Segment{Epoch: epoch, Start: b.time(ticks), ProgramTime: program}
}

func (b *builder) time(ticks int64) time.Duration { return ticksToTime(ticks, b.rate) }

// elapsed is how long the open segment lasts so far.
func (b *builder) elapsed() time.Duration { return b.time(b.end) - b.time(b.began) }

// opening reports whether the open segment is one of the first that players can have.
func (b *builder) opening() bool {
	return len(b.segments) < openings && b.cfg.Segment > openingMost
}

// inPart is how long the open part lasts so far.
func (b *builder) inPart() time.Duration { return b.time(b.end) - b.time(b.partBegan) }

// add appends a sample to the open part; its data is copied.
func (b *builder) add(data []byte, duration, offset int64, sync bool) {
	if len(b.samples) == 0 {
		b.independent = sync
	}
	b.samples = append(b.samples, fmp4.Sample{
		Duration: uint32(duration), Offset: int32(offset), Size: uint32(len(data)), Sync: sync,
	})
	b.payload = append(b.payload, data...)
	b.end += duration
	b.came = *b.now
}

// closePart makes the open samples a part, if there are any.
func (b *builder) closePart(now time.Time) error {
	if len(b.samples) == 0 {
		return nil
	}
	b.sequence++
	data, err := b.encode()
	if err != nil {
		return fmt.Errorf("segmenter: %v part: %w", b.kind, err)
	}
	part := &Part{
		PartID:      PartID{Epoch: b.open.Epoch, MSN: b.open.MSN, Index: len(b.open.Parts)},
		Duration:    b.inPart(),
		Independent: b.independent,
		Data:        data,
		Published:   now,
	}
	b.open.Parts = append(b.open.Parts, part)
	b.bytes += int64(len(data))
	b.kept += len(data)
	b.parts++
	b.samples, b.payload, b.partBegan = b.samples[:0], b.payload[:0], b.end
	return nil
}

// encode makes the bytes of the open part.
func (b *builder) encode() ([]byte, error) {
	if !b.cfg.ReferenceTimes {
		return fmp4.Part(b.sequence, uint64(b.partBegan), b.samples, b.payload)
	}
	captured := b.open.ProgramTime.Add(b.time(b.partBegan) - b.open.Start)
	return fmp4.TimedPart(captured, b.sequence, uint64(b.partBegan), b.samples, b.payload)
}

// cut completes the open segment, which must hold a part and no open sample, and opens the next one.
func (b *builder) cut(at boundary, program time.Time) {
	b.open.Complete = true
	b.segments = append(b.segments, b.open)
	b.open = &Segment{
		MSN: b.open.MSN + 1, Epoch: at.epoch, Init: b.firstInit + len(b.inits) - 1, Discontinuity: at.discontinuity,
		Start: b.time(b.end), ProgramTime: program, Parts: make([]*Part, 0, len(b.open.Parts)+1),
	}
	if at.discontinuity {
		b.breaks++
	}
	b.began = b.end
	b.trim()
}

// trim moves the playlist's first segment on and forgets what nobody may ask for any more.
func (b *builder) trim() {
	edge := b.time(b.end)
	for b.first < len(b.segments)-1 && edge-b.segments[b.first+1].Start >= b.cfg.window() {
		if b.segments[b.first].Discontinuity {
			b.discontinuity++
		}
		b.first++
	}
	// A segment stays fetchable for its own duration and that of the longest playlist that held it (rfc8216bis 6.2.2).
	keep := b.cfg.window() + 3*b.cfg.maxSegment()
	drop := 0
	for drop < b.first && edge-b.segments[drop+1].Start > keep {
		drop++
	}
	for _, g := range b.segments[:drop] {
		b.kept -= g.Size()
	}
	b.segments = slices.Delete(b.segments, 0, drop)
	b.first -= drop
	oldest := b.open.Init
	if len(b.segments) > 0 {
		oldest = b.segments[0].Init
	}
	if n := oldest - b.firstInit; n > 0 {
		b.inits = slices.Clone(b.inits[n:])
		b.firstInit = oldest
	}
}

// next is where the next part will go, if nothing cuts before.
func (b *builder) next() PartID {
	return PartID{Epoch: b.open.Epoch, MSN: b.open.MSN, Index: len(b.open.Parts)}
}

// announced reports whether readers have been told to expect the open part, where it is.
func (b *builder) announced() bool { return b.hinted && b.hint == b.next() }

// owes reports whether readers wait for the open part, which is empty: to cut here would break the word that
// EXT-X-PRELOAD-HINT gave. The draft allows that (rfc8216bis 4.4.5.3), but players stop for a while, and some for good.
func (b *builder) owes() bool {
	return len(b.samples) == 0 && b.announced()
}

// latest is the newest published part, for rendition reports; playlist.NoPart before any.
func (b *builder) latest() (msn int64, part int) {
	if n := len(b.open.Parts); n > 0 {
		return b.open.MSN, n - 1
	}
	if n := len(b.segments); n > 0 {
		last := b.segments[n-1]
		return last.MSN, len(last.Parts) - 1
	}
	return 0, playlist.NoPart
}

// snapshot returns the state as readers see it; nothing in it is shared with what still changes.
//
// A segment's last part is never new in the version that completes the segment: hls.js takes a complete segment for
// loaded as soon as less than 0.2 s of it are missing, and would wait for ever behind a short last part. The segment is
// complete in the version after that. The first one, which nobody plays yet, and the last are shown at once.
func (b *builder) snapshot(ended bool) *Snapshot {
	list := make([]*Segment, len(b.segments), len(b.segments)+1)
	copy(list, b.segments)
	switch n := len(list); {
	case len(b.open.Parts) > 0:
		seen := *b.open // its Parts only grow: the copy's length is fixed
		list = append(list, &seen)
	case n > 1 && !ended && b.shown != list[n-1].last():
		last := *list[n-1]
		last.Complete = false
		list[n-1] = &last
	}
	if n := len(list); n > 0 {
		b.shown = list[n-1].last()
	}
	return &Snapshot{
		Segments: list, First: b.first, Discontinuity: b.discontinuity,
		next: b.next(), inits: slices.Clone(b.inits), firstIni: b.firstInit, cfg: b.cfg,
		newest: b.firstInit + len(b.inits) - 1,
	}
}
