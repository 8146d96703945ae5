// Package admin is what the operator's own listener serves: metrics for Prometheus, and profiles.
package admin

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/metrics"
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
	More     []metrics.Collector
}

// Routes mounts /metrics and /debug/pprof on r.
func Routes(r chi.Router, from Sources) {
	all := append([]metrics.Collector{metrics.Runtime{}, metrics.Process{}, newStreams(from), buildInfo(from.Version)}, from.More...)
	if from.WHIP != nil {
		all = append(all, newSessions(from.WHIP))
	}
	r.Method(http.MethodGet, "/metrics", metrics.Handler(all...))
	r.Route("/debug/pprof", profiles)
}

// buildInfo is the version.
type buildInfo string

var descBuild = metrics.New(metrics.Gauge, "whipsaw_build_info", "Always 1; the label tells the version.", "version")

func (b buildInfo) Collect(p *metrics.Page) { p.Value(descBuild, 1, string(b)) }
