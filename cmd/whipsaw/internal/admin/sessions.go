package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"whipsaw/signaling"
)

// sessions collects what the WHIP server has counted, at the time of a scrape.
type sessions struct {
	server *signaling.Server

	open, ended, refused *prometheus.Desc
}

func newSessions(s *signaling.Server) *sessions {
	return &sessions{
		server:  s,
		open:    prometheus.NewDesc("whipsaw_sessions", "WHIP sessions that have not ended.", nil, nil),
		ended:   prometheus.NewDesc("whipsaw_sessions_ended_total", "WHIP sessions that ended, by reason.", []string{"reason"}, nil),
		refused: prometheus.NewDesc("whipsaw_publish_refused_total", "POSTs that made no session, by the type of their problem.", []string{"problem"}, nil),
	}
}

// Describe sends the descriptions of all series (prometheus.Collector).
func (s *sessions) Describe(ch chan<- *prometheus.Desc) {
	ch <- s.open
	ch <- s.ended
	ch <- s.refused
}

// Collect reads the counters once (prometheus.Collector). The labels are the server's own words, none is a stranger's.
func (s *sessions) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(s.open, prometheus.GaugeValue, float64(s.server.Sessions()))
	counts := s.server.Counts()
	for reason, n := range counts.Ended {
		ch <- prometheus.MustNewConstMetric(s.ended, prometheus.CounterValue, float64(n), string(reason))
	}
	for problem, n := range counts.Refused {
		ch <- prometheus.MustNewConstMetric(s.refused, prometheus.CounterValue, float64(n), problem)
	}
}
