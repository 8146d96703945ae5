package depacket

// spsFacts is what of a sequence parameter set the slices need.
type spsFacts struct {
	id                 uint8
	separatePlanes     bool // separate_colour_plane_flag
	frameMBsOnly       bool
	deltaAlwaysZero    bool // delta_pic_order_always_zero_flag
	frameNumBits       int
	orderType          uint8 // pic_order_cnt_type
	orderBits          int   // of pic_order_cnt_lsb
	reorder            int   // most pictures that precede one in decoding and follow it in output; -1: not said
	profile, constrain uint8
}

// parseSPS reads seq_parameter_set_data (H.264 7.3.2.1.1) after the NAL unit header.
func parseSPS(b []byte) (spsFacts, bool) {
	r := newBitReader(b)
	s := spsFacts{profile: uint8(r.u(8)), constrain: uint8(r.u(8))}
	r.u(8) // level_idc
	s.id = uint8(r.limited(31))
	if hasChromaFormat(s.profile) {
		s.separatePlanes = skipChromaFormat(&r)
	}
	s.frameNumBits = int(r.limited(12)) + 4
	s.readOrder(&r)
	r.ue()   // max_num_ref_frames
	r.flag() // gaps_in_frame_num_value_allowed_flag
	r.ue()   // pic_width_in_mbs_minus1
	r.ue()   // pic_height_in_map_units_minus1
	if s.frameMBsOnly = r.flag(); !s.frameMBsOnly {
		r.flag() // mb_adaptive_frame_field_flag
	}
	r.flag() // direct_8x8_inference_flag
	if r.flag() {
		r.skip(4) // frame_crop_*_offset
	}
	if r.bad {
		return spsFacts{}, false
	}
	s.reorder = s.readReorder(&r)
	return s, true
}

func (s *spsFacts) readOrder(r *bitReader) {
	switch s.orderType = uint8(r.limited(2)); s.orderType {
	case 0:
		s.orderBits = int(r.limited(12)) + 4
	case 1:
		s.deltaAlwaysZero = r.flag()
		r.skip(2)                   // offset_for_non_ref_pic, offset_for_top_to_bottom_field
		r.skip(int(r.limited(255))) // offset_for_ref_frame
	}
}

// readReorder reads what remains, the VUI. A VUI that is cut short says nothing of reordering, and harms nothing else.
func (s *spsFacts) readReorder(r *bitReader) int {
	said, ok := -1, false
	if r.flag() {
		said, ok = readVUI(r)
	}
	switch {
	case ok && !r.bad:
		return said
	// H.264 8.2.1.3: with type 2 the output order is the decoding order.
	case s.orderType == 2:
		return 0
	// H.264 E.2.1, max_num_reorder_frames inferred to be 0: the intra profiles.
	case s.constrain&0x10 != 0 && isIntraCapable(s.profile):
		return 0
	// Baseline has no B slices, and no encoder reorders its P slices.
	case s.profile == 66:
		return 0
	}
	return -1
}

// hasChromaFormat tells the profiles of H.264 7.3.2.1.1 whose sets begin with chroma_format_idc.
func hasChromaFormat(profile uint8) bool {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		return true
	}
	return false
}

func isIntraCapable(profile uint8) bool {
	switch profile {
	case 44, 86, 100, 110, 122, 244:
		return true
	}
	return false
}

// skipChromaFormat reads from chroma_format_idc to the scaling lists, and returns separate_colour_plane_flag.
func skipChromaFormat(r *bitReader) (separate bool) {
	format := r.limited(3)
	if format == 3 {
		separate = r.flag()
	}
	r.skip(2) // bit_depth_luma_minus8, bit_depth_chroma_minus8
	r.flag()  // qpprime_y_zero_transform_bypass_flag
	if r.flag() {
		lists := 8
		if format == 3 {
			lists = 12
		}
		for i := range lists {
			if r.flag() {
				skipScalingList(r, i)
			}
		}
	}
	return separate
}

// skipScalingList reads scaling_list (H.264 7.3.2.1.1.1).
func skipScalingList(r *bitReader, i int) {
	size := 64
	if i < 6 {
		size = 16
	}
	last, next := 8, 8
	for j := 0; j < size && next != 0 && !r.bad; j++ {
		next = (last + int(r.se())) & 0xff
		if next != 0 {
			last = next
		}
	}
}

// readVUI reads vui_parameters (H.264 E.1.1) and returns max_num_reorder_frames, false when it is not there.
func readVUI(r *bitReader) (int, bool) {
	const extendedSAR = 255
	if r.flag() && r.u(8) == extendedSAR {
		r.u(32)
	}
	if r.flag() { // overscan_info_present_flag
		r.flag()
	}
	if r.flag() { // video_signal_type_present_flag
		r.u(4)
		if r.flag() {
			r.u(24)
		}
	}
	if r.flag() { // chroma_loc_info_present_flag
		r.skip(2)
	}
	if r.flag() { // timing_info_present_flag
		r.u(32)
		r.u(32)
		r.flag()
	}
	nal := r.flag()
	if nal {
		skipHRD(r)
	}
	vcl := r.flag()
	if vcl {
		skipHRD(r)
	}
	if nal || vcl {
		r.flag() // low_delay_hrd_flag
	}
	r.flag() // pic_struct_present_flag
	if !r.flag() {
		return 0, false
	}
	r.flag()                        // motion_vectors_over_pic_boundaries_flag
	r.skip(4)                       // two denominators, two lengths of motion vectors
	return int(r.limited(16)), true // E.2.1: at most MaxDpbFrames, which is at most 16
}

// skipHRD reads hrd_parameters (H.264 E.1.2).
func skipHRD(r *bitReader) {
	n := int(r.limited(31)) + 1
	r.u(8) // bit_rate_scale, cpb_size_scale
	for ; n > 0 && !r.bad; n-- {
		r.skip(2)
		r.flag()
	}
	r.u(20) // four lengths
}
