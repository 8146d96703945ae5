package depacket

// SliceType is slice_type modulo 5 (H.264 table 7-6).
type SliceType uint8

// The slice types.
const (
	SliceP SliceType = iota
	SliceB
	SliceI
	SliceSP
	SliceSI
)

// slice is the part of a slice header that tells pictures apart (H.264 7.3.3 and 7.4.1.2.4).
type slice struct {
	idr       bool
	reference bool // nal_ref_idc is not 0
	kind      SliceType
	firstMB   uint32
	ppsID     uint8
	pps       *pps // nil: not known, and then nothing below is
	sps       *sps

	plane         uint8
	frameNum      uint32
	field, bottom bool
	idrPicID      uint32
	order         uint32   // pic_order_cnt_lsb
	deltas        [2]int32 // delta_pic_order_cnt_bottom in the first for type 0; delta_pic_order_cnt for type 1
	redundant     uint32   // redundant_pic_cnt
}

// parseSlice reads the header of a NAL unit of type 1, 2 or 5; the sets say how. It is false when the header is cut short
// or holds what the syntax forbids.
func parseSlice(nalu []byte, sets *parameterSets) (slice, bool) {
	r := newBitReader(nalu[1:])
	s := slice{idr: nalu[0]&nalTypeMask == nalIDR, reference: nalu[0]&0x60 != 0}
	s.firstMB = r.ue()
	s.kind = SliceType(r.limited(9) % 5)
	s.ppsID = uint8(r.limited(255))
	if r.bad {
		return slice{}, false
	}
	if s.pps = sets.pps[s.ppsID]; s.pps == nil {
		return s, true
	}
	if s.sps = sets.sps[s.pps.sps]; s.sps == nil {
		s.pps = nil
		return s, true
	}
	s.readPicture(&r)
	return s, !r.bad
}

// readPicture reads from after pic_parameter_set_id to redundant_pic_cnt.
func (s *slice) readPicture(r *bitReader) {
	if s.sps.separatePlanes {
		s.plane = uint8(r.u(2))
	}
	s.frameNum = r.u(s.sps.frameNumBits)
	if !s.sps.frameMBsOnly {
		if s.field = r.flag(); s.field {
			s.bottom = r.flag()
		}
	}
	if s.idr {
		s.idrPicID = r.ue()
	}
	both := s.pps.orderPresent && !s.field
	switch {
	case s.sps.orderType == 0:
		s.order = r.u(s.sps.orderBits)
		if both {
			s.deltas[0] = r.se()
		}
	case s.sps.orderType == 1 && !s.sps.deltaAlwaysZero:
		s.deltas[0] = r.se()
		if both {
			s.deltas[1] = r.se()
		}
	}
	if s.pps.redundantCount {
		s.redundant = r.ue()
	}
}

// begins tells whether s, which follows prev, is the first slice of another primary coded picture (H.264 7.4.1.2.4).
// prev has seen a slice with first_mb_in_slice 0 if zeroSeen. Two fields of one frame stay together: they are one sample
// (ISO/IEC 14496-15 5.3).
func (s *slice) begins(prev *slice, zeroSeen bool) bool {
	if s.redundant > 0 {
		return false
	}
	if s.pps != nil && prev.pps != nil {
		if s.secondFieldOf(prev) {
			return false
		}
		if s.differs(prev) {
			return true
		}
	} else if s.idr != prev.idr || s.reference != prev.reference {
		return true
	}
	// Backup for what equal headers hide: a picture has one macroblock 0 in each colour plane.
	return s.firstMB == 0 && zeroSeen && s.plane == prev.plane
}

// secondFieldOf: the opposite parity of the same frame. The second field of an IDR picture may be a P field (H.264 7.4.1.2.4).
func (s *slice) secondFieldOf(prev *slice) bool {
	return s.field && prev.field && s.bottom != prev.bottom && s.frameNum == prev.frameNum && (!s.idr || prev.idr)
}

func (s *slice) differs(prev *slice) bool {
	return s.frameNum != prev.frameNum || s.ppsID != prev.ppsID || s.sps != prev.sps ||
		s.field != prev.field || s.bottom != prev.bottom ||
		s.reference != prev.reference || s.idr != prev.idr || s.idrPicID != prev.idrPicID ||
		s.order != prev.order || s.deltas != prev.deltas
}

// orderCount derives PicOrderCnt from the slices of successive pictures (H.264 8.2.1.1). Memory management control
// operation 5, which would reset it outside an IDR, is not looked at.
type orderCount struct {
	msb int64
	lsb uint32
}

// next returns the picture order count of the picture that begins with s; false unless pic_order_cnt_type is 0.
func (o *orderCount) next(s *slice) (int64, bool) {
	if s.sps == nil || s.sps.orderType != 0 {
		return 0, false
	}
	if s.idr {
		*o = orderCount{}
	}
	period := uint32(1) << s.sps.orderBits
	msb := o.msb
	switch {
	case s.order < o.lsb && o.lsb-s.order >= period/2:
		msb += int64(period)
	case s.order > o.lsb && s.order-o.lsb > period/2:
		msb -= int64(period)
	}
	if s.reference {
		o.msb, o.lsb = msb, s.order
	}
	return msb + int64(s.order) + int64(min(s.deltas[0], 0)), true
}
