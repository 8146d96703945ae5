package segmenter

import "time"

// nextPart is what to announce: a part of the next segment, if another rendition has cut there already, an IDR is due by the
// length of the last GOP, or the cut will be forced. While the filler runs nothing is announced: the next part may be of a new epoch.
func (v *videoWriter) nextPart() (PartID, bool) {
	id := v.next()
	switch {
	case v.filling || v.newNext:
		return id, false
	case v.end == v.began:
		return id, true // no segment is left empty
	}
	frame := v.frame()
	allowed := cutAtIDR(v.cfg, v.elapsed(), v.idrCut, v.opening())
	idr := v.idrNext || v.gop > 0 && v.end-v.idrAt > v.gop-frame/2
	due := idr && allowed || cutByForce(v.cfg, v.elapsed()+v.time(frame))
	if at, ok := v.w.agenda.begins(id.MSN + 1); ok && v.w.due(&v.builder) {
		return PartID{Epoch: at.epoch, MSN: id.MSN + 1}, true
	}
	if due {
		return PartID{Epoch: v.w.epoch, MSN: id.MSN + 1}, true
	}
	// Better no word than one that is broken: an IDR may come at any moment, and the segment would end with it.
	return id, !v.unforeseen() || !allowed
}

// unforeseen says that nobody can know when the next IDR comes: it was asked for, or there was only one so far.
func (v *videoWriter) unforeseen() bool {
	return v.opening() || v.gop == 0 && v.time(v.end-v.idrAt) < 2*v.cfg.Segment
}

// cutExpected is when the running segment will end, going by the last GOP; false while that cannot be known.
func (v *videoWriter) cutExpected() (time.Duration, bool) {
	forced := v.time(v.began) + v.cfg.maxSegment() + forceAfter
	switch idr := v.time(v.idrAt + v.gop); {
	case v.filling || v.unforeseen():
		return 0, false
	case v.gop > 0 && v.idrAt+v.gop > v.end-v.frame() && idr < forced && cutAtIDR(v.cfg, idr-v.time(v.began), v.idrCut, false):
		return idr, true
	default:
		return forced, true
	}
}

// nextPart is what to announce: a part of the next segment if video has cut by then or is about to, or if the own clock
// will. Where nobody knows when video will cut, nothing is announced once it may.
func (a *audioWriter) nextPart() (PartID, bool) {
	id := a.next()
	following := PartID{Epoch: a.w.epoch, MSN: id.MSN + 1}
	if id.Index == 0 {
		return id, true // no segment is left empty
	}
	if v := a.w.video; v == nil && a.ownCut(a.last) || v != nil && a.forced(a.last) {
		return following, true
	}
	if at, ok := a.w.agenda.begins(id.MSN + 1); ok {
		if a.w.due(&a.builder) {
			return PartID{Epoch: at.epoch, MSN: id.MSN + 1}, true
		}
		return id, true
	}
	if a.w.video == nil {
		return id, true
	}
	at, known := a.w.video.cutExpected()
	if known && a.w.video.open.MSN == id.MSN {
		if a.time(a.end)+dueSlack >= at {
			return following, true
		}
		return id, true
	}
	return id, !cutAtIDR(a.cfg, a.elapsed()+a.cfg.Part, true, a.opening())
}
