package admin

import (
	"slices"

	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/segmenter"
)

// histograms tells the distributions of one label's streams, added up.
func (s *streams) histograms(p *metrics.Page, name string, of []segmenter.Status) {
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
	sendHistogram(p, s.delay, delay, name)
	sendHistogram(p, s.sizes, pictures, name, "video")
	sendHistogram(p, s.sizes, sounds, name, "audio")
}

// sendHistogram tells the sum of histograms with the same bounds; nil ones count for nothing.
func sendHistogram(p *metrics.Page, desc *metrics.Desc, from []*segmenter.Histogram, labels ...string) {
	from = slices.DeleteFunc(from, func(h *segmenter.Histogram) bool { return h == nil })
	if len(from) == 0 {
		return
	}
	sum, counts := 0.0, make([]uint64, len(from[0].Counts))
	for _, h := range from {
		sum += h.Sum
		for i, n := range h.Counts {
			counts[i] += n
		}
	}
	p.Histogram(desc, from[0].Bounds, counts, sum, labels...)
}

// observed tells what is known of streams from elsewhere: who watches, and what is wrong.
func (s *streams) observed(p *metrics.Page, name string, of []segmenter.Status) {
	if s.from.Players != nil {
		players, lines := 0, 0
		for i := range of {
			v := s.from.Players(of[i].Name)
			players, lines = players+v.Players, lines+v.Connections
		}
		p.Value(s.watch, float64(players), name)
		p.Value(s.lines, float64(lines), name)
	}
	s.playback(p, name, of)
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
		p.Value(s.finding, float64(n), id, name)
	}
}

// playback tells what players told of themselves; of streams of which none did there is nothing.
func (s *streams) playback(p *metrics.Page, name string, of []segmenter.Status) {
	if s.from.Playback == nil {
		return
	}
	var buffer, latency []*segmenter.Histogram
	stalls := uint64(0)
	for i := range of {
		if told := s.from.Playback(of[i].Name); told != nil {
			buffer, latency = append(buffer, &told.Buffer), append(latency, &told.Latency)
			stalls += told.Stalls
		}
	}
	if len(buffer) == 0 {
		return
	}
	sendHistogram(p, s.buffer, buffer, name)
	sendHistogram(p, s.latency, latency, name)
	p.Value(s.stalls, float64(stalls), name)
}
