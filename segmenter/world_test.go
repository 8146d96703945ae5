package segmenter

import (
	"container/heap"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
)

// world drives a channel under a virtual clock: whatever is scheduled happens in order, with ticks when the channel
// wants them, and after every step what readers see is recorded.
type world struct {
	t    *testing.T
	cfg  Config
	now  time.Duration
	base time.Time
	ch   *channel
	todo agendaHeap
	n    int
	tick time.Duration
	busy bool

	tolerant bool // lateness is not held against the stream
	gens     []*Generation
	views    map[*Rendition]*view
}

// view is what a player of one rendition has seen.
type view struct {
	check *check.Checker
	held  []byte // the version before, as text
	last  *Snapshot
	parts []*Part
	segs  map[int64]*Segment
	inits map[int][]byte
	hints []PartID // announced by the versions that were seen
}

type task struct {
	at time.Duration
	n  int
	do func()
}

type agendaHeap []task

func (h agendaHeap) Len() int { return len(h) }
func (h agendaHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].n < h[j].n
}
func (h agendaHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *agendaHeap) Push(x any)   { *h = append(*h, x.(task)) }
func (h *agendaHeap) Pop() any     { o := *h; x := o[len(o)-1]; *h = o[:len(o)-1]; return x }

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, cfg: DefaultConfig(), base: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), views: map[*Rendition]*view{}}
	for _, f := range change {
		f(&w.cfg)
	}
	require.NoError(t, w.cfg.Validate())
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.now = time.Second
	w.ch = &channel{all: &w.cfg, cfg: &w.cfg, log: log, base: w.base, memory: holding{all: &memory{}}, drop: func() {}}
	w.ch.begun = func(g *Generation) { w.gens = append(w.gens, g) }
	return w
}

func (w *world) at(d time.Duration, do func()) {
	w.n++
	heap.Push(&w.todo, task{at: d, n: w.n, do: do})
}

// run lets the world go on until a moment.
func (w *world) run(until time.Duration) {
	for {
		next := until
		if len(w.todo) > 0 {
			next = min(next, w.todo[0].at)
		}
		if w.busy {
			next = min(next, max(w.tick, w.now))
		}
		w.now = max(w.now, next)
		for len(w.todo) > 0 && w.todo[0].at <= w.now {
			heap.Pop(&w.todo).(task).do()
		}
		w.tick, w.busy = w.ch.tick(w.now)
		w.look()
		if w.now >= until {
			return
		}
	}
}

// look records what has become visible.
func (w *world) look() {
	for _, g := range w.gens {
		if g.Multivariant() == nil {
			continue // no player knows of it
		}
		for i := range g.renditions {
			if r := g.renditions[i].Load(); r != nil {
				w.see(r)
			}
		}
	}
}

func (w *world) see(r *Rendition) {
	v := w.views[r]
	if v == nil {
		v = &view{segs: map[int64]*Segment{}, inits: map[int][]byte{}, check: check.New()}
		w.views[r] = v
	}
	s := r.Snapshot()
	if s == v.last {
		return
	}
	v.last = s
	if id, ok := s.Hint(); ok {
		if s.Next().Index == 0 { // no segment is left empty
			require.Equal(w.t, s.Next(), id, "%s announces another part than the first of its segment", r.name)
		}
		v.hints = append(v.hints, id)
	}
	for _, g := range s.Segments {
		old := v.segs[g.MSN]
		have := 0
		if old != nil {
			require.Equal(w.t, old.Epoch, g.Epoch)
			have = len(old.Parts)
		}
		v.parts = append(v.parts, g.Parts[have:]...)
		v.segs[g.MSN] = g
		if init := s.Init(g.Init); init != nil {
			v.inits[g.Init] = init
		}
	}
	if len(s.Segments) > 0 {
		w.judge(r, v, s)
	}
}

// judge shows a version to the strict checker: the playlist, its delta update, and all bytes that are new in it.
func (w *world) judge(r *Rendition, v *view, s *Snapshot) {
	w.t.Helper()
	at := w.base.Add(w.now)

	fine := func(list []check.Violation) {
		w.t.Helper()
		for _, x := range list {
			if !w.excused(x) {
				require.Fail(w.t, x.String(), "%s at %v\n%s", r.name, w.now, s.Playlist().Body)
			}
		}
	}
	fine(v.check.Playlist(at, s.Playlist().Body))
	if v.held != nil {
		fine(v.check.Delta(v.held, s.Delta().Body, s.Playlist().Body))
	}
	v.held = s.Playlist().Body
	for _, uri := range v.check.Wanted() {
		fine(v.check.Bytes(uri, s.file(uri)))
	}
}

// excused leaves out what only a punctual network can keep, and that with recovery points not every sync sample is an IDR.
func (w *world) excused(x check.Violation) bool {
	return w.tolerant && strings.Contains(x.Detail, "nothing new after") ||
		w.cfg.RecoveryPoints && strings.Contains(x.Detail, "sync is true, IDR is false")
}

// file is what the server answers for a name in the playlist.
func (s *Snapshot) file(uri string) []byte {
	var id PartID
	var n int
	if _, err := fmt.Sscanf(uri, "part-%d-%d-%d.m4s", &id.Epoch, &id.MSN, &id.Index); err == nil {
		return s.Part(id).Data
	}
	if _, err := fmt.Sscanf(uri, "init-%d.mp4", &n); err == nil {
		return s.Init(n)
	}
	if _, err := fmt.Sscanf(uri, "segment-%d.m4s", &n); err != nil {
		panic(err)
	}
	var b []byte
	for _, p := range s.Segment(int64(n)).Parts {
		b = append(b, p.Data...)
	}
	return b
}

func (w *world) view(k Kind) *view {
	w.t.Helper()
	require.NotEmpty(w.t, w.gens, "no generation began")
	r := w.gens[len(w.gens)-1].Rendition(k.String())
	require.NotNil(w.t, r, "no %v rendition", k)
	return w.views[r]
}

// samples returns all samples of a rendition in order, and checks that decode times are contiguous.
func (v *view) samples(t *testing.T) (all []fmp4.FragmentSample) {
	t.Helper()
	end := int64(-1)
	for _, p := range v.parts {
		fs, err := fmp4.ParseParts(p.Data)
		require.NoError(t, err)
		require.Len(t, fs, 1)
		f := fs[0]
		if end >= 0 {
			require.Equal(t, end, int64(f.DecodeTime), "tfdt is not contiguous at part %+v", p.PartID)
		}
		end = int64(f.DecodeTime + f.Duration())
		all = append(all, f.Samples...)
	}
	return all
}

// promises checks that every part that was announced came, unless the end came first, or another epoch in its place:
// players that asked for it get an error otherwise, and some stop for a while. Recovery points, which cannot be shown
// twice, may come where nobody expected them.
func (v *view) promises(t *testing.T) {
	t.Helper()
	for _, id := range v.hints {
		g := v.segs[id.MSN]
		switch {
		case v.last.Ended || g == nil || !g.Complete && id.Index == len(g.Parts): // it may still come
		case g.Epoch != id.Epoch: // a segment was to end here, and its successor began otherwise
		default:
			require.Less(t, id.Index, len(g.Parts), "the announced part %+v never came", id)
		}
	}
}
