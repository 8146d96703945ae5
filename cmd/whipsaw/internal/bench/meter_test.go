package bench

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench/proc"
	"whipsaw/cmd/whipsaw/internal/bench/watch"
)

// phase is a window of ten seconds in which server and bench used so much.
func phase(server, bench time.Duration, rss int64) *window {
	from, to := time.Unix(100, 0), time.Unix(110, 0)
	return &window{
		from: [2]proc.Usage{{At: from}, {At: from}},
		to:   [2]proc.Usage{{At: to, CPU: server}, {At: to, CPU: bench}}, rss: rss,
	}
}

// What a stream and a viewer cost is what came on top of the phase before.
func TestFinish(t *testing.T) {
	m := &meter{
		pid: 7, idle: phase(100*time.Millisecond, 0, 20<<20), ingest: phase(500*time.Millisecond, time.Second, 60<<20),
		watch: phase(4500*time.Millisecond, 3*time.Second, 100<<20),
	}
	r := &Result{Work: Work{Publishers: 4, Viewers: 200}, Watch: &Watch{Requests: 40000, RequestRate: 4000}, Bench: Cost{Cores: 2}}
	m.finish(r)
	s := r.Server
	require.InDelta(t, 10, s.IdleCPU, 1e-9)
	require.InDelta(t, 10, s.CPUPerStream, 1e-9)
	require.Equal(t, int64(10<<20), s.RSSPerStream)
	require.InDelta(t, 2, s.CPUPerViewer, 1e-9)
	require.InDelta(t, 100, s.CPUPerRequest, 1e-9)
	require.Equal(t, int64(40<<20)/200, s.RSSPerViewer)
	require.InDelta(t, 25, r.Bench.CPUPerStream, 1e-9)
	require.InDelta(t, 1, r.Bench.CPUPerViewer, 1e-9)
	require.InDelta(t, 0.15, r.Bench.Share, 1e-9)
	require.False(t, r.Bench.Void())
}

// Without publishers of its own the first phase is the idle one.
func TestFinishWatchOnly(t *testing.T) {
	m := &meter{pid: 7, idle: phase(time.Second, 0, 60<<20), watch: phase(3*time.Second, 9*time.Second, 100<<20)}
	r := &Result{Work: Work{Viewers: 100}, Watch: &Watch{}, Bench: Cost{Cores: 1}}
	m.finish(r)
	require.InDelta(t, 2, r.Server.CPUPerViewer, 1e-9)
	require.Zero(t, r.Server.CPUPerStream)
	require.True(t, r.Bench.Void())
	var out bytes.Buffer
	require.NoError(t, r.WriteTable(&out))
	require.Contains(t, out.String(), "VOID")
	require.Contains(t, out.String(), "publisher's clock")
	require.NotContains(t, out.String(), "memory growth")
	r.Work.Seconds = 3600
	require.NoError(t, r.WriteTable(&out))
	require.Contains(t, out.String(), "memory growth")
}

// What neither server nor bench used was somebody else's, and spoils the run.
func TestOthers(t *testing.T) {
	m := &meter{pid: 7, idle: phase(0, 0, 1), ingest: phase(time.Second, 2*time.Second, 1), watch: phase(0, 0, 1)}
	m.ingest.busy = 3500 * time.Millisecond
	r := &Result{Work: Work{Publishers: 1}, Bench: Cost{Cores: 2}}
	m.finish(r)
	require.InDelta(t, 0.05, r.Bench.Others, 1e-9)
	require.False(t, r.Bench.Void())
	m.watch.busy = 3 * time.Second
	m.finish(r)
	require.True(t, r.Bench.Void())
	m.pid = 0
	m.finish(r)
	require.Zero(t, r.Bench.Others, "the server would be among them")
}

func TestGrowth(t *testing.T) {
	var samples []Sample
	for i := range 100 {
		samples = append(samples, Sample{Second: float64(i), RSS: int64(1<<20 + 1000*i + i%3)})
	}
	require.InDelta(t, 3.6e6, growth(samples), 1e4)
	require.Zero(t, growth(samples[:1]))
	require.Zero(t, growth(nil))
	require.False(t, math.IsNaN(growth(append(samples[:1], samples[0]))))
}

// However long a run is, what is kept of it is bounded and spans all of it.
func TestThin(t *testing.T) {
	m := &meter{ingest: &window{first: maxSamples - 2}}
	for i := range maxSamples {
		m.samples = append(m.samples, Sample{Second: float64(i)})
	}
	m.thin()
	require.Len(t, m.samples, maxSamples/2)
	require.Equal(t, float64(maxSamples-2), m.samples[m.ingest.first].Second)
}

func TestBar(t *testing.T) {
	var out bytes.Buffer
	b := newBar(&out, true, time.Hour)
	m := &meter{pid: 1}
	b.say("viewers")
	seen := &watch.Result{Requests: 5, Errors: map[string]int64{"x": 3, "y": 4}}
	b.draw(m, seen)
	b.draw(m, seen) // too soon
	require.Equal(t, 1, strings.Count(out.String(), "\r"))
	require.Contains(t, out.String(), "errors 7")
	require.Contains(t, out.String(), "server 0 % of a core")
	b.close()
	require.True(t, strings.HasSuffix(out.String(), "\r"))
	newBar(nil, false, 0).draw(m, nil)
}

func TestUnits(t *testing.T) {
	require.Equal(t, "2.50 Mbit", bits(2.5e6))
	require.Equal(t, "1.00 Gbit", bits(1e9))
	require.Equal(t, "64 kbit", bits(64e3))
	require.Equal(t, "12.5 KiB", size(12800))
	require.Equal(t, "-2.00 MiB", size(-2<<20))
	require.Equal(t, "20 MiB", size(20<<20))
	require.Equal(t, "none", Quantiles{}.String())
}
