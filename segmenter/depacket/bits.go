package depacket

import "math/bits"

// bitReader reads the bits of a NAL unit's RBSP and leaves the emulation prevention bytes out (H.264 7.3.1). Past the end
// it gives zeros and remembers that in bad, so that a parser checks once.
type bitReader struct {
	b     []byte
	acc   uint64 // the next n bits, left-aligned
	n     int
	zeros int // zero bytes just before b
	bad   bool
}

func newBitReader(b []byte) bitReader { return bitReader{b: b} }

func (r *bitReader) fill() {
	for r.n <= 56 && len(r.b) > 0 {
		c := r.b[0]
		r.b = r.b[1:]
		if r.zeros >= 2 && c == 3 {
			r.zeros = 0
			continue
		}
		if c == 0 {
			r.zeros++
		} else {
			r.zeros = 0
		}
		r.acc |= uint64(c) << (56 - r.n)
		r.n += 8
	}
}

// u reads u(n) for n up to 32.
func (r *bitReader) u(n int) uint32 {
	if r.n < n {
		r.fill()
		if r.n < n {
			r.fail()
			return 0
		}
	}
	v := r.acc >> (64 - n)
	r.acc <<= n
	r.n -= n
	return uint32(v)
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

// ue reads ue(v) (H.264 9.1): up to 2^32-2.
func (r *bitReader) ue() uint32 {
	if r.n < 32 {
		r.fill()
	}
	zeros := bits.LeadingZeros64(r.acc)
	if zeros > 31 || zeros >= r.n {
		r.fail()
		return 0
	}
	r.u(zeros)
	return r.u(zeros+1) - 1
}

// se reads se(v) (H.264 9.1.1).
func (r *bitReader) se() int32 {
	v := r.ue()
	if v&1 == 1 {
		return int32(v>>1) + 1
	}
	return -int32(v >> 1)
}

// limited reads ue(v) that the syntax bounds by most.
func (r *bitReader) limited(most uint32) uint32 {
	v := r.ue()
	if v > most {
		r.fail()
		return 0
	}
	return v
}

// skip reads n values of ue(v) or se(v): both have the same length.
func (r *bitReader) skip(n int) {
	for ; n > 0 && !r.bad; n-- {
		r.ue()
	}
}

func (r *bitReader) fail() {
	r.bad = true
	r.b, r.acc, r.n = nil, 0, 0
}
