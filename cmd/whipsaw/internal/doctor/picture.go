package doctor

import (
	"fmt"
	"slices"
	"time"

	"whipsaw/segmenter"
)

// longGOP: keyframes come more rarely than segments should end.
func longGOP(x *exam) (Finding, bool) {
	v := x.s.Video
	if !x.live() || v == nil {
		return Finding{}, false
	}
	interval := max(v.GOP, v.KeyframeAge)
	if interval <= x.limits.Segment.Seconds()*1.1 {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The keyframe interval is %.1f s, and a segment lasts %s: segments begin without a keyframe, "+
		"so players start slower and, after a loss, stand still longer.", interval, x.limits.Segment)}, true
}

// ignoresPLI: it gives no keyframe when asked for one, and its own are rare.
func ignoresPLI(x *exam) (Finding, bool) {
	v := x.s.Video
	if _, long := longGOP(x); !long || v.ObeysPLI == nil || *v.ObeysPLI {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The publisher was asked for a keyframe %d times (PLI) and does not answer: after a loss pictures stand still until "+
		"its own next keyframe.", v.PLIs)}, true
}

// reordered: B-frames.
func reordered(x *exam) (Finding, bool) {
	if x.s.Video == nil || x.s.Video.Reordering == 0 {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The encoder sends B-frames: pictures are shown up to %d after one that they came before. "+
		"That adds delay, and some players and publishers cannot time them well over WebRTC.", x.s.Video.Reordering)}, true
}

// withheld: pictures come and cannot be shown.
func withheld(x *exam) (Finding, bool) {
	const long = 3 * time.Second
	if !x.live() || x.published() < patience {
		return Finding{}, false
	}
	for _, s := range x.window(long) {
		if s.Status.Video == nil || !s.Status.Video.Withheld || s.Status.State != "live" {
			return Finding{}, false
		}
	}
	if x.now.At.Sub(x.history[0].At) < long {
		return Finding{}, false
	}
	return Finding{Severity: Error, Sentence: fmt.Sprintf("Pictures come and cannot be shown: after a loss they wait for a keyframe, the last of which came %.1f s ago.",
		x.s.Video.KeyframeAge)}, true
}

// frozen: the last picture stands in for those that do not come.
func frozen(x *exam) (Finding, bool) {
	filler := func(s *segmenter.Status) float64 {
		if s.Video == nil {
			return 0
		}
		return s.Video.Filler
	}
	if !x.live() || x.s.Video == nil {
		return Finding{}, false
	}
	w := x.window(15 * time.Second)
	if filler(&w[0].Status) == 0 && w[0].Status.State != "live" {
		return Finding{}, false // it filled for the publisher before
	}
	if grew := filler(x.s) - filler(&w[0].Status); grew > 0.5 && x.s.Generation == w[0].Status.Generation {
		return Finding{Severity: Error, Sentence: fmt.Sprintf("In the last %.0f s viewers saw a still picture for %.1f s, because no picture came that could be shown.",
			x.now.At.Sub(w[0].At).Seconds(), grew)}, true
	}
	return Finding{}, false
}

// variableRate: pictures come at a rate that changes.
func variableRate(x *exam) (Finding, bool) {
	if !x.live() || x.s.Video == nil {
		return Finding{}, false
	}
	low, high, n := 0.0, 0.0, 0
	w := x.window(lossWindow)
	for i := 1; i < len(w); i++ {
		a, b := w[i-1].Status.Video, w[i].Status.Video
		if a == nil || b == nil || w[i-1].Status.State != "live" || b.Lost > a.Lost || b.Withheld {
			continue
		}
		rate := float64(b.Units-a.Units) / w[i].At.Sub(w[i-1].At).Seconds()
		if n == 0 || rate < low {
			low = rate
		}
		high = max(high, rate)
		n++
	}
	// A picture more or less in a sample is no change.
	if n < 4 || low > 0.7*high || high-low < 3 {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The frame rate varies between %.0f and %.0f a second: motion looks uneven, and parts have uneven lengths.",
		low, high)}, true
}

// flapping: the picture's size changes again and again.
func flapping(x *exam) (Finding, bool) {
	var sizes []string
	changes := 0
	for _, s := range x.window(restWindow) {
		v := s.Status.Video
		if v == nil || v.Width == 0 {
			continue
		}
		size := fmt.Sprintf("%dx%d", v.Width, v.Height)
		if len(sizes) > 0 && sizes[len(sizes)-1] != size {
			changes++
		}
		sizes = append(sizes, size)
	}
	if changes < 3 {
		return Finding{}, false
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The picture's size changed %d times within a minute (%s): each change is a discontinuity, at which players may stop for a moment.",
		changes, list(sizes))}, true
}

// list writes the first few of some words.
func list(words []string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 4:
			return out + ", ..."
		case i > 0:
			out += ", "
		}
		out += w
	}
	return out
}

// noKeyframe: pictures come, and never one to begin with.
func noKeyframe(x *exam) (Finding, bool) {
	v := x.s.Video
	if v == nil || x.live() || v.Units == 0 || x.published() < patience {
		return Finding{}, false
	}
	return Finding{Severity: Error, Sentence: fmt.Sprintf("%d pictures came, and none that viewers could begin with: no keyframe with its parameter sets. Keyframes were asked for %d times.",
		v.Units, v.PLIs)}, true
}
