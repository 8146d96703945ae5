package segmenter

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// PartID names one part for ever. Epoch is in it, so that a part hinted before a new epoch began is never taken for one
// of the new epoch.
type PartID struct {
	Epoch, MSN int64
	Index      int
}

// Part is one moof and mdat. Everything in it is immutable.
type Part struct {
	PartID
	Duration    time.Duration
	Independent bool // begins with an IDR, or is audio
	Data        []byte
	Published   time.Time
}

// Segment is a run of parts under one media sequence number. What a Snapshot holds of it is immutable.
type Segment struct {
	MSN           int64
	Epoch         int64
	Init          int           // number of its init segment (EXT-X-MAP)
	Discontinuity bool          // EXT-X-DISCONTINUITY stands before it
	Start         time.Duration // on the stream's time line, of its first sample
	ProgramTime   time.Time     // EXT-X-PROGRAM-DATE-TIME
	Parts         []*Part
	Complete      bool // no part will be added
}

// Duration is the sum of its parts: exactly the distance of decode times.
func (s *Segment) Duration() time.Duration {
	var d time.Duration
	for _, p := range s.Parts {
		d += p.Duration
	}
	return d
}

// last is the segment's last part.
func (s *Segment) last() PartID {
	return PartID{Epoch: s.Epoch, MSN: s.MSN, Index: len(s.Parts) - 1}
}

// Size is the length in bytes of all its parts.
func (s *Segment) Size() int {
	n := 0
	for _, p := range s.Parts {
		n += len(p.Data)
	}
	return n
}

// Rendered is a playlist as bytes, made once for all readers; ETag is quoted.
type Rendered struct {
	Body, Gzip []byte
	ETag       string
}

// report is what one rendition tells of another in EXT-X-RENDITION-REPORT.
type report struct {
	name string
	msn  int64
	part int
}

// Snapshot is one version of a rendition: immutable, shared by all readers.
type Snapshot struct {
	Segments      []*Segment // retained, oldest first; the last one may be open
	First         int        // index of the first segment that the playlist shows
	Ended         bool       // EXT-X-ENDLIST: nothing will follow
	Discontinuity int64      // EXT-X-DISCONTINUITY-SEQUENCE

	hint     PartID
	hinted   bool
	next     PartID // where the next part would go
	inits    [][]byte
	firstIni int
	newest   int // init segment of the next part
	reports  []report
	cfg      *Config
	newer    chan struct{} // closed when a newer version exists

	full, delta rendering
}

// rendering makes a Rendered at its first use.
type rendering struct {
	once sync.Once
	out  *Rendered
}

// Hint is the part that EXT-X-PRELOAD-HINT announces; false while nothing is announced.
func (s *Snapshot) Hint() (PartID, bool) { return s.hint, s.hinted }

// Segment returns the retained segment with that number, or nil.
func (s *Snapshot) Segment(msn int64) *Segment {
	if len(s.Segments) == 0 {
		return nil
	}
	i := msn - s.Segments[0].MSN
	if i < 0 || i >= int64(len(s.Segments)) {
		return nil
	}
	return s.Segments[i]
}

// Part returns a published part that is still retained, or nil.
func (s *Snapshot) Part(id PartID) *Part {
	g := s.Segment(id.MSN)
	if g == nil || g.Epoch != id.Epoch || id.Index < 0 || id.Index >= len(g.Parts) {
		return nil
	}
	return g.Parts[id.Index]
}

// Init returns init segment n while a retained segment may need it, or nil.
func (s *Snapshot) Init(n int) []byte {
	if i := n - s.firstIni; i >= 0 && i < len(s.inits) {
		return s.inits[i]
	}
	return nil
}

// Next is where the next part will go if nothing cuts: its segment is past the last complete one.
func (s *Snapshot) Next() PartID { return s.next }

// PartTarget is PART-TARGET of the playlist.
func (s *Snapshot) PartTarget() time.Duration { return s.cfg.Part }

// TargetDuration is EXT-X-TARGETDURATION of the playlist, in seconds.
func (s *Snapshot) TargetDuration() int { return s.cfg.TargetDuration() }

// Rendition is the published side of one track: readers load a Snapshot or wait for a newer one.
type Rendition struct {
	name    string
	done    <-chan struct{} // of its generation
	current atomic.Pointer[Snapshot]
}

// Name is "video" or "audio".
func (r *Rendition) Name() string { return r.name }

// Snapshot returns the newest version; never nil.
func (r *Rendition) Snapshot() *Snapshot { return r.current.Load() }

// Wait returns the first version for which ready holds, the current one included. It returns the context's error and
// the newest version when the context ends first, context.DeadlineExceeded when late says so (nil: never; a context with
// a deadline would cost each waiter half a kilobyte more), and ErrClosed when the server ends. An ended rendition is
// returned at once: nothing will follow.
func (r *Rendition) Wait(ctx context.Context, late <-chan time.Time, ready func(*Snapshot) bool) (*Snapshot, error) {
	for {
		s := r.Snapshot()
		if s.Ended || ready(s) {
			return s, nil
		}
		select {
		case <-s.newer:
		case <-r.done:
			if s = r.Snapshot(); !s.Ended {
				return s, ErrClosed
			}
		case <-ctx.Done():
			return r.Snapshot(), ctx.Err()
		case <-late:
			return r.Snapshot(), context.DeadlineExceeded
		}
	}
}

// publish makes s the current version and wakes all that waited for one.
func (r *Rendition) publish(s *Snapshot) {
	s.newer = make(chan struct{})
	if old := r.current.Swap(s); old != nil {
		close(old.newer)
	}
}
