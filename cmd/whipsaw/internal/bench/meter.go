package bench

import (
	"context"
	"fmt"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/proc"
)

// meter measures what the server and the bench itself use.
type meter struct {
	pid     int // 0: the server is not measured
	begun   time.Time
	last    [2]proc.Usage // the newest of server and bench
	rate    [2]float64    // CPU of both between the last two samples, in cores
	samples []Sample

	idle, ingest, watch *window
}

// window is one phase.
type window struct {
	from, to [2]proc.Usage // of server and bench
	rss      int64         // of the server, mean of the samples
	busy     time.Duration // CPU that the whole machine used
	first    int           // index of the first sample
}

// Indices of what is measured.
const (
	theServer = iota
	theBench
)

func newMeter(pid int, begun time.Time) (*meter, error) {
	m := &meter{pid: pid, begun: begun}
	if err := m.sample(); err != nil {
		return nil, err
	}
	return m, nil
}

// sample reads both processes. Where there is no /proc the bench goes unmeasured; a server that was named must be there.
func (m *meter) sample() error {
	now := [2]proc.Usage{theBench: {At: time.Now()}}
	if self, err := proc.Self(); err == nil {
		now[theBench] = self
	}
	if m.pid != 0 {
		u, err := proc.Read(m.pid)
		if err != nil {
			return fmt.Errorf("server process %d: %w", m.pid, err)
		}
		now[theServer] = u
	}
	for i := range now {
		if d := now[i].At.Sub(m.last[i].At); !m.last[i].At.IsZero() && d > 0 {
			m.rate[i] = float64(now[i].CPU-m.last[i].CPU) / float64(d)
		}
	}
	m.last = now
	if m.pid == 0 {
		return nil
	}
	s := now[theServer]
	m.samples = append(m.samples, Sample{
		Second: s.At.Sub(m.begun).Seconds(), CPU: 1000 * m.rate[theServer], RSS: s.RSS, Threads: s.Threads,
	})
	m.thin()
	return nil
}

// maxSamples bounds how many are kept: beyond it every second one goes.
const maxSamples = 4096

func (m *meter) thin() {
	if len(m.samples) < maxSamples {
		return
	}
	kept := m.samples[:0]
	for i := 0; i < len(m.samples); i += 2 {
		kept = append(kept, m.samples[i])
	}
	m.samples = kept
	for _, w := range []*window{m.idle, m.ingest, m.watch} {
		if w != nil {
			w.first /= 2
		}
	}
}

// every is how often is sampled and drawn.
const every = 500 * time.Millisecond

// measure samples for so long and returns what it was. When ctx ends before, the window is shorter.
func (m *meter) measure(ctx context.Context, d time.Duration, draw func()) (*window, error) {
	if err := m.sample(); err != nil {
		return nil, err
	}
	w := &window{from: m.last, first: max(0, len(m.samples)-1)}
	busy := proc.Busy()
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	sum, n := int64(0), int64(0)
	for stop := false; !stop; {
		select {
		case <-tick.C:
		case <-end.C:
			stop = true
		case <-ctx.Done():
			stop = true
		}
		if err := m.sample(); err != nil {
			return nil, err
		}
		sum, n = sum+m.last[theServer].RSS, n+1
		draw()
	}
	w.to, w.rss, w.busy = m.last, sum/n, proc.Busy()-busy
	return w, ctx.Err()
}

func (w *window) seconds() float64 { return w.to[theBench].At.Sub(w.from[theBench].At).Seconds() }

// cpu is milliseconds of CPU a second, which is also thousandths of a core.
func (w *window) cpu(of int) float64 {
	if w == nil || w.seconds() == 0 {
		return 0
	}
	return 1000 * (w.to[of].CPU - w.from[of].CPU).Seconds() / w.seconds()
}

// others is how many cores everything but server and bench used; 0 where the server is not measured, since it would be
// among them.
func (w *window) others(server bool) float64 {
	if w == nil || w.seconds() == 0 || !server {
		return 0
	}
	return max(w.busy.Seconds()/w.seconds()-w.cpu(theServer)/1000-w.cpu(theBench)/1000, 0)
}

// finish works out the results from the windows.
func (m *meter) finish(r *Result) {
	b := &r.Bench
	b.RSS = m.last[theBench].RSS
	b.IngestCPU, b.WatchCPU = m.ingest.cpu(theBench), m.watch.cpu(theBench)
	b.Others = max(m.ingest.others(m.pid != 0), m.watch.others(m.pid != 0))
	b.Share = max(b.IngestCPU, b.WatchCPU) / 1000 / float64(b.Cores)
	streams, viewers := float64(r.Work.Publishers), float64(r.Work.Viewers)
	if m.ingest != nil && streams > 0 {
		b.CPUPerStream = b.IngestCPU / streams
	}
	if m.watch != nil && viewers > 0 {
		b.CPUPerViewer = (b.WatchCPU - b.IngestCPU) / viewers
	}
	if m.pid == 0 {
		return
	}
	s := &Server{PID: m.pid, Samples: m.samples}
	r.Server = s
	before := m.idle
	if before != nil {
		s.IdleCPU, s.IdleRSS = before.cpu(theServer), before.rss
	}
	if w := m.ingest; w != nil && before != nil {
		s.IngestCPU, s.IngestRSS = w.cpu(theServer), w.rss
		s.CPUPerStream = (s.IngestCPU - s.IdleCPU) / streams
		s.RSSPerStream = int64(float64(w.rss-before.rss) / streams)
		s.Growth = growth(m.samples[min(w.first, len(m.samples)):])
		before = w
	}
	if w := m.watch; w != nil && before != nil {
		s.WatchCPU, s.WatchRSS = w.cpu(theServer), w.rss
		s.CPUPerViewer = (s.WatchCPU - before.cpu(theServer)) / viewers
		s.RSSPerViewer = int64(float64(w.rss-before.rss) / viewers)
		s.Growth = growth(m.samples[min(w.first, len(m.samples)):])
		if r.Watch != nil && r.Watch.Requests > 0 {
			s.CPUPerRequest = 1000 * s.CPUPerViewer * viewers / r.Watch.RequestRate
		}
	}
}

// growth is the slope of the line of least squares through the memory of the samples, in bytes an hour.
func growth(samples []Sample) float64 {
	n := float64(len(samples))
	if n < 2 {
		return 0
	}
	var x, y, xx, xy float64
	for _, s := range samples {
		x, y = x+s.Second, y+float64(s.RSS)
		xx, xy = xx+s.Second*s.Second, xy+s.Second*float64(s.RSS)
	}
	if d := n*xx - x*x; d > 0 {
		return 3600 * (n*xy - x*y) / d
	}
	return 0
}
