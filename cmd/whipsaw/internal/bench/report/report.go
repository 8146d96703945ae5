// Package report compares what benches of several servers have measured: medians, their spread and ratios, as a table for a
// page, as JSON and as a picture.
package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"whipsaw/cmd/whipsaw/internal/bench"
)

// Report compares results with the same work. The first label that was given is compared to the others.
type Report struct {
	Labels []string `json:"labels"`
	Cases  []Case   `json:"cases"` // those without viewers first, each kind by size
}

// Case is one kind of work.
type Case struct {
	Work    bench.Work `json:"work"`
	Runs    []int      `json:"runs"` // by label
	Void    []int      `json:"void"` // runs left out because the bench or the machine was too busy, by label
	Numbers []Number   `json:"numbers"`
}

// Number is one thing that was measured.
type Number struct {
	Name   string   `json:"name"`
	Unit   string   `json:"unit"`
	Values []Spread `json:"values"` // by label
	Ratio  float64  `json:"ratio"`  // median of the first label over that of the second; 0: there is none
}

// Spread is the median of all runs, their smallest and their largest; all NaN are left out as if they were not.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Runs   int     `json:"runs"`
}

// ErrResults is wrapped when results cannot be compared.
var ErrResults = errors.New("bench: results cannot be compared")

// Read reads one result, as bench.Result.WriteJSON wrote it.
func Read(r io.Reader) (*bench.Result, error) {
	var out bench.Result
	d := json.NewDecoder(io.LimitReader(r, 64<<20))
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	if out.Label == "" {
		return nil, fmt.Errorf("%w: a result without --label", ErrResults)
	}
	return &out, nil
}

// New compares results. Their order decides which label is the first. Errors wrap ErrResults.
func New(results []*bench.Result) (*Report, error) {
	if len(results) == 0 {
		return nil, fmt.Errorf("%w: there are none", ErrResults)
	}
	r := &Report{}
	var works []bench.Work
	for _, x := range results {
		if !slices.Contains(r.Labels, x.Label) {
			r.Labels = append(r.Labels, x.Label)
		}
		if w := key(x.Work); !slices.Contains(works, w) {
			works = append(works, w)
		}
	}
	slices.SortStableFunc(works, func(a, b bench.Work) int {
		return cmp.Or(cmp.Compare(a.Within, b.Within), cmp.Compare(min(a.Viewers, 1), min(b.Viewers, 1)), cmp.Compare(a.Publishers, b.Publishers),
			cmp.Compare(a.HTTP, b.HTTP), cmp.Compare(a.Viewers, b.Viewers))
	})
	for _, w := range works {
		r.Cases = append(r.Cases, r.compare(w, results))
	}
	return r, nil
}

// key is work as far as it has to be the same: how long it was measured may differ, and a phase without viewers is the
// same whatever they would have spoken.
func key(w bench.Work) bench.Work {
	w.Seconds = 0
	if w.Viewers == 0 && w.Within == 0 {
		w.HTTP, w.VideoOnly, w.Waiters, w.Hints = "", false, false, false
	}
	return w
}

func (r *Report) compare(w bench.Work, results []*bench.Result) Case {
	c := Case{Work: w, Runs: make([]int, len(r.Labels)), Void: make([]int, len(r.Labels))}
	valid := make([][]*bench.Result, len(r.Labels))
	for _, x := range results {
		if key(x.Work) != w {
			continue
		}
		i := slices.Index(r.Labels, x.Label)
		c.Runs[i]++
		if x.Bench.Void() {
			c.Void[i]++
			continue
		}
		valid[i] = append(valid[i], x)
	}
	for _, m := range measures {
		n := Number{Name: m.name, Unit: m.unit}
		measured := false
		for _, list := range valid {
			s := spread(list, m.of)
			measured = measured || s.Runs > 0
			n.Values = append(n.Values, s)
		}
		if !measured {
			continue
		}
		if len(n.Values) > 1 && n.Values[0].Runs > 0 && n.Values[1].Median > 0 {
			n.Ratio = n.Values[0].Median / n.Values[1].Median
		}
		c.Numbers = append(c.Numbers, n)
	}
	return c
}

