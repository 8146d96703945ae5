package segmenter

// shortFill is the shortest filler picture worth making; less is left to the next pictures to walk back.
const shortFill = videoRate * 30 / 1000

// repay fills the time that a source slower than a part owes by showing its IDR early, as often as needed.
func (v *videoWriter) repay(idr []byte, want int64) {
	part := timeToTicks(v.cfg.Part, v.rate)
	for want-v.end >= part && v.slow() {
		v.fillOne(idr, part)
	}
}

// startFilling hands over to the filler: the last IDR repeated, one picture a part.
func (v *videoWriter) startFilling() {
	if v.filling || v.idr == nil {
		return
	}
	v.settle(v.end + timeToTicks(v.cfg.Part, v.rate))
	v.filling = true
	if len(v.samples) > 0 { // else nothing is new, and the first part of the filler is the one that was announced
		v.w.close(&v.builder)
		v.publish()
	}
}

// fillTo repeats the last IDR up to a tick, as far as whole parts go.
func (v *videoWriter) fillTo(until int64) {
	part := timeToTicks(v.cfg.Part, v.rate)
	for until-v.end >= part {
		v.fillOne(v.idr, part)
	}
}

// fillOne makes one part of one IDR.
func (v *videoWriter) fillOne(idr []byte, ticks int64) {
	v.settle(v.end + 1)
	v.w.close(&v.builder)
	v.cutBefore(true)
	if v.end == v.began {
		v.idrCut = true
	}
	v.still(idr, ticks)
	v.publish()
}

// catch lets the filler run up to where the next picture belongs.
func (v *videoWriter) catch(want int64) {
	v.fillTo(want)
	if want-v.end >= shortFill {
		v.fillOne(v.idr, want-v.end)
	}
}

// catchUp brings the segment number to msn, each segment in between with a picture of filler, and leaves no segment
// empty.
func (v *videoWriter) catchUp(msn int64) {
	v.settle(v.end + v.frame())
	v.occupy()
	for v.open.MSN < msn {
		v.w.cut(&v.builder)
		v.occupy()
	}
}

// occupy makes sure that the open segment is not empty, and that no part that was announced is missing.
func (v *videoWriter) occupy() {
	switch {
	case v.end == v.began:
		v.still(v.idr, shortFill)
		v.idrCut = true
	case v.owes() && !v.cfg.RecoveryPoints:
		v.still(v.idr, v.least())
	}
}

// still makes a part of one IDR. It is shown after all pictures before it, also where reordering put one of them late.
func (v *videoWriter) still(idr []byte, ticks int64) {
	offset := max(v.shown+1-v.end, 0)
	v.shown = v.end + offset
	v.add(idr, ticks, offset, true)
	v.filled += ticks
	v.w.close(&v.builder)
}

// keepWord shows an IDR that nobody expected twice, if the segment is to end before it and readers wait for one more part
// of that: once there, for the time that is owed, and once where the next segment begins. It returns when the picture is
// shown then. Recovery points cannot be repeated: they are no IDRs (H.264 7.4.3, frame_num).
func (v *videoWriter) keepWord(p picture, pts, want int64) int64 {
	v.idrNext = false
	if !p.idr || v.cfg.RecoveryPoints || !v.owes() || !v.cuts(true) {
		return pts
	}
	v.still(p.data, min(max(want-v.end, v.least()), timeToTicks(v.cfg.Part, v.rate)))
	return max(pts, v.shown+1)
}
