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
	v.w.close(&v.builder)
	v.filling = true
	v.publish()
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

// occupy makes sure that the open segment is not empty.
func (v *videoWriter) occupy() {
	if v.end == v.began {
		v.still(v.idr, shortFill)
		v.idrCut = true
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
