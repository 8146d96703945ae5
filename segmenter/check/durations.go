package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// rounding is how far a sum of n durations in a playlist may be off: each is written to the microsecond.
func rounding(n int) time.Duration { return time.Duration(n+1) * time.Microsecond }

// coarse is rounding for who writes milliseconds.
func coarse(n int) time.Duration { return time.Duration(n+1) * time.Millisecond }

// durations checks segments against the target duration and their parts.
func durations(f *findings, p *playlist.MediaPlaylist) {
	target := time.Duration(p.TargetDuration) * time.Second
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		gaps(f, msn, s)
		if s.Open() {
			continue
		}
		f.saw(TargetDuration)
		// 4.4.3.1: EXTINF, rounded to the nearest second, is not above the target duration.
		if s.Duration.Round(time.Second) > target {
			f.add(TargetDuration, "segment %d of %v with target duration %v", msn, s.Duration, target)
		}
		if s.Duration == 0 {
			f.add(ExtInf, "segment %d of no length", msn)
		}
		if len(s.Parts) == 0 {
			continue
		}
		f.saw(PartSum)
		f.saw(PartSumExact)
		// 4.4.4.9: the parts of a segment are all of it.
		off := (partSum(s.Parts) - s.Duration).Abs()
		if off > coarse(len(s.Parts)) {
			f.add(PartSum, "segment %d of %v has parts of %v", msn, s.Duration, partSum(s.Parts))
		}
		if off > rounding(len(s.Parts)) {
			f.add(PartSumExact, "segment %d of %v has parts of %v", msn, s.Duration, partSum(s.Parts))
		}
	}
}

// gaps: 4.4.4.7 allows them; video.js and WebKit fetch them all the same, Chromium's own player shows what follows early.
func gaps(f *findings, msn int64, s *playlist.Segment) {
	f.saw(Gaps)
	if s.Gap {
		f.add(Gaps, "segment %d is a gap", msn)
	}
	for j, part := range s.Parts {
		if part.Gap {
			f.add(Gaps, "part %d of segment %d is a gap", j, msn)
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

// partDurations checks every part against PART-TARGET. Where all parts are independent, as in audio, independence is no
// excuse for a short one in the strict profile.
func partDurations(f *findings, p *playlist.MediaPlaylist, audio bool) {
	target := p.PartInf.PartTarget
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		for j, part := range s.Parts {
			f.saw(PartDuration)
			// 4.4.4.9: no part is longer.
			if part.Duration > target {
				f.add(PartDuration, "part %d of segment %d lasts %v, PART-TARGET is %v", j, msn, part.Duration, target)
			}
			if part.Duration == 0 {
				f.add(PartDuration, "part %d of segment %d has no length", j, msn)
			}
			// 4.4.4.9: none is shorter than 85 %, but the last of its segment, those before an independent one, and
			// gaps with those before them. Of the newest part it is not known yet.
			if j == len(s.Parts)-1 {
				continue
			}
			f.saw(PartShort)
			next := s.Parts[j+1]
			excused := part.Gap || next.Gap || next.Independent && !audio || part.Independent && f.profile == General
			if part.Duration < target*85/100 && !excused {
				f.add(PartShort, "part %d of segment %d lasts %v, less than 85 %% of PART-TARGET %v", j, msn, part.Duration, target)
			}
		}
	}
}
