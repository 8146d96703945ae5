package depacket

// recoveryPoint returns recovery_frame_cnt of the recovery point message in a SEI NAL unit, -1 when it holds none
// (H.264 7.3.2.3, D.1.8).
func recoveryPoint(nalu []byte) int {
	const recovery = 6
	r := newBitReader(nalu[1:])
	for {
		kind, size := seiNumber(&r), seiNumber(&r)
		if r.bad {
			return -1
		}
		if kind == recovery {
			if n := r.ue(); !r.bad && n <= 0xffff { // D.2.8: below MaxFrameNum
				return int(n)
			}
			return -1
		}
		for ; size > 0 && !r.bad; size-- {
			r.u(8)
		}
	}
}

// seiNumber reads payloadType or payloadSize: a run of 255s and a rest. A number past the NAL unit's end is bad anyway.
func seiNumber(r *bitReader) int {
	n := 0
	for {
		c := int(r.u(8))
		n += c
		if c != 255 {
			return n
		}
	}
}
