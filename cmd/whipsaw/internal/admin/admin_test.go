package admin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	rpprof "runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/cmd/whipsaw/internal/traffic"
	"whipsaw/segmenter"
)

func get(t *testing.T, registry *segmenter.Registry, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := chi.NewRouter()
	whip, _ := whip(t)
	Routes(r, Sources{
		Registry: registry, WHIP: whip, Version: "v1.2.3", More: []metrics.Collector{traffic.New("")},
		Players:  func(string) audience.Viewers { return audience.Viewers{Players: 2, Connections: 3} },
		Findings: func(string) []doctor.Finding { return []doctor.Finding{{ID: "long-gop"}} },
		Playback: func(string) *cmcd.Stats {
			h := segmenter.Histogram{Bounds: []float64{1}, Counts: []uint64{2, 1}}
			return &cmcd.Stats{Buffer: h, Latency: h, Stalls: 4}
		},
	})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// registry has n streams, each with a publisher that has sent nothing yet.
func registry(t *testing.T, n int) *segmenter.Registry {
	t.Helper()
	r := segmenter.NewRegistry(segmenter.DefaultConfig(), slog.New(slog.DiscardHandler))
	t.Cleanup(r.Close)
	for i := range n {
		_, err := r.Publish(fmt.Sprintf("s%03d", i), segmenter.PublisherConfig{
			Session: "x", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}, {Kind: segmenter.Audio, Channels: 2}},
		})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { // a stream tells of a publisher a moment after it came
		for _, s := range r.Streams() {
			if s.Status().Publisher == nil {
				return false
			}
		}
		return true
	}, time.Minute, 10*time.Millisecond)
	return r
}

func TestMetrics(t *testing.T) {
	w := get(t, registry(t, 2), "/metrics")
	require.Equal(t, http.StatusOK, w.Code)
	for _, line := range []string{
		`whipsaw_build_info{version="v1.2.3"} 1`,
		`whipsaw_streams{state="waiting"} 2`,
		`whipsaw_streams{state="live"} 0`, "whipsaw_kept_bytes 0\n", "whipsaw_kept_max_bytes 4.294967296e+09\n",
		`whipsaw_stream_publishing{stream="s000"} 1`,
		`go_goroutines `, `process_cpu_seconds_total `, `whipsaw_publishers{state="starting"} 2`,
		`whipsaw_stream_players{stream="s000"} 2`, `whipsaw_stream_player_connections{stream="s001"} 3`,
		`whipsaw_stream_finding{finding="long-gop",stream="s000"} 1`, `whipsaw_http_requests_total{class="playlist",code="5xx"} 0`,
		`whipsaw_playback_stalls_total{stream="s000"} 4`, `whipsaw_playback_buffer_seconds_count{stream="s001"} 3`, `whipsaw_playback_latency_seconds_bucket{stream="s001",le="1"} 2`,
	} {
		require.Contains(t, w.Body.String(), line)
	}
}

// However many streams there are and whatever they are called: the number of series is bounded.
func TestMetricsAreBounded(t *testing.T) {
	count := func(streams int) int {
		n := 0
		for line := range strings.Lines(get(t, registry(t, streams), "/metrics").Body.String()) {
			if strings.HasPrefix(line, "whipsaw_") {
				n++
			}
		}
		return n
	}
	require.Equal(t, count(maxLabelled+1), count(maxLabelled+50))
	body := get(t, registry(t, maxLabelled+7), "/metrics").Body.String()
	require.Contains(t, body, fmt.Sprintf(`whipsaw_streams{state="waiting"} %d`, maxLabelled+7))
	require.Contains(t, body, `whipsaw_stream_publishing{stream="(others)"} 7`)
	require.False(t, segmenter.ValidName(otherStreams), "no stream can have this name")
}

