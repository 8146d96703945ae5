package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// headers checks what stands at the top of any version by itself.
func headers(f *findings, p *playlist.MediaPlaylist) {
	versions(f, p)
	target := time.Duration(p.TargetDuration) * time.Second
	s, part := p.ServerControl, p.PartInf.PartTarget
	if s != (playlist.ServerControl{}) {
		f.saw(ServerControl)
	}
	if s.CanSkipUntil > 0 && s.CanSkipUntil < 6*target {
		f.add(ServerControl, "CAN-SKIP-UNTIL %v is less than six target durations of %v", s.CanSkipUntil, target)
	}
	if s.HoldBack > 0 && s.HoldBack < 3*target {
		f.add(ServerControl, "HOLD-BACK %v is less than three target durations of %v", s.HoldBack, target)
	}
	if part == 0 {
		if f.profile == Strict {
			f.add(PartInf, "no EXT-X-PART-INF: not a low-latency playlist")
		}
		return
	}
	f.saw(PartInf)
	f.saw(BlockReload)
	f.saw(PartHoldBack)
	// 4.4.3.8: at least twice, should be three times.
	if s.PartHoldBack < 2*part {
		f.add(ServerControl, "PART-HOLD-BACK %v is less than twice PART-TARGET %v", s.PartHoldBack, part)
	}
	if s.PartHoldBack < 3*part {
		f.add(PartHoldBack, "PART-HOLD-BACK %v is less than three times PART-TARGET %v", s.PartHoldBack, part)
	}
	if !s.CanBlockReload {
		f.add(BlockReload, "no CAN-BLOCK-RELOAD=YES")
	}
	if part > target {
		f.add(PartInf, "PART-TARGET %v is above the target duration %v", part, target)
	}
}

// versions: 8: EXT-X-MAP needs version 6 without I-frames alone, delta updates need 9.
func versions(f *findings, p *playlist.MediaPlaylist) {
	f.saw(Version)
	if p.ServerControl.CanSkipUntil > 0 && p.Version < 9 {
		f.add(Version, "EXT-X-VERSION %d with CAN-SKIP-UNTIL", p.Version)
	}
	if len(p.Segments) > 0 && p.Segments[0].Map != nil && p.Version < 6 {
		f.add(Version, "EXT-X-VERSION %d with EXT-X-MAP", p.Version)
	}
}

// constants checks what never changes while a playlist lives: AVPlayer stops for good when it does.
func constants(f *findings, first, p *playlist.MediaPlaylist) {
	if first == p {
		return
	}
	f.saw(HeaderConstant)
	f.saw(TargetDurationConstant)
	if p.Version != first.Version {
		f.add(HeaderConstant, "EXT-X-VERSION changed from %d to %d", first.Version, p.Version)
	}
	if p.TargetDuration != first.TargetDuration {
		f.add(TargetDurationConstant, "EXT-X-TARGETDURATION changed from %d to %d", first.TargetDuration, p.TargetDuration)
	}
	if p.PartInf != (playlist.PartInf{}) {
		f.saw(PartTargetConstant)
	}
	if p.PartInf != first.PartInf {
		f.add(PartTargetConstant, "PART-TARGET changed from %v to %v", first.PartInf.PartTarget, p.PartInf.PartTarget)
	}
	if p.ServerControl != (playlist.ServerControl{}) {
		f.saw(ServerControlConstant)
	}
	if p.ServerControl != first.ServerControl {
		f.add(ServerControlConstant, "EXT-X-SERVER-CONTROL changed from %+v to %+v", first.ServerControl, p.ServerControl)
	}
	if p.IndependentSegments != first.IndependentSegments {
		f.add(HeaderConstant, "EXT-X-INDEPENDENT-SEGMENTS changed from %t to %t", first.IndependentSegments, p.IndependentSegments)
	}
}
