package segmenter

import "time"

// joinSlack is how far behind an IDR a viewer is sent: rounding must not put the place before it.
const joinSlack = 100 * time.Millisecond

// join is where a viewer has to begin, from the end of the playlist, or 0 if that is left to the player. Players begin
// PART-HOLD-BACK from the end, in the segment that lies there (rfc8216bis 4.4.3.8). Where it holds no IDR up to there,
// since the publisher gives them more rarely than segments end, hls.js waits for one for ever: such viewers are sent to
// the newest IDR.
//
// The short segments at the beginning do without: ffmpeg before 8 takes a multivariant playlist with the tag for a media
// playlist as well, which costs it sound.
func (v *videoWriter) join() time.Duration {
	if len(v.segments) <= openings || v.idrEnough() {
		return 0
	}
	end := v.time(v.partBegan)
	at := end - 3*v.cfg.Part
	newest, found := time.Duration(0), false
	for i := len(v.segments); i >= 0; i-- {
		g := v.open
		if i < len(v.segments) {
			g = v.segments[i]
		}
		idr, ok := newestIDR(g, at)
		if ok && idr <= at && g.Start <= at && (i == len(v.segments) || g.Start+g.Duration() > at) {
			return 0
		}
		if ok && !found {
			newest, found = idr, true
		}
		if found && g.Start <= at {
			return min(newest+joinSlack-end, -joinSlack).Round(joinSlack)
		}
	}
	return 0 // there is none in all of the window
}

// idrEnough says, quickly, that the open segment settles it.
func (v *videoWriter) idrEnough() bool {
	parts := v.open.Parts
	return len(parts) > 0 && parts[0].Independent && v.time(v.partBegan)-v.open.Start >= 3*v.cfg.Part
}

// newestIDR is the stream time of a segment's last part that begins with an IDR, if there is one up to at of those alone.
// One that is hardly a part is there to keep a promise: the segment after it begins with the same IDR.
func newestIDR(g *Segment, at time.Duration) (idr time.Duration, ok bool) {
	begins := g.Start
	for _, p := range g.Parts {
		if p.Independent && p.Duration >= joinSlack && (!ok || begins <= at) {
			idr, ok = begins, true
		}
		begins += p.Duration
	}
	return idr, ok
}
