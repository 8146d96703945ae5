package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// rounding is how far a sum of n durations in a playlist may be off: each is written to the microsecond.
func rounding(n int) time.Duration { return time.Duration(n+1) * time.Microsecond }

// durations checks segments against the target duration and their parts.
func durations(f *findings, p *playlist.MediaPlaylist) {
	target := time.Duration(p.TargetDuration) * time.Second
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		if s.Open() {
			continue
		}
		// 4.4.3.1: EXTINF, rounded to the nearest second, is not above the target duration.
		if s.Duration.Round(time.Second) > target {
			f.add(ruleTarget, "segment %d of %v with target duration %v", msn, s.Duration, target)
		}
		if s.Duration == 0 {
			f.add(ruleExtInf, "segment %d of no length", msn)
		}
		// 4.4.4.9: the parts of a segment are all of it.
		if sum := partSum(s.Parts); len(s.Parts) > 0 && (sum-s.Duration).Abs() > rounding(len(s.Parts)) {
			f.add(rulePart, "segment %d of %v has parts of %v", msn, s.Duration, sum)
		}
	}
}

func partSum(parts []playlist.Part) time.Duration {
	var sum time.Duration
	for _, part := range parts {
		sum += part.Duration
	}
	return sum
}

// partDurations checks every part against PART-TARGET. Where all parts are independent, as in audio, a following
// independent part is no excuse for a short one.
func partDurations(f *findings, p *playlist.MediaPlaylist, audio bool) {
	target := p.PartInf.PartTarget
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		for j, part := range s.Parts {
			// 4.4.3.7: no part is longer.
			if part.Duration > target {
				f.add(rulePartInf, "part %d of segment %d lasts %v, PART-TARGET is %v", j, msn, part.Duration, target)
			}
			if part.Duration == 0 {
				f.add(rulePart, "part %d of segment %d has no length", j, msn)
			}
			// 4.4.4.9: none is shorter than 85 %, but the last of its segment, those before an independent one, and
			// gaps with those before them. Of the newest part it is not known yet.
			if part.Duration >= target*85/100 || part.Gap || j == len(s.Parts)-1 {
				continue
			}
			if next := s.Parts[j+1]; next.Gap || next.Independent && !audio {
				continue
			}
			f.add(rulePart, "part %d of segment %d lasts %v, less than 85 %% of PART-TARGET %v", j, msn, part.Duration, target)
		}
	}
}
