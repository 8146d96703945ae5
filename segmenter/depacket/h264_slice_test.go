package depacket

import (
	"testing"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/stretchr/testify/require"
)

// setsOf makes a cache of the given NAL units.
func setsOf(t *testing.T, nalus ...[]byte) *parameterSets {
	p := &parameterSets{}
	for _, n := range nalus {
		require.True(t, p.put(n))
	}
	return p
}

func TestParseSlice_H264_7_3_3(t *testing.T) {
	full := spsSpec{profile: 244, planes: true, fields: true}
	set := ppsSpec{order: true, redundant: true}
	sets := setsOf(t, full.nalu(), set.nalu())
	s, ok := parseSlice(sliceSpec{
		kind: nalIDR, typ: SliceSI, firstMB: 7000, frameNum: 200, idrPicID: 65535, lsb: 61, deltaBottom: -3, redundance: 2,
		plane: 2, sps: full, set: set, size: 3,
	}.nalu(), sets)
	require.True(t, ok)
	require.NotNil(t, s.pps)
	s.pps, s.sps = nil, nil
	require.Equal(t, slice{
		idr: true, reference: true, kind: SliceSI, firstMB: 7000, plane: 2, frameNum: 200, idrPicID: 65535, order: 61,
		deltas: [2]int32{-3, 0}, redundant: 2,
	}, s)

	s, ok = parseSlice(sliceSpec{typ: SliceB, disposable: true, field: true, bottom: true, lsb: 5, sps: full, set: set}.nalu(), sets)
	require.True(t, ok)
	require.True(t, s.field && s.bottom && !s.reference && !s.idr)
	require.EqualValues(t, 5, s.order)
}

func TestParseSlice_orderType1(t *testing.T) {
	one := spsSpec{orderType: 1}
	sets := setsOf(t, one.nalu(), pps0)
	s, ok := parseSlice(sliceSpec{frameNum: 3, deltaBottom: 9, sps: one, size: 4}.nalu(), sets)
	require.True(t, ok)
	require.Equal(t, [2]int32{9, 0}, s.deltas)
}

func TestParseSlice_unknownSets(t *testing.T) {
	for name, sets := range map[string]*parameterSets{"none": setsOf(t), "no SPS": setsOf(t, pps0), "no PPS": setsOf(t, sps0)} {
		s, ok := parseSlice(sliceSpec{firstMB: 40, typ: SliceB, size: 9}.nalu(), sets)
		require.True(t, ok, name)
		require.Equal(t, slice{reference: true, kind: SliceB, firstMB: 40}, s, name)
	}
}

func TestParseSlice_cutShort(t *testing.T) {
	sets := setsOf(t, sps0, pps0)
	whole := idr(0)
	for n := 1; n < len(whole)-1; n++ {
		_, ok := parseSlice(whole[:n], sets)
		require.False(t, ok, "%d bytes", n)
	}
	var w bitWriter
	w.ue(0)
	w.ue(10) // slice_type 10
	w.u(32, 0xffffffff)
	_, ok := parseSlice(w.nalu(0x41), sets)
	require.False(t, ok)
}

func TestParseSlice_sameAsOracle(t *testing.T) {
	for name, each := range map[string]int{"bframes": 1, "slices": 4, "refresh": 1, "opengop": 1, "interlaced": 1} {
		pictures := recorded(t, name, each)
		spsNALU, ppsNALU := pictures[0].setOf(nalSPS), pictures[0].setOf(nalPPS)
		sets := setsOf(t, spsNALU, ppsNALU)
		wantSPS, err := avc.ParseSPSNALUnit(spsNALU, true)
		require.NoError(t, err)
		spsMap := map[uint32]*avc.SPS{wantSPS.ParameterID: wantSPS}
		wantPPS, err := avc.ParsePPSNALUnit(ppsNALU, spsMap)
		require.NoError(t, err)
		ppsMap := map[uint32]*avc.PPS{wantPPS.PicParameterSetID: wantPPS}
		compared := 0
		for _, p := range pictures {
			for _, n := range p.kept() {
				if n[0]&nalTypeMask == nalSEI {
					continue
				}
				want, err := avc.ParseSliceHeader(n, spsMap, ppsMap)
				require.NoError(t, err)
				got, ok := parseSlice(n, sets)
				require.True(t, ok)
				require.EqualValues(t, want.FirstMBInSlice, got.firstMB)
				require.EqualValues(t, want.SliceType%5, got.kind)
				require.EqualValues(t, want.FrameNum, got.frameNum)
				require.EqualValues(t, want.IDRPicID, got.idrPicID)
				require.EqualValues(t, want.PicOrderCntLsb, got.order)
				require.EqualValues(t, want.DeltaPicOrderCntBottom, got.deltas[0])
				require.Equal(t, want.FieldPicFlag, got.field)
				compared++
			}
		}
		require.Greater(t, compared, 5, name)
	}
}

