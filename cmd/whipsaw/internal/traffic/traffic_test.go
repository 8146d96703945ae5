package traffic

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/metrics"
)

// gathered are all series with their values, as name{labels}.
func gathered(t *testing.T, m *Meter) map[string]float64 {
	t.Helper()
	text := metrics.Collect(m).Text()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	out := map[string]float64{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			name := f.GetName()
			for _, l := range one.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = one.GetCounter().GetValue() + one.GetGauge().GetValue()
		}
	}
	return out
}

func TestClasses(t *testing.T) {
	m := New("/live")
	for path, want := range map[string]string{
		"/live/whip/a": "whip", "/live/whip/a/session": "whip", "/live/api/streams": "api", "/live/": "page", "/live": "page",
		"/live/watch/a": "page", "/live/docs/obs": "page", "/live/publish/a": "page", "/live/static/watch.js": "page",
		"/live/hls/a/index.m3u8": "multivariant", "/live/hls/~1~x/a/index.m3u8": "multivariant", "/live/hls/a/g/video/media.m3u8": "playlist",
		"/live/hls/a/g/video/part-0-1-2.m4s": "part", "/live/hls/a/g/video/segment-1.m4s": "segment", "/live/hls/a/g/video/init-0.mp4": "init",
		"/live/hls/a/g/video/x": "other", "/live/hls/": "other", "/healthz": "other", "/live/\x00": "other",
	} {
		require.Equal(t, want, m.classify(path), path)
		require.NotNil(t, m.byClass[m.classify(path)])
	}
}

func TestCounts(t *testing.T) {
	m := New("")
	inFlight := ""
	h := m.Count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NotNil(t, w.(interface{ Unwrap() http.ResponseWriter }).Unwrap())
		switch r.URL.Path {
		case "/api/missing":
			w.WriteHeader(http.StatusNotFound)
		case "/api/early":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusInternalServerError)
		case "/api/panic":
			panic(http.ErrAbortHandler)
		case "/api/silent":
		default:
			_, err := w.Write([]byte("hello"))
			require.NoError(t, err)
		}
		if r.URL.Path == "/api/one" {
			require.Equal(t, 1.0, gathered(t, m)["whipsaw_http_requests_in_flight api"])
			inFlight = "seen"
		}
	}))
	for _, path := range []string{"/api/one", "/api/two", "/api/missing", "/api/early", "/api/silent", "/watch/a"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	require.Panics(t, func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/panic", nil)) })
	require.Equal(t, "seen", inFlight)
	got := gathered(t, m)
	for series, want := range map[string]float64{
		"requests_total api 2xx": 3, "requests_total api 3xx": 0, "requests_total api 4xx": 1, "requests_total api 5xx": 2,
		"requests_total page 2xx": 1, "response_bytes_total api": 10, "response_bytes_total page": 5,
		"requests_in_flight api": 0, // also after a fault
	} {
		require.Equal(t, want, got["whipsaw_http_"+series], series)
	}
}

// What a client may ask for makes no new series.
func TestBounded(t *testing.T) {
	m := New("")
	h := m.Count(http.NotFoundHandler())
	before := len(gathered(t, m))
	for _, path := range []string{"/x", "/hls/" + strings.Repeat("y", 99), "/whip/" + strings.Repeat("z", 99)} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	require.Len(t, gathered(t, m), before)
}
