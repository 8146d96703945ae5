package admin

import (
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/signaling"
)

// sessions collects what the WHIP server has counted, at the time of a scrape.
type sessions struct {
	server *signaling.Server

	open, ended, refused *metrics.Desc
}

func newSessions(s *signaling.Server) *sessions {
	return &sessions{
		server:  s,
		open:    metrics.New(metrics.Gauge, "whipsaw_sessions", "WHIP sessions that have not ended."),
		ended:   metrics.New(metrics.Counter, "whipsaw_sessions_ended_total", "WHIP sessions that ended, by reason.", "reason"),
		refused: metrics.New(metrics.Counter, "whipsaw_publish_refused_total", "POSTs that made no session, by the type of their problem.", "problem"),
	}
}

// Collect reads the counters once (metrics.Collector). The labels are the server's own words, none is a stranger's.
func (s *sessions) Collect(p *metrics.Page) {
	p.Value(s.open, float64(s.server.Sessions()))
	counts := s.server.Counts()
	for reason, n := range counts.Ended {
		p.Value(s.ended, float64(n), string(reason))
	}
	for problem, n := range counts.Refused {
		p.Value(s.refused, float64(n), problem)
	}
}
