package admin

import (
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/segmenter"
)

// states are those a stream's status can have; each has a series from the start, so that sums and alerts work.
var states = []string{"waiting", "live", "resuming", "ended"}

// Collect reads every stream's status once (metrics.Collector).
func (s *streams) Collect(p *metrics.Page) {
	var statuses []segmenter.Status
	for _, one := range s.from.Registry.Streams() {
		statuses = append(statuses, one.Status())
	}
	s.count(p, statuses)
	// The list is sorted by name, so that the same streams keep their labels from scrape to scrape.
	labelled := statuses[:min(len(statuses), maxLabelled)]
	for i := range labelled {
		s.one(p, labelled[i].Name, labelled[i:i+1])
	}
	if rest := statuses[len(labelled):]; len(rest) > 0 {
		s.one(p, otherStreams, rest)
	}
}

// count tells how many streams and publishers are in which state.
func (s *streams) count(p *metrics.Page, statuses []segmenter.Status) {
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
		p.Value(s.states, float64(streams[state]), state)
	}
	p.Value(s.kept, float64(s.from.Registry.Kept()))
	p.Value(s.keep, float64(s.from.Registry.Config().MaxTotal))
	p.Value(s.publish, float64(live), "live")
	p.Value(s.publish, float64(starting), "starting")
}

// one tells the series of one label: of one stream, or the sums over several.
func (s *streams) one(p *metrics.Page, name string, of []segmenter.Status) {
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
	send(p, s.perName, all, name)
	send(p, s.tracks, pictures, name, "video")
	send(p, s.tracks, sounds, name, "audio")
	send(p, s.video, video, name)
	send(p, s.audio, audio, name)
	s.histograms(p, name, of)
	s.observed(p, name, of)
}

// send reads each metric from all of its sources and tells the sum.
func send[T any](p *metrics.Page, all []metric[T], from []*T, labels ...string) {
	if len(from) == 0 {
		return
	}
	for _, m := range all {
		if labels[0] == otherStreams && !m.sum {
			continue
		}
		var v float64
		for _, f := range from {
			v += m.read(f)
		}
		p.Value(m.desc, v, labels...)
	}
}