// Each series comes out with the value of its own field.
func TestStatusToMetrics(t *testing.T) {
	s := newStreams(Sources{})
	of := func(name string) segmenter.Status {
		var v segmenter.VideoStatus
		v.Packets, v.Lost, v.Bitrate, v.Width, v.GOP, v.Filler = 10, 3, 4000, 640, 2, 1.5
		return segmenter.Status{Name: name, Parts: 7, Publisher: &segmenter.PublisherStatus{}, Video: &v}
	}
	collected := func(label string, statuses ...segmenter.Status) []string {
		var out []string
		for _, f := range gathered(t, oneLabel{s, label, statuses}) {
			for _, m := range f.GetMetric() {
				out = append(out, fmt.Sprint(f.GetName(), " ", m.GetCounter().GetValue()+m.GetGauge().GetValue()))
			}
		}
		return out
	}
	one := collected("a", of("a"))
	require.Subset(t, one, []string{
		"whipsaw_stream_parts_total 7", "whipsaw_track_packets_total 10", "whipsaw_track_packets_lost_total 3", "whipsaw_track_bytes_per_second 500",
		"whipsaw_video_width_pixels 640", "whipsaw_video_gop_seconds 2", "whipsaw_video_filler_seconds_total 1.5",
	})
	sum := collected(otherStreams, of("a"), of("b"))
	require.Subset(t, sum, []string{"whipsaw_stream_parts_total 14", "whipsaw_track_packets_total 20", "whipsaw_video_filler_seconds_total 3"})
	for _, line := range sum {
		require.NotContains(t, line, "width", "a sum of widths says nothing")
	}
}

// oneLabel collects the series of one label.
type oneLabel struct {
	*streams
	name string
	of   []segmenter.Status
}

func (o oneLabel) Collect(p *metrics.Page) { o.one(p, o.name, o.of) }

// gathered is what Prometheus reads of a collector.
func gathered(t *testing.T, c metrics.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(metrics.Collect(c).Text()))
	require.NoError(t, err)
	return families
}

// Distributions are told as Prometheus counts, and those of streams without a label of their own are added up.
func TestHistograms(t *testing.T) {
	h := func(n ...uint64) *segmenter.Histogram {
		return &segmenter.Histogram{Bounds: []float64{0.1, 1}, Counts: n, Sum: 5}
	}
	of := func(n ...uint64) segmenter.Status {
		var v segmenter.VideoStatus
		v.PartBytes = h(n...)
		return segmenter.Status{Name: "a", Delay: h(n...), Video: &v}
	}
	seen := 0
	for _, f := range gathered(t, oneLabel{newStreams(Sources{}), otherStreams, []segmenter.Status{of(1, 2, 3), of(0, 1, 0), {Name: "c"}}}) {
		if name := f.GetName(); name != "whipsaw_stream_delay_seconds" && name != "whipsaw_track_part_bytes" {
			continue
		}
		seen++
		got := f.GetMetric()[0].GetHistogram()
		require.EqualValues(t, 7, got.GetSampleCount())
		require.Equal(t, 10.0, got.GetSampleSum())
		require.EqualValues(t, 1, got.GetBucket()[0].GetCumulativeCount())
		require.EqualValues(t, 4, got.GetBucket()[1].GetCumulativeCount())
	}
	require.Equal(t, 2, seen)
}

// Names, units and help are as the field wants them.
func TestLint(t *testing.T) {
	problems, err := promlint.New(get(t, registry(t, 2), "/metrics").Body).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		require.NotContains(t, p.Metric, "whipsaw_", p.Text)
	}
}

func TestProfiles(t *testing.T) {
	r := registry(t, 0)
	require.Contains(t, get(t, r, "/debug/pprof/").Body.String(), "goroutine")
	require.Equal(t, http.StatusOK, get(t, r, "/debug/pprof/heap").Code)
	require.Equal(t, http.StatusNotFound, get(t, r, "/debug/pprof/cmdline").Code, "a token may stand there")
	require.Equal(t, http.StatusNotFound, get(t, r, "/debug/pprof/nothing").Code)
	require.Contains(t, get(t, r, "/debug/pprof/goroutine?debug=2").Body.String(), "TestProfiles(")
	for _, path := range []string{"heap?gc=1", "goroutine", "profile?seconds=0.1"} {
		z, err := gzip.NewReader(get(t, r, "/debug/pprof/"+path).Body)
		require.NoError(t, err)
		profile, err := io.ReadAll(z)
		require.NoError(t, err)
		require.NotEmpty(t, profile, path)
	}
	require.NotEmpty(t, get(t, r, "/debug/pprof/trace?seconds=0.01").Body.Bytes())
	require.NoError(t, rpprof.StartCPUProfile(io.Discard))
	require.Equal(t, http.StatusServiceUnavailable, get(t, r, "/debug/pprof/profile?seconds=0.1").Code)
	rpprof.StopCPUProfile()
}
