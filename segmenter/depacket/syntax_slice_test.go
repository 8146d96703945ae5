package depacket

// sliceSpec describes a slice to make for the sets that spsSpec and ppsSpec give by default.
type sliceSpec struct {
	kind       byte // NAL unit type; 0: 1
	disposable bool // nal_ref_idc 0
	firstMB    uint32
	typ        SliceType
	pps        uint32
	frameNum   uint32
	idrPicID   uint32
	lsb        uint32
	size       int // bytes of content behind the header

	sps spsSpec
	set ppsSpec
	// only with the matching sets
	plane                   uint32
	field, bottom           bool
	deltaBottom, redundance int32
}

func (s sliceSpec) nalu() []byte {
	var w bitWriter
	kind := s.kind
	if kind == 0 {
		kind = nalSlice
	}
	w.ue(s.firstMB)
	w.ue(uint32(s.typ) + 5)
	w.ue(s.pps)
	if s.sps.planes {
		w.u(2, s.plane)
	}
	w.u(8, s.frameNum&0xff)
	if s.sps.fields {
		w.flag(s.field)
		if s.field {
			w.flag(s.bottom)
		}
	}
	if kind == nalIDR {
		w.ue(s.idrPicID)
	}
	if s.sps.orderType == 0 {
		w.u(6, s.lsb&0x3f)
	}
	if s.set.order && !s.field {
		w.se(s.deltaBottom)
	}
	if s.sps.orderType == 1 {
		w.se(s.deltaBottom)
	}
	if s.set.redundant {
		w.ue(uint32(s.redundance))
	}
	for i := range s.size {
		w.u(8, uint32(i*7+int(s.frameNum)*31+int(s.firstMB)))
	}
	header := kind | 0x60
	if s.disposable {
		header = kind
	}
	return w.nalu(header)
}

// sei makes a SEI NAL unit: a user data message of so many bytes, then a recovery point if count is not negative.
func sei(size, count int) []byte {
	var w bitWriter
	w.u(8, 5)
	for n := size; ; n -= 255 {
		if n < 255 {
			w.u(8, uint32(n))
			break
		}
		w.u(8, 255)
	}
	for i := range size {
		w.u(8, uint32(i%3))
	}
	if count >= 0 {
		var r bitWriter
		r.ue(uint32(count))
		r.u(4, 0)
		r.u(1, 1)
		w.u(8, 6)
		w.u(8, uint32(len(r.b)))
		for _, c := range r.b {
			w.u(8, uint32(c))
		}
	}
	return w.nalu(6)
}
