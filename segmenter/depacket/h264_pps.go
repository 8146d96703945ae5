package depacket

import "math/bits"

// ppsFacts is what of a picture parameter set the slices need.
type ppsFacts struct {
	id, sps        uint8
	orderPresent   bool // bottom_field_pic_order_in_frame_present_flag
	redundantCount bool // redundant_pic_cnt_present_flag
}

// parsePPS reads pic_parameter_set_rbsp (H.264 7.3.2.2) after the NAL unit header, up to what is needed.
func parsePPS(b []byte) (ppsFacts, bool) {
	r := newBitReader(b)
	p := ppsFacts{id: uint8(r.limited(255)), sps: uint8(r.limited(31))}
	r.flag() // entropy_coding_mode_flag
	p.orderPresent = r.flag()
	if groups := r.limited(7); groups > 0 {
		skipSliceGroups(&r, int(groups))
	}
	r.skip(2) // num_ref_idx_l0_default_active_minus1, num_ref_idx_l1_default_active_minus1
	r.u(3)    // weighted_pred_flag, weighted_bipred_idc
	r.skip(3) // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
	r.u(2)    // deblocking_filter_control_present_flag, constrained_intra_pred_flag
	p.redundantCount = r.flag()
	if r.bad {
		return ppsFacts{}, false
	}
	return p, true
}

// skipSliceGroups reads the slice group map; groups is num_slice_groups_minus1.
func skipSliceGroups(r *bitReader, groups int) {
	switch r.limited(6) {
	case 0:
		r.skip(groups + 1) // run_length_minus1
	case 2:
		r.skip(2 * groups) // top_left, bottom_right
	case 3, 4, 5:
		r.flag() // slice_group_change_direction_flag
		r.ue()   // slice_group_change_rate_minus1
	case 6:
		width := bits.Len(uint(groups)) // Ceil(Log2(num_slice_groups_minus1 + 1))
		for n := int64(r.ue()) + 1; n > 0 && !r.bad; n-- {
			r.u(width)
		}
	}
}
