package depacket

import (
	"fmt"
	"testing"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/stretchr/testify/require"
)

func TestParseSPS_H264_7_3_2_1_facts(t *testing.T) {
	for name, c := range map[string]struct {
		spec spsSpec
		want spsFacts
	}{
		"main":              {spsSpec{}, spsFacts{profile: 77, frameMBsOnly: true, frameNumBits: 8, orderBits: 6, reorder: -1}},
		"fields, id 31":     {spsSpec{fields: true, id: 31}, spsFacts{id: 31, profile: 77, frameNumBits: 8, orderBits: 6, reorder: -1}},
		"order type 1":      {spsSpec{orderType: 1}, spsFacts{profile: 77, frameMBsOnly: true, frameNumBits: 8, orderType: 1, reorder: -1}},
		"order type 2":      {spsSpec{orderType: 2}, spsFacts{profile: 77, frameMBsOnly: true, frameNumBits: 8, orderType: 2}},
		"high, said 2":      {spsSpec{profile: 100, reorder: 2}, spsFacts{profile: 100, frameMBsOnly: true, frameNumBits: 8, orderBits: 6, reorder: 2}},
		"high, said none":   {spsSpec{profile: 100, reorder: -1}, spsFacts{profile: 100, frameMBsOnly: true, frameNumBits: 8, orderBits: 6}},
		"baseline":          {spsSpec{profile: 66, constrain: 0xc0}, spsFacts{profile: 66, constrain: 0xc0, frameMBsOnly: true, frameNumBits: 8, orderBits: 6}},
		"high 10 intra":     {spsSpec{profile: 110, constrain: 0x10}, spsFacts{profile: 110, constrain: 0x10, frameMBsOnly: true, frameNumBits: 8, orderBits: 6}},
		"constrained, main": {spsSpec{constrain: 0x10}, spsFacts{profile: 77, constrain: 0x10, frameMBsOnly: true, frameNumBits: 8, orderBits: 6, reorder: -1}},
		"three planes":      {spsSpec{profile: 244, planes: true}, spsFacts{profile: 244, separatePlanes: true, frameMBsOnly: true, frameNumBits: 8, orderBits: 6, reorder: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseSPS(c.spec.nalu()[1:])
			require.True(t, ok)
			require.Equal(t, c.want, got)
		})
	}
}

// scalingSPS is a High profile set with scaling lists, some of which end early.
func scalingSPS(format uint32) []byte {
	var w bitWriter
	w.u(24, 244<<16|51)
	w.ue(3)
	w.ue(format)
	lists := 8
	if format == 3 {
		w.flag(false)
		lists = 12
	}
	w.ue(0)
	w.ue(0)
	w.flag(false)
	w.flag(true)
	for i := range lists {
		w.flag(i%3 != 0)
		switch {
		case i%3 == 1: // the second scale is 0: the rest is as the last
			w.se(4)
			w.se(-12)
		case i%3 == 2 && i < 6:
			for range 16 {
				w.se(1)
			}
		case i%3 == 2:
			for range 64 {
				w.se(1)
			}
		}
	}
	w.ue(5)
	w.ue(0)
	w.ue(7)
	w.ue(1)
	w.flag(false)
	w.ue(10)
	w.ue(10)
	w.flag(true)
	w.flag(true)
	w.flag(true)
	for range 4 {
		w.ue(1)
	}
	w.flag(false)
	return w.nalu(0x67)
}

func TestParseSPS_scalingListsAndCropping(t *testing.T) {
	for _, format := range []uint32{1, 3} {
		nalu := scalingSPS(format)
		got, ok := parseSPS(nalu[1:])
		require.True(t, ok)
		require.Equal(t, spsFacts{id: 3, profile: 244, frameMBsOnly: true, frameNumBits: 9, orderBits: 11, reorder: -1}, got)
		sameAsOracle(t, nalu)
	}
}

// sameAsOracle compares with another parser.
func sameAsOracle(t *testing.T, nalu []byte) {
	t.Helper()
	want, err := avc.ParseSPSNALUnit(nalu, true)
	require.NoError(t, err)
	got, ok := parseSPS(nalu[1:])
	require.True(t, ok)
	require.EqualValues(t, want.ParameterID, got.id)
	require.EqualValues(t, want.Log2MaxFrameNumMinus4+4, got.frameNumBits)
	require.EqualValues(t, want.PicOrderCntType, got.orderType)
	require.Equal(t, want.FrameMbsOnlyFlag, got.frameMBsOnly)
	require.Equal(t, want.SeparateColourPlaneFlag, got.separatePlanes)
	if want.PicOrderCntType == 0 {
		require.EqualValues(t, want.Log2MaxPicOrderCntLsbMinus4+4, got.orderBits)
	}
	if want.VUI != nil && want.VUI.BitstreamRestrictionFlag {
		require.EqualValues(t, want.VUI.MaxNumReorderFrames, got.reorder)
	}
}

