package segmenter

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Store keeps what a stream needs to go on after the process was restarted, by the stream's name. It is called from the
// streams' goroutines, once a segment, and must be quick.
type Store interface {
	Load(stream string) ([]byte, error) // nil without an error: nothing is kept
	Save(stream string, state []byte) error
	Delete(stream string) error
}

// state is what has to be known of a generation to continue it: numbers that nothing published has gone beyond. It is
// saved before the first part of a segment is published, so that a process killed at any moment has used no number
// that its successor would use again.
type state struct {
	Generation      string        `json:"generation"`
	Started         time.Time     `json:"started"`
	Saved           time.Time     `json:"saved"`
	MSN             int64         `json:"msn"` // of the newest segment
	Epoch           int64         `json:"epoch"`
	Discontinuities int64         `json:"discontinuities"` // up to that segment, its own included
	Init            int           `json:"init"`            // number of the newest init segment
	Start           time.Duration `json:"start"`           // stream time at which that segment began
	Video           bool          `json:"video"`
	Audio           bool          `json:"audio"`
	Part            time.Duration `json:"part"`   // PART-TARGET
	Target          int           `json:"target"` // EXT-X-TARGETDURATION
}

var errState = errors.New("segmenter: the saved state makes no sense")

// decodeState reads a saved state; errors wrap errState.
func decodeState(b []byte) (*state, error) {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	const most = 1 << 50 // far beyond any life, far from overflow
	if !ValidName(s.Generation) || !s.Video && !s.Audio || min(s.MSN, s.Epoch, s.Discontinuities, int64(s.Init), int64(s.Start)) < 0 ||
		max(s.MSN, s.Epoch, s.Discontinuities, int64(s.Init)) > most || s.Start > 100*365*24*time.Hour {
		return nil, errState
	}
	return &s, nil
}

// save notes how far the generation has got. A failure is told, and the stream goes on: only a restart would suffer.
func (w *writer) save(b *builder) {
	if w.store == nil || b.open.MSN <= w.saved {
		return
	}
	w.saved = b.open.MSN
	s := state{
		Generation: w.gen.id, Started: w.gen.started, Saved: w.clock(w.now), MSN: b.open.MSN, Epoch: w.epoch,
		Start: b.time(b.end), Video: w.video != nil, Audio: w.audio != nil,
		Part: w.cfg.Part, Target: w.cfg.TargetDuration(),
	}
	for _, o := range w.builders() {
		s.Discontinuities = max(s.Discontinuities, o.breaks)
		s.Init = max(s.Init, o.firstInit+len(o.inits)-1)
	}
	out, err := json.Marshal(s)
	if err == nil {
		err = w.store.Save(w.stream, out)
	}
	if err != nil {
		w.fault(fmt.Errorf("segmenter: saving state: %w", err))
	}
}

// restored returns the saved state of a generation that a publisher with these tracks may continue, or nil.
func (c *channel) restored(video, audio bool) *state {
	if c.cfg.Store == nil {
		return nil
	}
	b, err := c.cfg.Store.Load(c.name)
	if err != nil {
		c.log.Error("saved state cannot be read", "error", err)
		return nil
	}
	if b == nil {
		return nil
	}
	s, err := decodeState(b)
	if err != nil {
		c.log.Error("saved state is of no use", "error", err)
		return nil
	}
	// Players that waited longer than a publisher may be away have given up.
	if age := c.wall(c.now).Sub(s.Saved); age < 0 || age > c.cfg.Resume+2*c.cfg.maxSegment() || s.Video != video || s.Audio != audio {
		return nil
	}
	// rfc8216bis 6.2.1: EXT-X-TARGETDURATION must not change, and PART-TARGET does not either: other settings, another generation.
	if s.Part != c.cfg.Part || s.Target != c.cfg.TargetDuration() {
		return nil
	}
	return s
}

// resumeFrom makes a new writer continue a saved generation: its first segment is the one after the saved one, under
// EXT-X-DISCONTINUITY; the time that was lost is left out.
func (w *writer) resumeFrom(s *state) {
	w.gen.id, w.gen.started = s.Generation, s.Started
	w.epoch, w.saved = s.Epoch+1, s.MSN
	w.from = s
}

// start is the stream time at which a generation begins: 0, or past all that was published before a restart.
func (w *writer) start() time.Duration {
	if w.from == nil {
		return 0
	}
	return w.from.Start + 2*w.cfg.maxSegment() + time.Second
}

// number gives a builder that has just begun the numbers that it continues with.
func (w *writer) number(b *builder) {
	s := w.from
	if s == nil {
		return
	}
	b.open.MSN, b.open.Epoch, b.open.Discontinuity = s.MSN+1, w.epoch, true
	b.firstInit = s.Init + 1
	b.open.Init = b.firstInit
	b.discontinuity, b.breaks = s.Discontinuities, s.Discontinuities+1
}
