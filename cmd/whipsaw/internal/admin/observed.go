package admin

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"whipsaw/segmenter"
)

// histograms sends the distributions of one label's streams, added up.
func (s *streams) histograms(ch chan<- prometheus.Metric, name string, of []segmenter.Status) {
	var delay, pictures, sounds []*segmenter.Histogram
	for i := range of {
		delay = append(delay, of[i].Delay)
		if v := of[i].Video; v != nil {
			pictures = append(pictures, v.PartBytes)
		}
		if a := of[i].Audio; a != nil {
			sounds = append(sounds, a.PartBytes)
		}
	}
	sendHistogram(ch, s.delay, delay, name)
	sendHistogram(ch, s.sizes, pictures, name, "video")
	sendHistogram(ch, s.sizes, sounds, name, "audio")
}

// sendHistogram sends the sum of histograms with the same bounds; nil ones count for nothing.
func sendHistogram(ch chan<- prometheus.Metric, desc *prometheus.Desc, from []*segmenter.Histogram, labels ...string) {
	from = slices.DeleteFunc(from, func(h *segmenter.Histogram) bool { return h == nil })
	if len(from) == 0 {
		return
	}
	bounds, sum, all := from[0].Bounds, 0.0, uint64(0)
	buckets := make(map[float64]uint64, len(bounds))
	for _, h := range from {
		sum += h.Sum
		all += h.Count()
		passed := uint64(0) // buckets of Prometheus contain those below them
		for i, b := range bounds {
			passed += h.Counts[i]
			buckets[b] += passed
		}
	}
	ch <- prometheus.MustNewConstHistogram(desc, all, sum, buckets, labels...)
}

// observed sends what is known of streams from elsewhere: who watches, and what is wrong.
func (s *streams) observed(ch chan<- prometheus.Metric, name string, of []segmenter.Status) {
	gauge := func(desc *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(v), labels...)
	}
	if s.from.Players != nil {
		players, lines := 0, 0
		for i := range of {
			v := s.from.Players(of[i].Name)
			players, lines = players+v.Players, lines+v.Connections
		}
		gauge(s.watch, players, name)
		gauge(s.lines, lines, name)
	}
	s.playback(ch, name, of)
	if s.from.Findings == nil {
		return
	}
	found := map[string]int{}
	for i := range of {
		for _, f := range s.from.Findings(of[i].Name) {
			found[f.ID]++
		}
	}
	for id, n := range found {
		gauge(s.finding, n, name, id)
	}
}

// playback sends what players told of themselves; of streams of which none did there is nothing.
func (s *streams) playback(ch chan<- prometheus.Metric, name string, of []segmenter.Status) {
	if s.from.Playback == nil {
		return
	}
	var buffer, latency []*segmenter.Histogram
	stalls := uint64(0)
	for i := range of {
		if p := s.from.Playback(of[i].Name); p != nil {
			buffer, latency = append(buffer, &p.Buffer), append(latency, &p.Latency)
			stalls += p.Stalls
		}
	}
	if len(buffer) == 0 {
		return
	}
	sendHistogram(ch, s.buffer, buffer, name)
	sendHistogram(ch, s.latency, latency, name)
	ch <- prometheus.MustNewConstMetric(s.stalls, prometheus.CounterValue, float64(stalls), name)
}