func TestParseSPS_ofEncoders(t *testing.T) {
	for _, name := range []string{"bframes", "refresh", "opengop", "interlaced"} {
		sameAsOracle(t, recorded(t, name, 1)[0].setOf(nalSPS))
	}
	sameAsOracle(t, recorded(t, "slices", 4)[0].setOf(nalSPS))
	for i, spec := range []spsSpec{{}, {profile: 100, reorder: 4}, {profile: 244, planes: true}, {orderType: 1, fields: true}, {orderType: 2}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) { sameAsOracle(t, spec.nalu()) })
	}
}

// setOf returns the first NAL unit of a type.
func (p picture) setOf(kind byte) []byte {
	for _, n := range p.nalus {
		if n[0]&nalTypeMask == kind {
			return n
		}
	}
	return nil
}

func TestParseSPS_cutShort(t *testing.T) {
	whole := spsSpec{profile: 100, reorder: 2}.nalu()[1:]
	accepted := 0
	for n := range whole {
		facts, ok := parseSPS(whole[:n])
		if !ok {
			require.Zero(t, accepted, "%d bytes", n)
			continue
		}
		accepted++
		if n < len(whole)-2 {
			require.Equal(t, -1, facts.reorder, "a VUI cut short says nothing")
		}
	}
	bare := len(spsSpec{profile: 100}.nalu()) - 1 // up to the VUI
	require.InDelta(t, len(whole)-bare, accepted, 1)
}

func TestParseSPS_outOfRange(t *testing.T) {
	for name, write := range map[string]func(w *bitWriter){
		"id 32":          func(w *bitWriter) { w.ue(32) },
		"frame_num bits": func(w *bitWriter) { w.ue(0); w.ue(13); w.ue(2) },
		"order type 3":   func(w *bitWriter) { w.ue(0); w.ue(0); w.ue(3) },
		"order bits":     func(w *bitWriter) { w.ue(0); w.ue(0); w.ue(0); w.ue(13) },
		"256 frame cycles": func(w *bitWriter) {
			w.ue(0)
			w.ue(0)
			w.ue(1)
			w.u(1, 0)
			w.se(0)
			w.se(0)
			w.ue(256)
		},
	} {
		var w bitWriter
		w.u(24, 77<<16|31)
		write(&w)
		w.u(32, 0xffffffff)
		w.u(32, 0xffffffff)
		_, ok := parseSPS(w.nalu(0x67)[1:])
		require.False(t, ok, name)
	}
}

func TestParsePPS_H264_7_3_2_2(t *testing.T) {
	for name, p := range map[string]ppsSpec{
		"plain":                {},
		"ids":                  {id: 255, sps: 31},
		"order and redundancy": {order: true, redundant: true},
		"groups, interleaved":  {groups: 3, groupsType: 0, redundant: true},
		"groups, dispersed":    {groups: 1, groupsType: 1, redundant: true},
		"groups, foreground":   {groups: 2, groupsType: 2, redundant: true},
		"groups, box-out":      {groups: 1, groupsType: 3, redundant: true},
		"groups, raster":       {groups: 1, groupsType: 4, redundant: true},
		"groups, wipe":         {groups: 1, groupsType: 5, redundant: true},
		"groups, explicit":     {groups: 6, groupsType: 6, redundant: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parsePPS(p.nalu()[1:])
			require.True(t, ok)
			require.Equal(t, ppsFacts{id: uint8(p.id), sps: uint8(p.sps), orderPresent: p.order, redundantCount: p.redundant}, got)
		})
	}
}

func TestParsePPS_refused(t *testing.T) {
	whole := ppsSpec{id: 9}.nalu()[1:]
	for n := range len(whole) - 1 {
		_, ok := parsePPS(whole[:n])
		require.False(t, ok, "%d bytes", n)
	}
	for name, p := range map[string]ppsSpec{
		"id 256": {id: 256}, "sps 32": {sps: 32}, "nine groups": {groups: 8}, "map type 7": {groups: 1, groupsType: 7},
	} {
		_, ok := parsePPS(p.nalu()[1:])
		require.False(t, ok, name)
	}
}

func TestParsePPS_hugeMapEnds(t *testing.T) {
	var w bitWriter
	w.ue(0)
	w.ue(0)
	w.u(2, 0)
	w.ue(7)
	w.ue(6)
	w.ue(1<<32 - 2)
	_, ok := parsePPS(w.nalu(0x68)[1:]) // must not take long either
	require.False(t, ok)
}

func TestRecoveryPoint_H264_D_1_8(t *testing.T) {
	for name, c := range map[string]struct {
		nalu []byte
		want int
	}{
		"alone":                     {sei(0, 0), 0},
		"behind a long message":     {sei(700, 12), 12},
		"behind one of 255":         {sei(255, 3), 3},
		"most":                      {sei(5, 0xffff), 0xffff},
		"over MaxFrameNum":          {sei(5, 0x10000), -1},
		"none":                      {sei(40, -1), -1},
		"header alone":              {[]byte{6}, -1},
		"size past the end":         {[]byte{6, 5, 200, 1, 2, 0x80}, -1},
		"recovery point without it": {[]byte{6, 6, 1}, -1},
		"only 255s":                 {[]byte{6, 255, 255, 255}, -1},
		"payload type over 255":     {[]byte{6, 255, 6, 1, 0x80, 0x80}, -1},
	} {
		require.Equal(t, c.want, recoveryPoint(c.nalu), name)
	}
}
