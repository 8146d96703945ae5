// Package doctor says in plain sentences what is wrong with what a publisher sends, and which setting of its encoder cures
// it. Examine is a pure function of what a stream has told of itself; Watch runs it for all streams.
package doctor

import (
	"slices"
	"time"

	"whipsaw/segmenter"
)

// Severity says how much viewers suffer.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // good to know
	Warning Severity = "warning" // some viewers see or hear it, or soon will
	Error   Severity = "error"   // all do
)

// Finding is one thing that is wrong. ID is stable: programs may compare it.
type Finding struct {
	ID       string    `json:"id"`
	Severity Severity  `json:"severity"`
	Sentence string    `json:"sentence"` // what is wrong, with the measured number
	Fix      string    `json:"fix"`      // what to change, in the words of the encoder where that is known
	Since    time.Time `json:"since"`    // when it was first found
}

// Sample is what a stream told of itself at one time.
type Sample struct {
	At     time.Time
	Status segmenter.Status
}

// Limits are what a stream is judged by.
type Limits struct {
	Segment    time.Duration // the longest a segment should be
	Part       time.Duration // the longest a part may be; 0: not known
	MaxBitrate int64         // bit/s of all tracks over which it warns; 0: none
	Cap        int64         // bit/s of all tracks that the stream may have; 0: no bound
	CapEnds    bool          // who is over it for ten seconds is ended
}

// The stretches of time that are looked at.
const (
	patience     = 5 * time.Second  // what a publisher gets before anything is held against it
	lossWindow   = 30 * time.Second // over which loss and frame rates are measured
	restWindow   = time.Minute      // over which rare things are counted
	excessWindow = 10 * time.Second // over which Cap counts
	driftWindow  = time.Minute      // over which a clock's drift is measured, at least
)

// Examine returns what is wrong with a stream, in the order of checks. The history begins with the present publisher's
// first sample, oldest first; without a sample there is no finding.
func Examine(history []Sample, limits Limits) []Finding {
	if len(history) == 0 {
		return nil
	}
	x := exam{history: history, now: history[len(history)-1], limits: limits}
	x.s = &x.now.Status
	if p := x.s.Publisher; p != nil {
		x.encoder = Recognise(p.UserAgent, p.Origin)
	}
	for _, check := range checks {
		if f, found := check.look(&x); found {
			f.ID, f.Fix, f.Since = check.id, fix(check.id, x.encoder), x.now.At
			x.out = append(x.out, f)
		}
	}
	return x.out
}

// check looks for one thing. It fills Severity and Sentence.
type check struct {
	id   string
	look func(*exam) (Finding, bool)
}

// IDs lists all findings there are.
func IDs() []string {
	var list []string
	for _, c := range checks {
		list = append(list, c.id)
	}
	return list
}

// exam is one run of the checks.
type exam struct {
	history []Sample
	now     Sample
	s       *segmenter.Status // now's
	limits  Limits
	encoder Encoder
	out     []Finding
}

// window returns the newest samples that span a time, or all there are, oldest first.
func (x *exam) window(d time.Duration) []Sample {
	i := slices.IndexFunc(x.history, func(s Sample) bool { return x.now.At.Sub(s.At) <= d })
	return x.history[max(i, 0):]
}

// published is how long the publisher has been there.
func (x *exam) published() time.Duration {
	if x.s.Publisher == nil {
		return 0
	}
	return x.now.At.Sub(x.s.Publisher.Since)
}

// live reports whether the publisher's media is shown.
func (x *exam) live() bool { return x.s.State == "live" && x.s.Publisher != nil }

// grew is by how much a number of the status grew in a window. What is not there counts as 0.
func (x *exam) grew(d time.Duration, number func(*segmenter.Status) float64) float64 {
	w := x.window(d)
	return number(x.s) - number(&w[0].Status)
}

// both reports whether sound and pictures have come.
func (x *exam) both() bool {
	return x.s.Video != nil && x.s.Audio != nil && x.s.Video.Packets > 0 && x.s.Audio.Packets > 0
}
