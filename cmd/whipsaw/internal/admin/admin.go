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

	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Routes mounts /metrics, /healthz and /debug/pprof on r.
func Routes(r chi.Router, registry *segmenter.Registry, whip *signaling.Server, version string, log *slog.Logger) {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newStreams(registry.Streams),
		newSessions(whip),
		buildInfo(version),
	)
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
