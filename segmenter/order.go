package segmenter

import "slices"

// order derives decode times for pictures that come in decode order with presentation times (RTP time is presentation
// time, RFC 6184 5.1). With reordering over depth pictures, the n-th decode time is the n-th smallest presentation time;
// what is not known yet is estimated from the frame interval.
type order struct {
	depth int
	held  []int64 // sorted, at most depth+1
	first int64
	n     int64
}

// reset begins a new sequence; depth is max_num_reorder_frames (H.264 E.2.1).
func (o *order) reset(depth int) { *o = order{depth: depth, held: o.held[:0]} }

// decode returns the decode time wanted for a picture with this presentation time, ticks.
func (o *order) decode(pts, frame int64) int64 {
	if o.depth == 0 {
		return pts
	}
	if o.n == 0 {
		o.first = pts
	}
	o.n++
	i, _ := slices.BinarySearch(o.held, pts)
	o.held = slices.Insert(o.held, i, pts)
	if o.n <= int64(o.depth) {
		return o.first + (o.n-1)*frame
	}
	t := o.held[0] + int64(o.depth)*frame
	o.held = slices.Delete(o.held, 0, 1)
	return t
}
