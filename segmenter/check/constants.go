package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// header checks what stands at the top of any version by itself.
func header(f *findings, p *playlist.MediaPlaylist) {
	// 8: EXT-X-SKIP and delta updates need version 9.
	if p.ServerControl.CanSkipUntil > 0 && p.Version < 9 {
		f.add(ruleVersion, "EXT-X-VERSION %d with CAN-SKIP-UNTIL", p.Version)
	}
	target := time.Duration(p.TargetDuration) * time.Second
	s := p.ServerControl
	if s.CanSkipUntil > 0 && s.CanSkipUntil < 6*target {
		f.add(ruleServerControl, "CAN-SKIP-UNTIL %v is less than six target durations of %v", s.CanSkipUntil, target)
	}
	if s.HoldBack > 0 && s.HoldBack < 3*target {
		f.add(ruleServerControl, "HOLD-BACK %v is less than three target durations of %v", s.HoldBack, target)
	}
	part := p.PartInf.PartTarget
	if part == 0 {
		f.add(rulePartInf, "no EXT-X-PART-INF: not a low-latency playlist")
		return
	}
	// 4.4.3.8: at least twice, should be three times.
	if s.PartHoldBack < 3*part {
		f.add(ruleServerControl, "PART-HOLD-BACK %v is less than three times PART-TARGET %v", s.PartHoldBack, part)
	}
	if !s.CanBlockReload {
		f.add(ruleServerControl, "no CAN-BLOCK-RELOAD=YES")
	}
	if part > target {
		f.add(rulePartInf, "PART-TARGET %v is above the target duration %v", part, target)
	}
}

// constants checks what never changes while a playlist lives: AVPlayer stops for good when it does.
func constants(f *findings, first, p *playlist.MediaPlaylist) {
	if p.Version != first.Version {
		f.add(ruleVersion, "EXT-X-VERSION changed from %d to %d", first.Version, p.Version)
	}
	if p.TargetDuration != first.TargetDuration {
		f.add(ruleTarget, "EXT-X-TARGETDURATION changed from %d to %d", first.TargetDuration, p.TargetDuration)
	}
	if p.PartInf != first.PartInf {
		f.add(rulePartInf, "EXT-X-PART-INF changed from %v to %v", first.PartInf.PartTarget, p.PartInf.PartTarget)
	}
	if p.ServerControl != first.ServerControl {
		f.add(ruleServerControl, "EXT-X-SERVER-CONTROL changed from %+v to %+v", first.ServerControl, p.ServerControl)
	}
	if p.IndependentSegments != first.IndependentSegments {
		f.add(ruleIndependent, "EXT-X-INDEPENDENT-SEGMENTS changed from %t to %t", first.IndependentSegments, p.IndependentSegments)
	}
}