// H.264 7.4.1.2.4: each of these alone tells two primary coded pictures apart.
func TestSliceBegins_H264_7_4_1_2_4(t *testing.T) {
	fields := spsSpec{fields: true}
	order := ppsSpec{id: 1, order: true}
	redundant := ppsSpec{id: 2, redundant: true}
	base := sliceSpec{frameNum: 4, lsb: 8, size: 4}
	for name, c := range map[string]struct {
		sps  spsSpec
		a, b func(s *sliceSpec)
		want bool
	}{
		"the next slice":          {b: func(s *sliceSpec) { s.firstMB = 20 }},
		"frame_num":               {b: func(s *sliceSpec) { s.firstMB, s.frameNum = 20, 5 }, want: true},
		"order count":             {b: func(s *sliceSpec) { s.firstMB, s.lsb = 20, 10 }, want: true},
		"picture parameter set":   {b: func(s *sliceSpec) { s.firstMB, s.pps, s.set = 20, 1, order }, want: true},
		"nal_ref_idc":             {b: func(s *sliceSpec) { s.firstMB, s.disposable = 20, true }, want: true},
		"IDR":                     {b: func(s *sliceSpec) { s.firstMB, s.kind = 20, nalIDR }, want: true},
		"idr_pic_id":              {a: func(s *sliceSpec) { s.kind = nalIDR }, b: func(s *sliceSpec) { s.firstMB, s.idrPicID = 20, 1 }, want: true},
		"equal but macroblock 0":  {b: func(s *sliceSpec) {}, want: true},
		"order count of a bottom": {a: func(s *sliceSpec) { s.pps, s.set = 1, order }, b: func(s *sliceSpec) { s.firstMB, s.deltaBottom = 20, 1 }, want: true},
		"redundant picture":       {a: func(s *sliceSpec) { s.pps, s.set = 2, redundant }, b: func(s *sliceSpec) { s.redundance = 1 }},
		"second field":            {sps: fields, a: func(s *sliceSpec) { s.field = true }, b: func(s *sliceSpec) { s.bottom, s.lsb = true, 9 }},
		"second field of an IDR":  {sps: fields, a: func(s *sliceSpec) { s.kind, s.field = nalIDR, true }, b: func(s *sliceSpec) { s.kind, s.bottom = nalSlice, true }},
		"field of another frame":  {sps: fields, a: func(s *sliceSpec) { s.field = true }, b: func(s *sliceSpec) { s.bottom, s.frameNum = true, 5 }, want: true},
		"IDR as second field":     {sps: fields, a: func(s *sliceSpec) { s.field = true }, b: func(s *sliceSpec) { s.kind, s.bottom = nalIDR, true }, want: true},
		"frame after a field":     {sps: fields, a: func(s *sliceSpec) { s.field = true }, b: func(s *sliceSpec) { s.field = false; s.firstMB = 20 }, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			sets := setsOf(t, c.sps.nalu(), pps0, order.nalu(), redundant.nalu())
			first := base
			first.sps = c.sps
			if c.a != nil {
				c.a(&first)
			}
			second := first
			c.b(&second)
			a, ok := parseSlice(first.nalu(), sets)
			require.True(t, ok)
			b, ok := parseSlice(second.nalu(), sets)
			require.True(t, ok)
			require.Equal(t, c.want, b.begins(&a, true))
		})
	}
}

func TestSliceBegins_setsUnknown(t *testing.T) {
	base := slice{reference: true}
	require.False(t, (&slice{reference: true, firstMB: 5}).begins(&base, true))
	require.True(t, (&slice{reference: true}).begins(&base, true))
	require.False(t, (&slice{reference: true}).begins(&base, false), "no macroblock 0 before: slices in any order")
	require.True(t, (&slice{firstMB: 5}).begins(&base, true))
	require.True(t, (&slice{reference: true, firstMB: 5, idr: true}).begins(&base, true))
}

func TestSliceBegins_colourPlanes(t *testing.T) {
	spec := spsSpec{profile: 244, planes: true}
	sets := setsOf(t, spec.nalu(), pps0)
	var planes [3]slice
	for i := range planes {
		planes[i], _ = parseSlice(sliceSpec{plane: uint32(i), sps: spec, size: 2}.nalu(), sets)
		if i > 0 {
			require.False(t, planes[i].begins(&planes[i-1], true))
		}
	}
}

func TestOrderCount_H264_8_2_1_1(t *testing.T) {
	s := &sps{spsFacts: spsFacts{orderBits: 4}}
	var o orderCount
	for i, c := range []struct {
		lsb       uint32
		idr, refs bool
		delta     int32
		want      int64
	}{
		{lsb: 0, idr: true, refs: true, want: 0},
		{lsb: 8, refs: true, want: 8},
		{lsb: 4, want: 4},
		{lsb: 0, refs: true, want: 16}, // wrapped
		{lsb: 12, want: 12},            // shown before it
		{lsb: 6, refs: true, delta: -1, want: 21},
		{lsb: 14, refs: true, delta: 1, want: 30},
		{lsb: 2, idr: true, refs: true, want: 2},
	} {
		got, ok := o.next(&slice{sps: s, order: c.lsb, idr: c.idr, reference: c.refs, deltas: [2]int32{c.delta, 0}})
		require.True(t, ok)
		require.Equal(t, c.want, got, "picture %d", i)
	}
	for _, without := range []*sps{nil, {spsFacts: spsFacts{orderType: 1}}, {spsFacts: spsFacts{orderType: 2}}} {
		_, ok := o.next(&slice{sps: without})
		require.False(t, ok)
	}
}
