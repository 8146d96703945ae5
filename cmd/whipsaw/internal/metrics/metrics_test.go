package metrics

import (
	"bytes"
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// parsed is a page as Prometheus' own library reads it.
func parsed(t require.TestingT, text []byte) map[string]*dto.MetricFamily {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err, "%s", text)
	return families
}

type list []func(*Page)

func (l list) Collect(p *Page) {
	for _, f := range l {
		f(p)
	}
}

func TestText(t *testing.T) {
	d := New(Counter, "b_total", "With \\ and\nlines.", "x", "y")
	text := string(Collect(list{func(p *Page) {
		p.Value(d, 2, "b", `q"\`)
		p.Value(d, 1, "a", "n\n\xff")
		p.Value(New(Gauge, "a", "Plain."), math.Inf(1))
		p.Histogram(New(Histogram, "h", "Distribution.", "s"), []float64{0.5, 1}, []uint64{1, 2, 4}, 9.5, "v")
		p.Quantiles(New(Summary, "s", "Summary."), map[float64]float64{1: 7, 0.5: 3}, 20, 6)
	}}).Text())
	require.Equal(t, `# HELP a Plain.
# TYPE a gauge
a +Inf
# HELP b_total With \\ and\nlines.
# TYPE b_total counter
b_total{x="a",y="n\n�"} 1
b_total{x="b",y="q\"\\"} 2
# HELP h Distribution.
# TYPE h histogram
h_bucket{s="v",le="0.5"} 1
h_bucket{s="v",le="1"} 3
h_bucket{s="v",le="+Inf"} 7
h_sum{s="v"} 9.5
h_count{s="v"} 7
# HELP s Summary.
# TYPE s summary
s{quantile="0.5"} 3
s{quantile="1"} 7
s_sum 20
s_count 6
`, text)
	families := parsed(t, []byte(text))
	require.Len(t, families, 4)
	require.EqualValues(t, 3, families["h"].GetMetric()[0].GetHistogram().GetBucket()[1].GetCumulativeCount())
	require.Empty(t, Collect().Text())
	require.Panics(t, func() { new(Page).Value(d, 1, "one") })
}

// Whatever a label holds, Prometheus reads it as it was, and nothing else.
func FuzzLabel(f *testing.F) {
	for _, s := range []string{"", "plain", "\"} 1\nx 2", `\`, "\x00\xff", "ü\u2028"} {
		f.Add(s, 1.5)
	}
	f.Fuzz(func(t *testing.T, label string, v float64) {
		d := New(Gauge, "g", label, "l")
		families := parsed(t, Collect(list{func(p *Page) { p.Value(d, v, label) }}).Text())
		require.Len(t, families, 1)
		m := families["g"].GetMetric()
		require.Len(t, m, 1)
		require.Equal(t, strings.ToValidUTF8(label, "\uFFFD"), m[0].GetLabel()[0].GetValue())
		if !math.IsNaN(v) {
			require.Equal(t, v, m[0].GetGauge().GetValue())
		}
	})
}

// The runtime and the process are told of as Prometheus' own library does: the same names, types and labels, and values
// that are near.
func TestRuntimeAndProcess(t *testing.T) {
	runtime.GC()
	text := Collect(Runtime{}, Process{}).Text()
	ours := parsed(t, text)
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	theirs, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range theirs {
		name := f.GetName()
		if name == "process_virtual_memory_max_bytes" || runtime.GOOS != "linux" && ours[name] == nil {
			continue // an unlimited number, and what other systems do not tell
		}
		require.Contains(t, ours, name)
		require.Equal(t, f.GetType(), ours[name].GetType(), name)
		require.Len(t, ours[name].GetMetric(), len(f.GetMetric()), name)
		want, got := f.GetMetric()[0], ours[name].GetMetric()[0]
		switch name {
		case "go_gc_gogc_percent", "go_gc_gomemlimit_bytes", "go_sched_gomaxprocs_threads", "process_max_fds", "go_info":
			require.Equal(t, want.GetGauge().GetValue(), got.GetGauge().GetValue(), name)
		case "go_goroutines": // theirs come and go while they are counted
			require.Positive(t, got.GetGauge().GetValue())
		case "process_start_time_seconds":
			require.InDelta(t, want.GetGauge().GetValue(), got.GetGauge().GetValue(), 60, name)
		case "go_memstats_last_gc_time_seconds", "process_resident_memory_bytes", "go_memstats_heap_inuse_bytes", "go_memstats_sys_bytes":
			ratio := got.GetGauge().GetValue() / want.GetGauge().GetValue()
			require.True(t, ratio > 0.25 && ratio < 4, "%s: %v times theirs; a small heap grows while it is told of", name, ratio)
		case "go_gc_duration_seconds":
			require.Len(t, got.GetSummary().GetQuantile(), len(want.GetSummary().GetQuantile()))
		}
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		require.Contains(t, p.Metric, "go_memstats_", p.Text) // as they are called everywhere
	}
}

func TestProcFiles(t *testing.T) {
	total, resident, ok := memory("100 20 3 4 0 5 0\n")
	require.True(t, ok)
	require.Equal(t, [2]int{100, 20}, [2]int{total, resident})
	for _, bad := range []string{"", "1", "x 1", "1 x"} {
		_, _, ok = memory(bad)
		require.False(t, ok, bad)
	}
	in, out, ok := octets("TcpExt: A B\nTcpExt: 1 2\nIpExt: X InOctets OutOctets\nIpExt: 5 6 7\n")
	require.True(t, ok)
	require.Equal(t, [2]float64{6, 7}, [2]float64{in, out})
	for _, bad := range []string{"", "IpExt: InOctets\nIpExt: 1\n", "IpExt: InOctets OutOctets\nIpExt: 1\n", "IpExt: InOctets OutOctets\nIpExt: x y", "\n\n\n"} {
		_, _, ok = octets(bad)
		require.False(t, ok, bad)
	}
}

func TestHandler(t *testing.T) {
	value := Func(Gauge, "one", "One.", func() float64 { return 1 })
	ask := func(h http.Handler, encoding string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	h := Handler(value)
	w := ask(h, "")
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), "\none 1\n")
	z, err := gzip.NewReader(ask(h, "deflate, gzip").Body)
	require.NoError(t, err)
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, w.Body.String(), string(plain))
}

// Many who ask at once do not make the server look at all streams as many times.
func TestHandlerIsBounded(t *testing.T) {
	reached, release := make(chan struct{}), make(chan struct{})
	h := Handler(list{func(*Page) { reached <- struct{}{}; <-release }})
	codes := make(chan int, atOnce)
	for range atOnce {
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			codes <- w.Code
		}()
		<-reached
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	close(release)
	for range atOnce {
		require.Equal(t, http.StatusOK, <-codes)
	}
}
