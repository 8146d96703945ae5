package watch

import (
	"time"

	"whipsaw/segmenter/check"
)

// The verdicts on a rule.
const (
	Held     = "ok"
	Violated = "violated"
	Unwise   = "unwise"   // what is only recommended is not done
	NotSeen  = "not seen" // nothing came by that the rule is about
)

// Report is what came of following a stream.
type Report struct {
	URL        string      `json:"url"`
	Verdict    string      `json:"verdict"` // Held, or Violated
	Seconds    float64     `json:"seconds"`
	Protocol   string      `json:"protocol"`
	Requests   int64       `json:"requests"`
	Bytes      int64       `json:"bytes"`
	Renditions []Rendition `json:"renditions"`
	Rules      []Rule      `json:"rules"`
	NotChecked []string    `json:"not_checked"`
}

// Rendition is what one media playlist was seen to be. Durations are in seconds.
type Rendition struct {
	URI             string   `json:"uri"`
	Kind            string   `json:"kind"`
	Codecs          []string `json:"codecs"`
	Width           int      `json:"width,omitempty"`
	Height          int      `json:"height,omitempty"`
	FrameRate       float64  `json:"frame_rate,omitempty"`
	Channels        int      `json:"channels,omitempty"`
	PeakBitrate     float64  `json:"peak_bit_rate"`
	TargetDuration  int      `json:"target_duration"`
	PartTarget      float64  `json:"part_target,omitempty"`
	PartHoldBack    float64  `json:"part_hold_back,omitempty"`
	BlockingReload  bool     `json:"blocking_reload"`
	SkipUntil       float64  `json:"can_skip_until,omitempty"`
	Versions        int      `json:"versions"`
	Deltas          int      `json:"delta_updates"`
	Hints           int      `json:"versions_with_hint"`
	Discontinuities int      `json:"discontinuities"`
	Gaps            int      `json:"gaps"`
	Ended           bool     `json:"ended"`
	Lost            string   `json:"lost,omitempty"`
	Parts           Spread   `json:"parts"`
	Segments        Spread   `json:"segments"`
	GOP             Spread   `json:"keyframe_interval"`
	Arrival         Spread   `json:"time_between_updates"`
	Latency         Spread   `json:"latency_by_program_date_time"`
}

// Spread is of durations in seconds.
type Spread struct {
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	Max   float64 `json:"max"`
}

// Rule is the verdict on one rule.
type Rule struct {
	Name    string `json:"name"`
	Section string `json:"section"`
	Level   string `json:"level"`
	Says    string `json:"says"`
	Verdict string `json:"verdict"`
	Seen    int    `json:"seen"`
	Broken  int    `json:"broken"`
	Example string `json:"example,omitempty"`
}

// report gathers what was found.
func (s *session) report(took time.Duration) *Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Report{
		URL: s.url.Redacted(), Verdict: Held, Seconds: took.Seconds(), Requests: s.client.requests.Load(), Bytes: s.client.bytes.Load(),
		NotChecked: append([]string{}, s.unchecked...),
	}
	if proto := s.client.proto.Load(); proto != nil {
		r.Protocol = *proto
	}
	var tally check.Tally
	if s.index != nil {
		t := s.index.Tally()
		tally.Add(&t)
	}
	for _, f := range s.renditions {
		t := f.check.Tally()
		tally.Add(&t)
		r.Renditions = append(r.Renditions, f.summary())
	}
	for _, rule := range check.Rules() {
		if rule.Level() == check.House && !s.opts.Strict {
			continue
		}
		row := tally[rule]
		out := Rule{
			Name: rule.Name(), Section: rule.Section(), Level: rule.Level().String(), Says: rule.Says(),
			Verdict: verdict(rule, row, s.opts.Strict), Seen: row.Seen, Broken: row.Broken, Example: row.First,
		}
		if out.Verdict == Violated {
			r.Verdict = Violated
		}
		r.Rules = append(r.Rules, out)
	}
	return r
}

func verdict(r check.Rule, row check.Row, strict bool) string {
	switch {
	case row.Broken > 0 && (strict || r.Level() == check.Must):
		return Violated
	case row.Broken > 0:
		return Unwise
	case row.Seen > 0:
		return Held
	}
	return NotSeen
}

// summary is what the follower saw. Held is the session's lock.
func (f *follower) summary() Rendition {
	x := f.check.Facts()
	r := Rendition{
		URI: f.name(), Kind: f.what, Codecs: append([]string{}, x.Codecs...), Width: x.Width, Height: x.Height, FrameRate: x.FrameRate, Channels: x.Channels,
		PeakBitrate: x.Peak, Versions: x.Versions, Deltas: x.Deltas, Hints: x.Hints, Discontinuities: x.Discontinuities, Gaps: x.Gaps,
		Ended: f.check.Ended(), Lost: f.lost, Parts: spread(x.Parts), Segments: spread(x.Segments), GOP: spread(x.GOP),
		Arrival: spread(f.arrival), Latency: spread(x.Latency),
	}
	if p := f.check.Newest(); p != nil {
		r.TargetDuration, r.PartTarget, r.PartHoldBack = p.TargetDuration, p.PartInf.PartTarget.Seconds(), p.ServerControl.PartHoldBack.Seconds()
		r.BlockingReload, r.SkipUntil = p.ServerControl.CanBlockReload, p.ServerControl.CanSkipUntil.Seconds()
	}
	return r
}

func spread(s check.Spread) Spread {
	return Spread{s.Count, s.Min.Seconds(), s.Mean().Seconds(), s.Max.Seconds()}
}
