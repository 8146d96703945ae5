// Package admin is what the operator's own listener serves: metrics for Prometheus, and profiles.
package admin

import (
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Sources are what the metrics are read from.
type Sources struct {
	Registry *segmenter.Registry
	WHIP     *signaling.Server // nil: none
	Version  string
	Players  func(stream string) audience.Viewers // nil: not known
	Findings func(stream string) []doctor.Finding // nil: not known
	Playback func(stream string) *cmcd.Stats      // nil: not known
	More     []prometheus.Collector
}

// Routes mounts /metrics and /debug/pprof on r.
func Routes(r chi.Router, from Sources, log *slog.Logger) {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newStreams(from),
		buildInfo(from.Version),
	)
	metrics.MustRegister(from.More...)
	if from.WHIP != nil {
		metrics.MustRegister(newSessions(from.WHIP))
	}
	r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		MaxRequestsInFlight: 3,
	}))
	r.Route("/debug/pprof", func(r chi.Router) {
		r.Get("/cmdline", http.NotFound) // a token may stand on the command line
		r.Get("/profile", pprof.Profile)
		r.Get("/trace", pprof.Trace)
		r.HandleFunc("/symbol", pprof.Symbol)
		r.Get("/", pprof.Index)
		r.Get("/{profile}", pprof.Index)
	})
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "whipsaw_build_info",
		Help:        "Always 1; the label tells the version.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	g.Set(1)
	return g
}
