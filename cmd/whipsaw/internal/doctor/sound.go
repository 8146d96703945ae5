package doctor

import (
	"fmt"
	"math"
)

// fewFrames is how many Opus frames a judgement on them needs: five seconds of the usual length.
const fewFrames = 250

// monoAsStereo: two channels are declared, and one is sent.
func monoAsStereo(x *exam) (Finding, bool) {
	a := x.s.Audio
	if a == nil || a.Channels != 2 || a.Units < fewFrames || a.Stereo > 0 {
		return Finding{}, false
	}
	return Finding{Severity: Info, Sentence: "The sound is declared as stereo and coded in mono: both speakers play the same."}, true
}

// stereoAsMono: one channel is declared, and two are sent.
func stereoAsMono(x *exam) (Finding, bool) {
	a := x.s.Audio
	if a == nil || a.Channels != 1 || a.Units < fewFrames || a.Stereo*2 < a.Units {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: "The sound is coded in stereo and declared as mono: players mix it down, or play one channel."}, true
}

// longFrames: whole frames of sound leave so much of a part open that it is under 85 % of PART-TARGET (rfc8216bis 4.4.4.9).
func longFrames(x *exam) (Finding, bool) {
	if x.s.Audio == nil || x.s.Audio.Frame <= 0 || x.limits.Part <= 0 {
		return Finding{}, false
	}
	frame, part := x.s.Audio.Frame, x.limits.Part.Seconds()
	filled := frame * math.Floor(part/frame+1e-9)
	if filled >= 0.85*part {
		return Finding{}, false
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("Sound comes in frames of %.0f ms: whole ones fill %.0f ms of a part of %.0f ms, and players count on 85 %% of it.",
		1000*frame, 1000*filled, 1000*part)}, true
}

// opusSafari: old players have no Opus in fMP4.
func opusSafari(x *exam) (Finding, bool) {
	if !x.live() || x.s.Audio == nil || x.s.Audio.Units == 0 {
		return Finding{}, false
	}
	return Finding{Severity: Info, Sentence: "The sound is Opus: Safari before iOS 17 and macOS 14 plays this stream without sound or not at all."}, true
}

// maxDrift is by how many millionths a clock may be off: crystals keep to 100.
const maxDrift = 200

// drift: the sound's clock runs at another speed than the server's.
func drift(x *exam) (Finding, bool) {
	first := -1
	for i, s := range x.history { // the first samples are of a network that settles, and a jump begins anew
		if s.Status.Audio != nil && s.At.Sub(x.history[0].At) >= 2*patience && s.Status.Audio.Jumps == audioJumps(x) {
			first = i
			break
		}
	}
	if first < 0 {
		return Finding{}, false
	}
	from := x.history[first]
	passed := x.now.At.Sub(from.At)
	if x.s.Audio == nil || passed < driftWindow {
		return Finding{}, false
	}
	ppm := (x.s.Audio.ClockOffset - from.Status.Audio.ClockOffset).Seconds() / passed.Seconds() * 1e6
	if math.Abs(ppm) < maxDrift {
		return Finding{}, false
	}
	how := "slow"
	if ppm < 0 {
		how = "fast"
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("The clock of the sound runs %.0f ppm too %s, %.0f ms a minute: over time silence is put in, or sound is left out.",
		math.Abs(ppm), how, math.Abs(ppm)*60/1000)}, true
}

func audioJumps(x *exam) int64 {
	if x.s.Audio == nil {
		return -1
	}
	return x.s.Audio.Jumps
}

// outOfSync: pictures are far from the sound they belong to.
func outOfSync(x *exam) (Finding, bool) {
	const far = 0.1
	w := x.window(2 * patience)
	if !x.live() || x.now.At.Sub(w[0].At) < patience {
		return Finding{}, false
	}
	for _, s := range w {
		if s.Status.Video == nil || s.Status.Audio == nil || math.Abs(s.Status.Video.AVOffset) < far {
			return Finding{}, false
		}
	}
	return Finding{Severity: Warning, Sentence: fmt.Sprintf("Pictures are %.0f ms from where the sender reports put them beside the sound, and do not come closer.",
		1000*math.Abs(x.s.Video.AVOffset))}, true
}
