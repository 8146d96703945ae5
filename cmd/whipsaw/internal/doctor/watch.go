package doctor

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"whipsaw/segmenter"
)

const (
	every = 2 * time.Second // how often streams are looked at
	// A history keeps its first samples, which drift is measured from, and the newest.
	keepFirst  = 8
	keepNewest = 40
)

// Watch looks at all streams again and again and keeps what is found.
type Watch struct {
	registry *segmenter.Registry
	limits   func(stream string) Limits
	log      *slog.Logger
	tell     func(stream, session string, f Finding)

	mu    sync.Mutex
	cards map[string]*card
}

// card is what is kept of one stream.
type card struct {
	session  string
	history  []Sample
	findings []Finding
	told     map[string]bool // findings of this session that log and listener know
}

// NewWatch returns a Watch that has seen nothing yet. limits is asked at each look. tell hears of each finding once per session; it may be nil and must
// not block.
func NewWatch(registry *segmenter.Registry, limits func(stream string) Limits, log *slog.Logger, tell func(stream, session string, f Finding)) *Watch {
	return &Watch{registry: registry, limits: limits, log: log, tell: tell, cards: map[string]*card{}}
}

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			w.look(now)
		}
	}
}

// Findings are those of a stream as of the last look, gravest first; the caller may keep them.
func (w *Watch) Findings(stream string) []Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.cards[stream]; c != nil {
		return slices.Clone(c.findings)
	}
	return nil
}

// look examines every stream once.
func (w *Watch) look(now time.Time) {
	present := map[string]bool{}
	for _, s := range w.registry.Streams() {
		st := s.Status()
		present[st.Name] = true
		w.examine(Sample{At: now, Status: lean(st)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.cards, func(name string, _ *card) bool { return !present[name] })
}

// lean is a status without what no check looks at, so that histories stay small.
func lean(st segmenter.Status) segmenter.Status {
	st.Delay = nil
	if st.Video != nil {
		v := *st.Video
		v.PartBytes = nil
		st.Video = &v
	}
	if st.Audio != nil {
		a := *st.Audio
		a.PartBytes = nil
		st.Audio = &a
	}
	return st
}

// examine adds a sample to its stream's history and renews the findings.
func (w *Watch) examine(s Sample) {
	name := s.Status.Name
	fresh, session := w.update(name, s)
	for _, f := range fresh {
		level := slog.LevelWarn
		if f.Severity == Info {
			level = slog.LevelInfo
		}
		w.log.Log(context.Background(), level, "finding", "stream", name, "session", session, "id", f.ID, "severity", string(f.Severity),
			"what", f.Sentence, "fix", f.Fix)
		if w.tell != nil {
			w.tell(name, session, f)
		}
	}
}

// update returns the findings that are new in this session.
func (w *Watch) update(name string, s Sample) (fresh []Finding, session string) {
	limits := w.limits(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cards[name]
	if c == nil {
		c = &card{told: map[string]bool{}}
		w.cards[name] = c
	}
	if p := s.Status.Publisher; p != nil && p.Session != c.session {
		*c = card{session: p.Session, told: map[string]bool{}}
	}
	c.history = append(c.history, s)
	if len(c.history) > keepFirst+keepNewest {
		c.history = slices.Delete(c.history, keepFirst, keepFirst+1)
	}
	since := map[string]time.Time{}
	for _, f := range c.findings {
		since[f.ID] = f.Since
	}
	c.findings = Examine(c.history, limits)
	for i := range c.findings {
		f := &c.findings[i]
		if at, known := since[f.ID]; known {
			f.Since = at
		}
		if !c.told[f.ID] {
			c.told[f.ID] = true
			fresh = append(fresh, *f)
		}
	}
	return fresh, c.session
}
