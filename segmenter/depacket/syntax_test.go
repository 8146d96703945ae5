package depacket

import (
	"math/bits"
)

// bitWriter writes RBSP syntax for tests.
type bitWriter struct {
	b []byte
	n int // bits
}

func (w *bitWriter) u(n int, v uint32) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

func (w *bitWriter) flag(v bool) {
	if v {
		w.u(1, 1)
	} else {
		w.u(1, 0)
	}
}

func (w *bitWriter) ue(v uint32) {
	n := bits.Len64(uint64(v) + 1)
	w.u(n-1, 0)
	if n > 32 {
		w.u(1, 1)
		w.u(32, uint32(uint64(v)+1))
		return
	}
	w.u(n, v+1)
}

func (w *bitWriter) se(v int32) {
	if v > 0 {
		w.ue(uint32(2*int64(v) - 1))
	} else {
		w.ue(uint32(-2 * int64(v)))
	}
}

// nalu ends the RBSP with its stop bit and puts emulation prevention in.
func (w *bitWriter) nalu(header byte) []byte {
	w.u(1, 1)
	return append([]byte{header}, escape(w.b)...)
}

// escape puts emulation prevention bytes in (H.264 7.4.1).
func escape(rbsp []byte) []byte {
	out := make([]byte, 0, len(rbsp)+8)
	zeros := 0
	for _, c := range rbsp {
		if zeros >= 2 && c <= 3 {
			out = append(out, 3)
			zeros = 0
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// spsSpec describes a sequence parameter set to make; the zero value is a Main profile set with pic_order_cnt_type 0.
type spsSpec struct {
	profile, constrain byte // 0: Main
	id                 uint32
	orderType          uint32
	fields             bool // frame_mbs_only_flag 0
	planes             bool // separate_colour_plane_flag, with profile 244
	width              uint32
	reorder            int // in the VUI if positive; 0: no VUI; -1: a VUI that says 0
}

func (s spsSpec) nalu() []byte {
	var w bitWriter
	profile := s.profile
	if profile == 0 {
		profile = 77
	}
	w.u(8, uint32(profile))
	w.u(8, uint32(s.constrain))
	w.u(8, 31)
	w.ue(s.id)
	if hasChromaFormat(profile) {
		if s.planes {
			w.ue(3)
			w.flag(true)
		} else {
			w.ue(1)
		}
		w.ue(0)
		w.ue(0)
		w.u(2, 0)
	}
	w.ue(4) // frame_num of 8 bits
	w.ue(s.orderType)
	switch s.orderType {
	case 0:
		w.ue(2) // pic_order_cnt_lsb of 6 bits
	case 1:
		w.flag(false)
		w.se(-2)
		w.se(1)
		w.ue(2)
		w.se(3)
		w.se(-3)
	}
	w.ue(4)
	w.flag(false)
	w.ue(19 + s.width)
	w.ue(11)
	w.flag(!s.fields)
	if s.fields {
		w.flag(false)
	}
	w.flag(true)
	w.flag(false)
	w.flag(s.reorder != 0)
	if s.reorder != 0 {
		writeVUI(&w, uint32(max(s.reorder, 0)))
	}
	return w.nalu(0x67)
}

// writeVUI writes everything that a VUI may hold.
func writeVUI(w *bitWriter, reorder uint32) {
	w.flag(true)
	w.u(8, 255)
	w.u(16, 4)
	w.u(16, 3)
	w.u(2, 3)
	w.flag(true)
	w.u(4, 11)
	w.flag(true)
	w.u(24, 0x010101)
	w.flag(true)
	w.ue(1)
	w.ue(1)
	w.flag(true)
	w.u(32, 1)
	w.u(32, 60)
	w.flag(true)
	for range 2 {
		w.flag(true)
		w.ue(1)
		w.u(8, 0x34)
		for range 2 {
			w.ue(999)
			w.ue(1999)
			w.flag(false)
		}
		w.u(20, 0x12345)
	}
	w.flag(false)
	w.flag(true)
	w.flag(true)
	w.flag(true)
	w.ue(2)
	w.ue(1)
	w.ue(16)
	w.ue(16)
	w.ue(reorder)
	w.ue(reorder + 1)
}

// ppsSpec describes a picture parameter set to make.
type ppsSpec struct {
	id, sps    uint32
	order      bool // bottom_field_pic_order_in_frame_present_flag
	redundant  bool
	groups     uint32 // num_slice_groups_minus1
	groupsType uint32
	initialQP  int32 // to have other bytes
}

func (p ppsSpec) nalu() []byte {
	var w bitWriter
	w.ue(p.id)
	w.ue(p.sps)
	w.flag(true)
	w.flag(p.order)
	w.ue(p.groups)
	if p.groups > 0 {
		p.writeGroups(&w)
	}
	w.ue(2)
	w.ue(0)
	w.u(3, 2)
	w.se(p.initialQP)
	w.se(0)
	w.se(-2)
	w.u(2, 2)
	w.flag(p.redundant)
	return w.nalu(0x68)
}

func (p ppsSpec) writeGroups(w *bitWriter) {
	w.ue(p.groupsType)
	switch p.groupsType {
	case 0:
		for range p.groups + 1 {
			w.ue(17)
		}
	case 2:
		for range p.groups {
			w.ue(3)
			w.ue(40)
		}
	case 3, 4, 5:
		w.flag(true)
		w.ue(8)
	case 6:
		w.ue(99)
		for i := range uint32(100) {
			w.u(bits.Len32(p.groups), i%(p.groups+1))
		}
	}
}
