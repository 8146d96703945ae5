package hls

import (
	"fmt"
	"math"
	"time"

	"whipsaw/segmenter"
)

// edge is where a media playlist ends at present: its last part, and its last complete segment, which is that part's or
// the one before.
type edge struct {
	msn, part int64
	complete  int64
}

func edgeOf(s *segmenter.Snapshot) edge {
	n := len(s.Segments)
	if n == 0 {
		// Nothing yet: as if all before the first segment had been there.
		msn := s.Next().MSN - 1
		return edge{msn: msn, part: math.MaxInt32, complete: msn}
	}
	last := s.Segments[n-1]
	e := edge{msn: last.MSN, part: int64(len(last.Parts)) - 1, complete: last.MSN}
	if !last.Complete {
		e.complete--
	}
	return e
}

// satisfies reports whether a playlist that ends at e is what d waits for (6.2.5.2).
func (d directives) satisfies(e edge) bool {
	if d.part < 0 {
		return e.complete >= d.msn
	}
	// A part past the last of its segment stands for part 0 of the next one: so for a part of a later segment to be there
	// is enough, whatever part was asked for, and as long as there is none, only the part itself is.
	return e.msn > d.msn || e.msn == d.msn && e.part >= d.part
}

// check refuses what is further ahead than a client can know of (6.2.5.2).
func (d directives) check(e edge, advance int64) error {
	if d.msn > e.msn+2 {
		return fmt.Errorf("%w: _HLS_msn=%d is more than two past the last, %d", errDirectives, d.msn, e.msn)
	}
	ahead := d.part - e.part // how many parts d is past the last one, at the least
	if d.msn > e.msn {
		ahead = d.part + 1
	}
	if d.part >= 0 && d.msn >= e.msn && ahead > advance {
		return fmt.Errorf("%w: _HLS_part=%d is more than %d parts ahead", errDirectives, d.part, advance)
	}
	return nil
}

// advanceLimit is the Advance Part Limit (6.2.5.2): three seconds of parts, or three parts if they last a second or more.
func advanceLimit(partTarget time.Duration) int64 {
	if partTarget <= 0 || partTarget >= time.Second {
		return 3
	}
	return int64(3 * time.Second / partTarget)
}