// measures are what is compared; NaN is what a result does not have.
var measures = []struct {
	name, unit string
	of         func(*bench.Result) float64
}{
	{"CPU per stream", "ms/s", server(func(r *bench.Result) float64 { return r.Server.CPUPerStream }, ingestOnly)},
	{"memory per stream", "MiB", server(func(r *bench.Result) float64 { return float64(r.Server.RSSPerStream) / (1 << 20) }, ingestOnly)},
	{"first playlist", "ms", func(r *bench.Result) float64 {
		if r.Ingest == nil || r.Ingest.FirstPlaylist == 0 || !ingestOnly(r) {
			return math.NaN()
		}
		return r.Ingest.FirstPlaylist
	}},
	{"most viewers", "", func(r *bench.Result) float64 {
		if r.Search == nil {
			return math.NaN()
		}
		return float64(r.Search.Viewers)
	}},
	{"CPU per viewer", "ms/s", server(func(r *bench.Result) float64 { return r.Server.CPUPerViewer }, watched)},
	{"CPU per request", "µs", server(func(r *bench.Result) float64 { return r.Server.CPUPerRequest }, watched)},
	{"memory per viewer", "KiB", server(func(r *bench.Result) float64 { return float64(r.Server.RSSPerViewer) / (1 << 10) }, watched)},
	{"part delay p50", "ms", watch(func(w *bench.Watch) float64 { return w.Part.P50 })},
	{"part delay p99", "ms", watch(func(w *bench.Watch) float64 { return w.Part.P99 })},
	{"first viewer p50", "ms", watch(func(w *bench.Watch) float64 { return first(w, w.First.P50) })},
	{"first viewer p99", "ms", watch(func(w *bench.Watch) float64 { return first(w, w.First.P99) })},
	{"delivery p99", "ms", watch(func(w *bench.Watch) float64 { return w.Delivery.P99 })},
	{"release p50", "ms", watch(func(w *bench.Watch) float64 { return w.Release.P50 })},
	{"release p99", "ms", watch(func(w *bench.Watch) float64 { return w.Release.P99 })},
	{"stalls", "", watch(func(w *bench.Watch) float64 { return float64(w.Stalls) })},
	{"errors", "", watch(func(w *bench.Watch) float64 {
		n := int64(0)
		for _, e := range w.Errors {
			n += e
		}
		return float64(n)
	})},
}

func ingestOnly(r *bench.Result) bool { return r.Watch == nil && r.Search == nil && r.Ingest != nil }
func watched(r *bench.Result) bool    { return r.Watch != nil }

func server(of func(*bench.Result) float64, applies func(*bench.Result) bool) func(*bench.Result) float64 {
	return func(r *bench.Result) float64 {
		if r.Server == nil || !applies(r) {
			return math.NaN()
		}
		return of(r)
	}
}

func watch(of func(*bench.Watch) float64) func(*bench.Result) float64 {
	return func(r *bench.Result) float64 {
		if r.Watch == nil {
			return math.NaN()
		}
		return of(r.Watch)
	}
}

// first is NaN for what was measured before first viewers were.
func first(w *bench.Watch, x float64) float64 {
	if w.First.Count == 0 {
		return math.NaN()
	}
	return x
}

func spread(results []*bench.Result, of func(*bench.Result) float64) Spread {
	var v []float64
	for _, r := range results {
		if x := of(r); !math.IsNaN(x) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return Spread{}
	}
	slices.Sort(v)
	return Spread{Median: (v[(len(v)-1)/2] + v[len(v)/2]) / 2, Min: v[0], Max: v[len(v)-1], Runs: len(v)}
}

// WriteJSON writes the report, indented.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
