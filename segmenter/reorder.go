package segmenter

import "time"

const (
	// maxHeld bounds how far ahead of a hole a packet may be; a larger step is a new sequence, not a loss.
	maxHeld = 4096
	// maxBehind tells an old packet from a sequence that began anew.
	maxBehind = 4096
	// nackRetry is how long an answer to a NACK is given, about a round trip, before it is asked again.
	nackRetry = 60 * time.Millisecond
	// maxNACKs is how many packets one call asks for; a burst longer than that is past repair.
	maxNACKs = 256
)

// reorder puts the RTP packets of one track back into sequence order. A hole is waited for no longer than the bound in
// TIME, then it is declared lost: a packet that comes later is a duplicate to it. Held packets are copies in reused
// buffers, packets in order pass through without one.
type reorder struct {
	bound   time.Duration
	deliver func(packet []byte) // in order; the slice is borrowed for the call
	lost    func(n int)         // n packets are declared lost, here in the order

	started bool
	next    int64 // extended number of the next packet to deliver
	highest int64 // highest extended number seen
	slots   []slot
	held    int

	duplicates, late   uint64
	recovered          uint64 // holes that were filled after a NACK
	missing, reordered uint64 // holes that opened, and those that were filled
}

// slot stands for one sequence number from next on: a packet that waits, or a hole that is waited for.
type slot struct {
	seq    int64
	buf    []byte
	filled bool
	since  time.Duration // a hole: when it was seen
	asked  time.Duration // a hole: when it was last asked for
	tries  int
}

// push takes one packet, delivers what is in order, and reports whether a hole opened that is worth a NACK at once.
func (r *reorder) push(now time.Duration, sequence uint16, packet []byte) (opened bool) {
	if !r.started {
		r.started = true
		r.next = int64(sequence)
		r.highest = r.next - 1
	}
	seq := r.highest + int64(int16(sequence-uint16(r.highest)))
	switch {
	case seq-r.next >= maxHeld || r.next-seq > maxBehind:
		r.restart(seq)
	case seq < r.next:
		r.late++
		return false
	}
	if seq == r.next && r.held == 0 {
		r.next++
		r.highest = max(r.highest, seq)
		r.deliver(packet)
		r.drain()
		return false
	}
	opened = seq > r.highest+1
	if !r.hold(now, seq, packet) {
		r.duplicates++
		return false
	}
	r.drain()
	return opened
}

// restart gives up all that was waited for: the sender's numbering jumped.
func (r *reorder) restart(seq int64) {
	r.flush()
	r.next, r.highest = seq, seq-1
	r.missing++
	r.lost(1)
}

// hold stores a packet ahead of its turn and opens holes for those before it; false for a duplicate.
func (r *reorder) hold(now time.Duration, seq int64, packet []byte) bool {
	r.room(seq)
	for n := max(r.highest+1, r.next); n < seq; n++ {
		s := r.at(n)
		*s = slot{seq: n, buf: s.buf[:0], since: now, asked: -1}
		r.missing++
	}
	s := r.at(seq)
	if seq <= r.highest && s.seq == seq {
		if s.filled {
			return false
		}
		r.reordered++
		if s.tries > 0 {
			r.recovered++
		}
	}
	*s = slot{seq: seq, buf: append(s.buf[:0], packet...), filled: true}
	r.held++
	r.highest = max(r.highest, seq)
	return true
}

// room grows the ring so that seq fits, in powers of two up to maxHeld.
func (r *reorder) room(seq int64) {
	need := seq - r.next + 1
	size := int64(max(len(r.slots), 32))
	for size < need {
		size *= 2
	}
	if size == int64(len(r.slots)) {
		return
	}
	grown := make([]slot, size)
	for n := r.next; n <= r.highest; n++ {
		grown[n&(size-1)] = *r.at(n)
	}
	r.slots = grown
}

func (r *reorder) at(seq int64) *slot { return &r.slots[seq&int64(len(r.slots)-1)] }

// drain delivers the packets that are in order now.
func (r *reorder) drain() {
	for r.held > 0 && r.next <= r.highest {
		s := r.at(r.next)
		if !s.filled {
			return
		}
		s.filled = false
		r.held--
		r.next++
		r.deliver(s.buf)
	}
}

// expire declares holes lost that were waited for long enough.
func (r *reorder) expire(now time.Duration) {
	for r.held > 0 {
		s := r.at(r.next)
		if s.filled {
			r.drain()
			continue
		}
		if now-s.since < r.bound {
			return
		}
		r.skip()
	}
}

// skip declares the run of holes at the head lost and delivers what follows.
func (r *reorder) skip() {
	n := 0
	for r.next <= r.highest && !r.at(r.next).filled {
		r.next++
		n++
	}
	r.lost(n)
	r.drain()
}

// flush delivers all that is held and declares every hole between lost.
func (r *reorder) flush() {
	for r.held > 0 {
		r.skip()
	}
}

// deadline is when expire has something to do.
func (r *reorder) deadline() (time.Duration, bool) {
	if r.held == 0 {
		return 0, false
	}
	return r.at(r.next).since + r.bound, true
}

// nacks appends the sequence numbers to ask for now: holes never asked for, and those whose answer is overdue.
func (r *reorder) nacks(now time.Duration, out []uint16) []uint16 {
	if r.held == 0 {
		return out
	}
	for n := r.next; n <= r.highest && len(out) < maxNACKs; n++ {
		s := r.at(n)
		if s.filled || s.asked >= 0 && now-s.asked < nackRetry {
			continue
		}
		s.asked = now
		s.tries++
		out = append(out, uint16(n))
	}
	return out
}

// nackDue is when nacks would next ask again.
func (r *reorder) nackDue() (time.Duration, bool) {
	if r.held == 0 {
		return 0, false
	}
	// The hole at the head is the oldest: it was asked first and sets the pace for all.
	return max(r.at(r.next).asked, 0) + nackRetry, true
}
