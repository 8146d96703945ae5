package fmp4

// bitReader reads the raw byte sequence payload of a NAL unit (H.264 7.3.1). The first read past the end, or of a code
// that cannot be, makes it bad for good; from then on every read gives zero.
type bitReader struct {
	data []byte
	pos  int // in bits
	bad  bool
}

// newBitReader takes out the emulation prevention bytes of nal (H.264 7.4.1), which is not changed.
func newBitReader(nal []byte) *bitReader {
	data := make([]byte, 0, len(nal))
	zeros := 0
	for _, b := range nal {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if b == 0 {
			zeros++
		} else {
			zeros = 0
		}
		data = append(data, b)
	}
	return &bitReader{data: data}
}

// u reads n bits, n <= 32 (H.264 7.2).
func (r *bitReader) u(n int) uint32 {
	if r.bad || len(r.data)*8-r.pos < n {
		r.bad = true
		return 0
	}
	var v uint32
	for range n {
		bit := r.data[r.pos>>3] >> (7 - r.pos&7) & 1
		v = v<<1 | uint32(bit)
		r.pos++
	}
	return v
}

func (r *bitReader) flag() bool { return r.u(1) == 1 }

// ue reads an unsigned Exp-Golomb code (H.264 9.1). No syntax element of a parameter set needs more than 31 leading
// zeros.
func (r *bitReader) ue() uint32 {
	zeros := 0
	for r.u(1) == 0 {
		zeros++
		if r.bad || zeros > 31 {
			r.bad = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.u(zeros)
}

// ueMax reads an Exp-Golomb code that the standard keeps within limit.
func (r *bitReader) ueMax(limit uint32) int {
	v := r.ue()
	if v > limit {
		r.bad = true
		return 0
	}
	return int(v)
}

// se reads a signed Exp-Golomb code (H.264 9.1.1).
func (r *bitReader) se() int {
	v := int64(r.ue())
	if v&1 == 1 {
		return int((v + 1) / 2)
	}
	return int(-v / 2)
}
