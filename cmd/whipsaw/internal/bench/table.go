package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the result for people.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	r.workRows(row)
	if r.Ingest != nil {
		r.ingestRows(row)
	}
	if r.Watch != nil {
		r.watchRows(row)
	}
	if r.Search != nil {
		r.searchRows(row)
	}
	if r.Server != nil {
		r.serverRows(row)
	}
	r.benchRows(row)
	for _, e := range r.Errors {
		row("error", "%s", strings.ReplaceAll(e, "\n", "; "))
	}
	return t.Flush()
}

type rows func(name, format string, args ...any)

func (r *Result) workRows(row rows) {
	if r.Label != "" {
		row("label", "%s", r.Label)
	}
	row("machine", "%s, %d cores, kernel %s", r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel)
	work := []string{}
	if r.Work.Clip != "" {
		work = append(work, fmt.Sprintf("%d publishers of %s, %.4g frames/s, %s/s", r.Work.Publishers, r.Work.Clip, r.Work.FrameRate, bits(float64(r.Work.Bitrate))))
	} else {
		work = append(work, fmt.Sprintf("%d streams of others", r.Work.Publishers))
	}
	if r.Work.Viewers > 0 {
		work = append(work, fmt.Sprintf("%d viewers on HTTP/%s", r.Work.Viewers, r.Work.HTTP))
	}
	row("work", "%s, %.4g s each", strings.Join(work, "; "), r.Work.Seconds)
}

func (r *Result) ingestRows(row rows) {
	in := r.Ingest
	row("published", "%d packets, %d pictures, late %d, publishers lost %d", in.Packets, in.Frames, in.Late, in.Lost)
	if in.FirstPlaylist > 0 {
		row("first playlist", "%.0f ms after the first picture was sent", in.FirstPlaylist)
	}
}

func (r *Result) watchRows(row rows) {
	w := r.Watch
	row("requests", "%d, %.0f a second, %s/s", w.Requests, w.RequestRate, bits(w.BitRate))
	sent := "last packet sent"
	if r.Ingest == nil { // only its mark tells
		sent = "first packet of the last frame sent, by its publisher's clock"
	}
	row("part delay", "%s  (%s -> last byte at a viewer)", w.Part, sent)
	row("first viewer", "%s  (%s -> last byte at a part's first viewer)", w.First, sent)
	row("playlist delay", "%s  (%s -> playlist at a viewer who waited)", w.Playlist, sent)
	row("release", "%s  (%s -> playlist at the last who waited)", w.Release, sent)
	row("delivery", "%s  (first viewer -> the others)", w.Delivery)
	row("taken", "%s  (last byte received by the system -> taken by the bench)", w.Taken)
	row("stalls", "%d, %.0f ms together", w.Stalls, w.StalledMS)
	kinds := make([]string, 0, len(w.Errors))
	for what, n := range w.Errors {
		kinds = append(kinds, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(kinds)
	row("errors", "%d  %s", total(w.Errors), strings.Join(kinds, "; "))
}

func (r *Result) searchRows(row rows) {
	for _, s := range r.Search.Steps {
		verdict := "too many"
		switch {
		case s.Kept:
			verdict = "served"
		case s.Full:
			verdict = "too many for the bench"
		}
		row(fmt.Sprintf("%d viewers", s.Viewers), "%s: part delay p50 %.1f, p99 %.1f ms, stalls %d, errors %d, CPU %.0f ms a second of the server, %.0f of the bench",
			verdict, s.PartP50, s.PartP99, s.Stalls, s.Errors, s.ServerCPU, s.BenchCPU)
	}
	end := ""
	if r.Search.Full {
		end = "; the bench cannot have more of them, the server might"
	}
	row("most viewers", "%d with part delay p99 within %.4g ms%s", r.Search.Viewers, r.Search.Within, end)
}

// longRun is from how many seconds on the growth of memory means anything.
const longRun = 600

func (r *Result) serverRows(row rows) {
	s := r.Server
	if s.IngestRSS > 0 {
		row("server, a stream", "%.2f ms CPU a second, %s", s.CPUPerStream, size(s.RSSPerStream))
	}
	if s.WatchRSS > 0 {
		row("server, a viewer", "%.3f ms CPU a second, %.0f µs a request, %s", s.CPUPerViewer, s.CPUPerRequest, size(s.RSSPerViewer))
	}
	row("server, in all", "%.0f / %.0f / %.0f ms CPU a second and %s / %s / %s: idle / ingest / viewers",
		s.IdleCPU, s.IngestCPU, s.WatchCPU, size(s.IdleRSS), size(s.IngestRSS), size(s.WatchRSS))
	if r.Work.Seconds >= longRun {
		row("memory growth", "%s an hour, by the line through all samples of the last phase", size(int64(s.Growth)))
	}
}

func (r *Result) benchRows(row rows) {
	b := r.Bench
	var parts []string
	if b.CPUPerStream > 0 {
		parts = append(parts, fmt.Sprintf("%.2f ms CPU a second for a stream (each packet is encrypted for SRTP)", b.CPUPerStream))
	}
	if b.CPUPerViewer > 0 {
		parts = append(parts, fmt.Sprintf("%.3f ms for a viewer", b.CPUPerViewer))
	}
	row("bench itself", "%s; %.0f %% of its %d cores, %s", strings.Join(parts, ", "), 100*b.Share, b.Cores, size(b.RSS))
	if b.Others > 0 {
		row("everything else", "%.0f %% of a core", 100*b.Others)
	}
	if b.Void() {
		row("", "VOID: the bench or something else was too busy, so that the numbers are not the server's")
	}
}

// String is a line of the table.
func (q Quantiles) String() string {
	if q.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %.2f, p90 %.2f, p99 %.2f, max %.2f ms", q.P50, q.P90, q.P99, q.Max)
}

func bits(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f Gbit", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f Mbit", n/1e6)
	}
	return fmt.Sprintf("%.0f kbit", n/1e3)
}

func size(n int64) string {
	switch {
	case n >= 10<<20 || n <= -10<<20:
		return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
	case n >= 1<<20 || n <= -1<<20:
		return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
