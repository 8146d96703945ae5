package segmenter

import (
	"slices"

	"whipsaw/segmenter/depacket"
)

// order derives decode times for pictures that come in decode order with presentation times (RTP time is presentation
// time, RFC 6184 5.1). With reordering over depth pictures, the n-th decode time is the n-th smallest presentation time;
// what is not known yet is estimated from the frame interval.
type order struct {
	depth int     // max_num_reorder_frames (H.264 E.2.1)
	held  []int64 // the depth largest presentation times so far, sorted
	last  int64
	begun bool
}

// reset begins a new sequence.
func (o *order) reset(depth int) { *o = order{depth: depth, held: o.held[:0]} }

// decode returns the decode time wanted for a picture with this presentation time, ticks.
func (o *order) decode(pts, frame int64) int64 {
	if o.depth == 0 {
		return pts
	}
	i, _ := slices.BinarySearch(o.held, pts)
	o.held = slices.Insert(o.held, i, pts)
	switch {
	case len(o.held) > o.depth:
		o.last = o.held[0] + int64(o.depth)*frame
		o.held = slices.Delete(o.held, 0, 1)
	case !o.begun:
		o.last = pts
	default:
		o.last += frame
	}
	o.begun = true
	return o.last
}

// stamping finds out what a sender's RTP times mean when its pictures are reordered: presentation times, as RFC 6184 5.1
// wants, or decode times, as some senders stamp what a hardware encoder gives them. Picture order counts tell.
type stamping struct {
	known  bool // pictures are reordered, and what the times mean is seen
	decode bool // they are decode times
	votes  int  // for decode times, less those for presentation times; one stray picture does not turn it over
	depth  int  // reordering seen
	step   int64
	counts []int64 // picture order counts since the IDR, the last ones
	ticks  int64   // of the picture before
	idr    int64   // ticks of the IDR
}

const maxVotes = 16

// maxDepth is the largest decoded picture buffer (H.264 A.3.1).
const maxDepth = 16

// note looks at a picture, in decode order.
func (s *stamping) note(u *depacket.AccessUnit, ticks int64) {
	if u.IDR {
		s.counts, s.idr = s.counts[:0], ticks
	}
	if !u.HasPOC {
		return
	}
	if n := len(s.counts); n > 0 && u.POC < s.counts[n-1] && ticks != s.ticks {
		if ticks > s.ticks {
			s.votes = min(s.votes+1, maxVotes)
		} else {
			s.votes = max(s.votes-1, -maxVotes)
		}
		s.known, s.decode = true, s.votes > 0
	}
	larger := 0
	for _, c := range s.counts {
		if c > u.POC {
			larger++
		}
		if d := abs(u.POC - c); d > 0 && (s.step == 0 || d < s.step) {
			s.step = d
		}
	}
	s.depth = max(s.depth, larger)
	if len(s.counts) == maxDepth {
		s.counts = slices.Delete(s.counts, 0, 1)
	}
	s.counts = append(s.counts, u.POC)
	s.ticks = ticks
}

// presentation is when a picture is shown that was stamped with its decode time: its picture order count counts from the
// IDR at ticks idr.
func (s *stamping) presentation(count, idr, frame int64) int64 { return idr + count/s.step*frame }

func abs(x int64) int64 { return max(x, -x) }
