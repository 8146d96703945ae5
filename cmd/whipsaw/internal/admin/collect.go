package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"whipsaw/segmenter"
)

// states are those a stream's status can have; each has a series from the start, so that sums and alerts work.
var states = []string{"waiting", "live", "resuming", "ended"}

// Describe sends the descriptions of all series (prometheus.Collector).
func (s *streams) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.states, s.publish, s.watch, s.lines, s.finding, s.delay, s.sizes, s.buffer, s.latency, s.stalls} {
		ch <- d
	}
	describe(ch, s.perName)
	describe(ch, s.tracks)
	describe(ch, s.video)
	describe(ch, s.audio)
}

func describe[T any](ch chan<- *prometheus.Desc, all []metric[T]) {
	for _, m := range all {
		ch <- m.desc
	}
}

// Collect reads every stream's status once (prometheus.Collector).
func (s *streams) Collect(ch chan<- prometheus.Metric) {
	var statuses []segmenter.Status
	for _, one := range s.from.Registry.Streams() {
		statuses = append(statuses, one.Status())
	}
	s.count(ch, statuses)
	// The list is sorted by name, so that the same streams keep their labels from scrape to scrape.
	labelled := statuses[:min(len(statuses), maxLabelled)]
	for i := range labelled {
		s.one(ch, labelled[i].Name, labelled[i:i+1])
	}
	if rest := statuses[len(labelled):]; len(rest) > 0 {
		s.one(ch, otherStreams, rest)
	}
}

// count sends how many streams and publishers are in which state.
func (s *streams) count(ch chan<- prometheus.Metric, statuses []segmenter.Status) {
	streams, live, starting := make(map[string]int), 0, 0
	for i := range statuses {
		streams[statuses[i].State]++
		switch {
		case statuses[i].Publisher == nil:
		case statuses[i].State == "live":
			live++
		default:
			starting++
		}
	}
	for _, state := range states {
		ch <- prometheus.MustNewConstMetric(s.states, prometheus.GaugeValue, float64(streams[state]), state)
	}
	ch <- prometheus.MustNewConstMetric(s.publish, prometheus.GaugeValue, float64(live), "live")
	ch <- prometheus.MustNewConstMetric(s.publish, prometheus.GaugeValue, float64(starting), "starting")
}

// one sends the series of one label: of one stream, or the sums over several.
func (s *streams) one(ch chan<- prometheus.Metric, name string, of []segmenter.Status) {
	var all []*segmenter.Status
	var video []*segmenter.VideoStatus
	var audio []*segmenter.AudioStatus
	var pictures, sounds []*segmenter.TrackStatus
	for i := range of {
		st := &of[i]
		all = append(all, st)
		if st.Video != nil {
			video, pictures = append(video, st.Video), append(pictures, &st.Video.TrackStatus)
		}
		if st.Audio != nil {
			audio, sounds = append(audio, st.Audio), append(sounds, &st.Audio.TrackStatus)
		}
	}
	send(ch, s.perName, all, name)
	send(ch, s.tracks, pictures, name, "video")
	send(ch, s.tracks, sounds, name, "audio")
	send(ch, s.video, video, name)
	send(ch, s.audio, audio, name)
	s.histograms(ch, name, of)
	s.observed(ch, name, of)
}

// send reads each metric from all of its sources and sends the sum.
func send[T any](ch chan<- prometheus.Metric, metrics []metric[T], from []*T, labels ...string) {
	if len(from) == 0 {
		return
	}
	for _, m := range metrics {
		if labels[0] == otherStreams && !m.sum {
			continue
		}
		var v float64
		for _, f := range from {
			v += m.read(f)
		}
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, v, labels...)
	}
}
