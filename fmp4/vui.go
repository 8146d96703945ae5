package fmp4

// sampleAspectRatios is H.264 table E-1 from aspect_ratio_idc 1 on.
var sampleAspectRatios = [][2]int{
	{1, 1}, {12, 11}, {10, 11}, {16, 11}, {40, 33}, {24, 11}, {20, 11}, {32, 11},
	{80, 33}, {18, 11}, {15, 11}, {64, 33}, {160, 99}, {4, 3}, {3, 2}, {2, 1},
}

// parseVUI reads the video usability information (H.264 E.1.1) and returns max_num_reorder_frames, -1 if it is not
// there. Where the VUI ends too early, it is as if it had ended before the damaged part.
func (v *VideoInfo) parseVUI(r *bitReader) (reorder int) {
	v.parseAspectRatio(r)
	if r.flag() { // overscan_info_present_flag
		r.flag()
	}
	if r.flag() { // video_signal_type_present_flag
		r.u(4) // video_format, video_full_range_flag
		if r.flag() {
			r.u(24) // colour_primaries, transfer_characteristics, matrix_coefficients
		}
	}
	if r.flag() { // chroma_loc_info_present_flag
		r.ueMax(5)
		r.ueMax(5)
	}
	v.parseTiming(r)
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
		return -1
	}
	r.flag()    // motion_vectors_over_pic_boundaries_flag
	r.ueMax(16) // max_bytes_per_pic_denom
	r.ueMax(16) // max_bits_per_mb_denom
	r.ueMax(16) // log2_max_mv_length_horizontal
	r.ueMax(16) // log2_max_mv_length_vertical
	reorder = r.ueMax(16)
	// H.264 E.2.1: max_num_reorder_frames is not above max_dec_frame_buffering.
	if buffering := r.ueMax(16); r.bad || reorder > buffering {
		return -1
	}
	return reorder
}

func (v *VideoInfo) parseAspectRatio(r *bitReader) {
	if !r.flag() {
		return
	}
	const extendedSAR = 255
	idc := int(r.u(8))
	w, h := 0, 0
	switch {
	case idc == extendedSAR:
		w, h = int(r.u(16)), int(r.u(16))
	case idc > 0 && idc <= len(sampleAspectRatios):
		w, h = sampleAspectRatios[idc-1][0], sampleAspectRatios[idc-1][1]
	}
	// H.264 E.2.1: a zero in either, like idc 0 and reserved values, is unspecified.
	if w != 0 && h != 0 && !r.bad {
		v.SARWidth, v.SARHeight = w, h
	}
}

func (v *VideoInfo) parseTiming(r *bitReader) {
	if !r.flag() {
		return
	}
	units, scale := r.u(32), r.u(32)
	r.flag() // fixed_frame_rate_flag
	// H.264 E.2.1: a tick is a field; both are greater than 0.
	if r.bad || units == 0 || scale == 0 {
		return
	}
	if rate := float64(scale) / (2 * float64(units)); rate <= 1000 {
		v.FrameRate = rate
	}
}

// skipHRD passes over hypothetical reference decoder parameters (H.264 E.1.2).
func skipHRD(r *bitReader) {
	count := r.ueMax(31) + 1
	r.u(8) // bit_rate_scale, cpb_size_scale
	for range count {
		r.ue()
		r.ue()
		r.flag()
	}
	r.u(20) // four lengths of 5 bits
}
