package fmp4

import "fmt"

// VideoInfo is what a sequence parameter set says of the pictures that use it.
type VideoInfo struct {
	Codec string // RFC 6381: avc1.PPCCLL, lower-case hex

	Width, Height           int     // to be shown at: square pixels, cropping and sample aspect ratio applied
	PixelWidth, PixelHeight int     // decoded: cropping applied, before the sample aspect ratio
	SARWidth, SARHeight     int     // sample aspect ratio, 1:1 when unspecified
	FrameRate               float64 // frames a second as the VUI promises, 0 when it does not

	// MaxReorderFrames is how many frames may precede any frame in decoding order and follow it in output order:
	// 0 says that output order is decoding order; -1 that the parameter set does not tell.
	MaxReorderFrames int

	// What a slice header needs for its picture order count (H.264 7.3.3, 8.2.1).
	ID                    int
	PicOrderCntType       int
	Log2MaxPicOrderCntLsb int // 0 unless PicOrderCntType is 0
	Log2MaxFrameNum       int
	FrameMBsOnly          bool
	SeparateColourPlanes  bool

	Profile, Constraints, Level                uint8 // the three bytes of Codec
	ChromaFormat, BitDepthLuma, BitDepthChroma uint8
}

// maxMBs is the widest or highest picture of any level: Sqrt(MaxFS * 8) macroblocks of level 6.2 (H.264 A.3.1).
const maxMBs = 1055

// ParseSPS reads a sequence parameter set: the NAL unit with its header, without start code or length (H.264 7.3.2.1.1).
// It accepts what a decoder could use; a broken VUI (which no decoder needs) only leaves unknown what it would have
// told. Errors wrap ErrSPS.
//
// The parser is our own because the box library's runs away on hostile bytes: it loops over an unchecked 64-bit
// cpb_cnt_minus1, allocating.
func ParseSPS(sps []byte) (VideoInfo, error) {
	// H.264 7.4.1: forbidden_zero_bit is 0; table 7-1: type 7 is a sequence parameter set.
	if len(sps) < 5 || len(sps) > 65535 || sps[0]&0x9f != 7 {
		return VideoInfo{}, fmt.Errorf("%w: not a sequence parameter set (%d bytes)", ErrSPS, len(sps))
	}
	v := VideoInfo{
		Profile: sps[1], Constraints: sps[2], Level: sps[3],
		SARWidth: 1, SARHeight: 1, ChromaFormat: 1, BitDepthLuma: 8, BitDepthChroma: 8,
	}
	v.Codec = fmt.Sprintf("avc1.%02x%02x%02x", v.Profile, v.Constraints, v.Level)
	r := newBitReader(sps[4:])
	v.ID = r.ueMax(31)
	v.parseChroma(r)
	v.Log2MaxFrameNum = r.ueMax(12) + 4
	v.parsePicOrderCnt(r)
	r.ueMax(16) // max_num_ref_frames
	r.flag()    // gaps_in_frame_num_value_allowed_flag
	v.parseSize(r)
	if r.bad || v.PixelWidth <= 0 || v.PixelHeight <= 0 {
		return VideoInfo{}, fmt.Errorf("%w: damaged sequence parameter set", ErrSPS)
	}
	reorder := -1
	if r.flag() {
		reorder = v.parseVUI(r)
	}
	v.MaxReorderFrames = v.reorderFrames(reorder)
	v.setDisplaySize()
	return v, nil
}

// parseChroma reads what only the high profiles have between the ID and log2_max_frame_num.
func (v *VideoInfo) parseChroma(r *bitReader) {
	switch v.Profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
	default:
		return
	}
	v.ChromaFormat = uint8(r.ueMax(3))
	if v.ChromaFormat == 3 {
		v.SeparateColourPlanes = r.flag()
	}
	v.BitDepthLuma = 8 + uint8(r.ueMax(6))
	v.BitDepthChroma = 8 + uint8(r.ueMax(6))
	r.flag() // qpprime_y_zero_transform_bypass_flag
	if !r.flag() {
		return
	}
	lists := 8
	if v.ChromaFormat == 3 {
		lists = 12
	}
	for i := range lists {
		if r.flag() {
			skipScalingList(r, i)
		}
	}
}

