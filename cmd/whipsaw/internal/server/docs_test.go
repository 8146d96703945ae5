package server

import (
	"context"
	"encoding/binary"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/admin"
	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/cmd/whipsaw/internal/webhook"
	"whipsaw/segmenter"
	"whipsaw/signaling"
)

//go:generate go test -count=1 -run ^TestDocsMetrics$ . -update

var update = flag.Bool("update", false, "write what the tests compare with")

// everyMetric is the page of a server of which all metrics have something to tell.
func everyMetric(t *testing.T) string {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	reg := segmenter.NewRegistry(segmenter.DefaultConfig(), log)
	t.Cleanup(reg.Close)
	_, err := reg.Publish("live", segmenter.PublisherConfig{
		Session: "x", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}, {Kind: segmenter.Audio, Channels: 2}},
	})
	require.NoError(t, err)
	whip, err := signaling.New(signaling.Config{UDPAddress: "127.0.0.1:0"}, reg, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, whip.Close(context.Background())) })
	require.Eventually(t, func() bool { return reg.Lookup("live").Status().Publisher != nil }, time.Minute, time.Millisecond)
	sing(t, reg)

	in := insight.New(insight.Config{Webhook: webhook.Config{URL: "http://127.0.0.1:1"}}, log)
	in.Attach(reg)
	histogram := segmenter.Histogram{Bounds: []float64{1}, Counts: []uint64{1, 1}}
	r := chi.NewRouter()
	admin.Routes(r, admin.Sources{
		Registry: reg, WHIP: whip, Version: "v1", More: (&instance{insight: in}).collectors(),
		Players:  func(string) audience.Viewers { return audience.Viewers{Players: 1} },
		Findings: func(string) []doctor.Finding { return []doctor.Finding{{ID: "loss"}} },
		Playback: func(string) *cmcd.Stats { return &cmcd.Stats{Buffer: histogram, Latency: histogram} },
	})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// sing publishes a second of sound: what a stream tells of its parts needs some.
func sing(t *testing.T, reg *segmenter.Registry) {
	t.Helper()
	p, err := reg.Publish("radio", segmenter.PublisherConfig{Session: "y", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Audio, Channels: 2}}})
	require.NoError(t, err)
	for n := range uint16(50) {
		packet := []byte{0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfc, 0, 0} // RFC 3550 5.1; RFC 6716 3.1: 20 ms in stereo
		binary.BigEndian.PutUint16(packet[2:], n)
		binary.BigEndian.PutUint32(packet[4:], uint32(n)*960)
		p.Track(segmenter.Audio).WriteRTP(packet)
	}
	require.Eventually(t, func() bool { s := p.Stream().Status(); return s.Delay != nil && s.Parts > 0 }, time.Minute, time.Millisecond)
}

// Every metric is in the documentation, with the type, the labels and the words that it has at /metrics.
func TestDocsMetrics(t *testing.T) {
	page := everyMetric(t)
	var rows []string
	for _, m := range regexp.MustCompile(`(?m)^# HELP (whipsaw_\S+) (.*)\n# TYPE \S+ (\S+)\n(?:whipsaw_[^\s{]*)(?:\{([^}]*)\})?`).FindAllStringSubmatch(page, -1) {
		var labels []string
		for _, l := range regexp.MustCompile(`([a-z]+)="`).FindAllStringSubmatch(m[4], -1) {
			if l[1] != "le" {
				labels = append(labels, "`"+l[1]+"`")
			}
		}
		rows = append(rows, "| `"+m[1]+"` | "+m[3]+" | "+strings.Join(labels, ", ")+" | "+m[2]+" |\n")
	}
	slices.Sort(rows)
	require.Len(t, rows, strings.Count(page, "# TYPE whipsaw_"))
	want := "| metric | type | labels | what |\n|---|---|---|---|\n" + strings.Join(rows, "")

	const file, heading = "../../../../static/docs/metrics.md", "\n## All metrics\n\n"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, after, found := strings.Cut(string(text), heading)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+heading+want), 0o644))
		return
	}
	require.Equal(t, want, after, "static/docs/metrics.md is not what the code says: go generate ./cmd/... ./static")
}

// The dashboard asks for nothing that the page above does not have, and so shows that the page is whole.
func TestDocsMetricsOfDashboard(t *testing.T) {
	page := everyMetric(t)
	dashboard, err := os.ReadFile("../../deploy/grafana.json")
	require.NoError(t, err)
	asked := regexp.MustCompile(`whipsaw_[a-z_]+`).FindAllString(string(dashboard), -1)
	require.NotEmpty(t, asked)
	for _, name := range asked {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
		require.True(t, strings.Contains(page, "# TYPE "+name+" "), name)
	}
}