// skipScalingList passes over one scaling list (H.264 7.3.2.1.1.1): the first six are 4x4, the others 8x8.
func skipScalingList(r *bitReader, index int) {
	size := 16
	if index >= 6 {
		size = 64
	}
	last, next := 8, 8
	for range size {
		if next != 0 {
			next = (last + r.se()) & 0xff
		}
		if next != 0 {
			last = next
		}
	}
}

func (v *VideoInfo) parsePicOrderCnt(r *bitReader) {
	v.PicOrderCntType = r.ueMax(2)
	switch v.PicOrderCntType {
	case 0:
		v.Log2MaxPicOrderCntLsb = r.ueMax(12) + 4
	case 1:
		r.flag() // delta_pic_order_always_zero_flag
		r.se()   // offset_for_non_ref_pic
		r.se()   // offset_for_top_to_bottom_field
		for range r.ueMax(255) {
			r.se() // offset_for_ref_frame
		}
	}
}

// parseSize reads the size in macroblocks and the cropping rectangle.
func (v *VideoInfo) parseSize(r *bitReader) {
	v.PixelWidth = 16 * (r.ueMax(maxMBs-1) + 1)
	v.PixelHeight = 16 * (r.ueMax(maxMBs-1) + 1)
	v.FrameMBsOnly = r.flag()
	fields := 1
	if !v.FrameMBsOnly {
		fields = 2 // pic_height_in_map_units counts pairs of field rows
		v.PixelHeight *= 2
		r.flag() // mb_adaptive_frame_field_flag
	}
	r.flag() // direct_8x8_inference_flag
	if !r.flag() {
		return
	}
	// H.264 table 6-1 and (7-19) to (7-22).
	unitX, unitY := 1, fields
	if !v.SeparateColourPlanes && (v.ChromaFormat == 1 || v.ChromaFormat == 2) {
		unitX = 2
	}
	if v.ChromaFormat == 1 {
		unitY *= 2
	}
	const limit = 32 * maxMBs
	v.PixelWidth -= unitX * (r.ueMax(limit) + r.ueMax(limit))
	v.PixelHeight -= unitY * (r.ueMax(limit) + r.ueMax(limit))
}

// reorderFrames joins what the VUI says (-1: nothing) with what follows from profile and picture order count.
func (v *VideoInfo) reorderFrames(vui int) int {
	intraOnly := false
	switch v.Profile {
	case 44, 86, 100, 110, 122, 244:
		// H.264 E.2.1, max_num_reorder_frames: 0 is inferred for intra profiles (constraint_set3_flag).
		intraOnly = v.Constraints&0x10 != 0
	}
	switch {
	case v.PicOrderCntType == 2: // H.264 8.2.1.3: output order is decoding order
		return 0
	case v.Profile == 66: // H.264 A.2.1: baseline has no B slices
		return 0
	case vui >= 0:
		return vui
	case intraOnly:
		return 0
	}
	return -1
}

// setDisplaySize applies the sample aspect ratio. A ratio nobody can mean is taken as unspecified.
func (v *VideoInfo) setDisplaySize() {
	w, h := v.SARWidth, v.SARHeight
	if w <= 0 || h <= 0 || w > 16*h || h > 16*w {
		w, h = 1, 1
	}
	v.Width, v.Height = (v.PixelWidth*w+h/2)/h, v.PixelHeight
	if v.Width <= 0 || v.Width > 65535 { // the track header holds 16 bits
		w, h, v.Width = 1, 1, v.PixelWidth
	}
	v.SARWidth, v.SARHeight = w, h
}
