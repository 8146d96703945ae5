package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// wide is sequence parameter set 0 with other bytes.
var (
	wide  = spsSpec{width: 20}.nalu()
	wider = spsSpec{width: 40}.nalu()
	pps1  = ppsSpec{id: 1}.nalu()
	pps0b = ppsSpec{initialQP: 4}.nalu()
)

func withPPS(id uint32) sliceSpec { return sliceSpec{pps: id, size: 9} }

// feed gives each list of NAL units its own timestamp and returns what was emitted.
func feed(t *testing.T, units ...[][]byte) []got {
	r := newReceiver(t)
	return r.feed(units...)
}

func (r *receiver) feed(units ...[][]byte) []got {
	next := r.unit.Timestamp + 1
	for i, nalus := range units {
		for _, n := range nalus {
			r.push(packet(next+uint32(i), n))
		}
	}
	return r.flush()
}

func versions(all []got) []int {
	var out []int
	for _, g := range all {
		out = append(out, g.version)
	}
	return out
}

func missing(all []got) []bool {
	var out []bool
	for _, g := range all {
		out = append(out, g.MissingSets)
	}
	return out
}

func TestParameterSets_versionIsOfBytes(t *testing.T) {
	all := feed(t,
		[][]byte{sps0, pps0, idr(9)},
		[][]byte{predicted(1, 9)},
		[][]byte{sps0, pps0, idr(9)},        // the same again
		[][]byte{sps0, pps0},                // alone
		[][]byte{predicted(1, 9)},           //
		[][]byte{idr(9)},                    // none in band
		[][]byte{wide, pps0, idr(9)},        // another size
		[][]byte{predicted(1, 9)},           //
		[][]byte{wide, pps0b, idr(9)},       // another PPS only
		[][]byte{wide},                      // ahead of its IDR
		[][]byte{pps0b},                     //
		[][]byte{idr(9)},                    //
		[][]byte{sps0, wide, pps0b, idr(9)}, // there and back: nothing really changed
	)
	require.Equal(t, []int{1, 1, 1, 1, 1, 2, 2, 3, 3, 3}, versions(all))
	require.NotContains(t, missing(all), true)
	require.Equal(t, [][]byte{sps0}, all[0].sps)
	require.Equal(t, [][]byte{pps0}, all[0].pps)
	require.Equal(t, [][]byte{wide}, all[9].sps)
	require.Equal(t, [][]byte{pps0b}, all[9].pps)
}

func TestParameterSets_takeEffectWithTheIDR(t *testing.T) {
	all := feed(t,
		[][]byte{sps0, pps0, idr(9)},
		[][]byte{wide, pps0},      // comes early
		[][]byte{predicted(1, 9)}, // would be decoded with another set than the active one
		[][]byte{idr(9)},
	)
	require.Equal(t, []int{1, 1, 2}, versions(all))
	require.Equal(t, []bool{false, true, false}, missing(all))
	require.Equal(t, [][]byte{sps0}, all[1].sps)
	require.Equal(t, [][]byte{wide}, all[2].sps)
}

func TestParameterSets_several(t *testing.T) {
	sps5 := spsSpec{id: 5, width: 7}.nalu()
	pps9 := ppsSpec{id: 9, sps: 5}.nalu()
	idr9 := sliceSpec{kind: nalIDR, typ: SliceI, pps: 9, size: 9}.nalu()
	all := feed(t,
		[][]byte{sps5, pps9, sps0, pps1, pps0, idr(9)}, // PPS 1 may be used by what follows
		[][]byte{withPPS(1).nalu()},
		[][]byte{idr9}, // all of the other one
		[][]byte{sliceSpec{pps: 9, frameNum: 1, lsb: 2}.nalu()},
		[][]byte{withPPS(1).nalu()},
		[][]byte{idr(9)},
	)
	require.Equal(t, []int{1, 1, 2, 2, 2, 3}, versions(all))
	require.Equal(t, []bool{false, false, false, false, true, false}, missing(all))
	require.Equal(t, [][]byte{pps0, pps1}, all[0].pps, "by id, not by arrival")
	require.Equal(t, [][]byte{sps5}, all[2].sps)
	require.Equal(t, [][]byte{pps9}, all[2].pps)
	require.Equal(t, [][]byte{sps0}, all[5].sps)
}

func TestParameterSets_lateOnes(t *testing.T) {
	all := feed(t,
		[][]byte{idr(9)},                     // nothing has come
		[][]byte{sps0, idr(9)},               // half
		[][]byte{pps0, predicted(1, 9)},      // no IDR with them yet, but nothing is missing
		[][]byte{idr(9)},                     //
		[][]byte{withPPS(1).nalu()},          // unknown
		[][]byte{pps1, withPPS(1).nalu()},    // known, not active
		[][]byte{idr(9)},                     // now it is
		[][]byte{withPPS(1).nalu()},          //
		[][]byte{pps0b, predicted(1, 9)},     // changed without an IDR
		[][]byte{sliceSpec{pps: 200}.nalu()}, //
	)
	require.Equal(t, []bool{true, true, false, false, true, true, false, false, true, true}, missing(all))
	require.Equal(t, []int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2}, versions(all))
	require.Equal(t, [][]byte{pps0, pps1}, all[6].pps)
}

// An old PPS of a set that changed is not announced; one that is used or came again is.
func TestParameterSets_stale(t *testing.T) {
	all := feed(t,
		[][]byte{sps0, pps0, pps1, idr(9)},
		[][]byte{wide, pps0, idr(9)},
		[][]byte{pps1, idr(9)},
		[][]byte{wider, idr(9)},
	)
	require.Equal(t, [][]byte{pps0, pps1}, all[0].pps)
	require.Equal(t, [][]byte{pps0}, all[1].pps)
	require.Equal(t, [][]byte{pps0, pps1}, all[2].pps)
	require.Equal(t, [][]byte{pps0}, all[3].pps, "referred to, although it did not come again")
	require.Equal(t, []int{1, 2, 3, 4}, versions(all))
}

func TestParameterSets_RFC6184_8_1_outOfBand(t *testing.T) {
	r := newReceiver(t)
	r.SetParameterSets([][]byte{sps0, pps0, nil, {7}, {6, 1}, idr(5)})
	require.EqualValues(t, 4, r.Stats().Broken)
	_, _, version := r.ParameterSets()
	require.Zero(t, version)
	all := r.feed([][]byte{idr(9)}, [][]byte{wide, idr(9)})
	require.Equal(t, []int{1, 2}, versions(all))
	require.Equal(t, [][]byte{sps0}, all[0].sps)
	require.Equal(t, [][]byte{wide}, all[1].sps, "in-band sets replace them")
	require.EqualValues(t, 3, r.Stats().ParameterSetChanges)
}

func TestParameterSets_ofADamagedUnitCount(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	r.push(packet(1, wide), packet(1, pps0))
	r.Lost()
	r.push(packet(1, sliceSpec{kind: nalIDR, firstMB: 9}.nalu()))
	r.push(packet(2, idr(9)))
	all := r.flush()
	require.Equal(t, []bool{false, true, false}, []bool{all[0].Damaged, all[1].Damaged, all[2].Damaged})
	require.Equal(t, []int{1, 1, 2}, versions(all))
	require.Equal(t, [][]byte{wide}, all[2].sps)
}

// Without IDRs a recovery point that needs no earlier picture is where decoding starts.
func TestParameterSets_recoveryPointOnly(t *testing.T) {
	intra := sliceSpec{typ: SliceI, size: 9}.nalu()
	all := feed(t,
		[][]byte{sps0, pps0, sei(0, 3), intra}, // not yet
		[][]byte{sei(0, 0), predicted(1, 9)},   // not intra
		[][]byte{sei(0, 0), intra},
		[][]byte{predicted(1, 9)},
		[][]byte{wide, pps0, sei(0, 0), intra},
		[][]byte{idr(9)},
		[][]byte{sps0, pps0, sei(0, 0), intra}, // with IDRs they are the only ones
	)
	require.Equal(t, []int{0, 0, 1, 1, 2, 2, 2}, versions(all))
	require.Equal(t, []bool{false, false, false, false, false, false, true}, missing(all))
}

func TestParameterSets_bounded(t *testing.T) {
	huge := func(id uint32) []byte { return append(ppsSpec{id: id}.nalu(), make([]byte, 4000)...) }
	r := newReceiver(t)
	r.push(packet(0, sps0))
	for id := range uint32(256) {
		r.push(packet(0, huge(id)))
	}
	require.LessOrEqual(t, r.sets.bytes, maxSetBytes)
	require.EqualValues(t, 256-16, r.Stats().Broken)
	r.push(packet(0, pps0), packet(0, pps1), packet(0, idr(9))) // smaller ones take their places
	all := r.flush()
	require.True(t, all[0].publishable())
	require.Len(t, all[0].pps, 16)

	for range 30 { // replacing costs nothing
		r.push(packet(1, append(pps0, make([]byte, 2000)...)), packet(1, append(pps0b, make([]byte, 2000)...)))
		r.push(packet(1, append(sps0, make([]byte, 2000)...)), packet(1, append(wide, make([]byte, 2000)...)))
	}
	require.EqualValues(t, 256-16, r.Stats().Broken)
	require.False(t, r.sets.put(append(wide, make([]byte, maxSetBytes)...)))

	r = newReceiver(t)
	r.push(packet(0, sps0))
	for id := range uint32(256) {
		r.push(packet(0, ppsSpec{id: id}.nalu()))
	}
	last := sliceSpec{kind: nalIDR, pps: 255, size: 4}.nalu()
	all = r.push(packet(0, last)).flush()
	require.True(t, all[0].publishable())
	require.Len(t, all[0].pps, 255, "avcC counts with 8 bits")
	require.Equal(t, ppsSpec{id: 255}.nalu(), all[0].pps[254])
}

func TestParameterSets_returnedSlicesStay(t *testing.T) {
	r := newReceiver(t)
	all := r.feed([][]byte{sps0, pps0, idr(9)})
	for range 20 {
		r.feed([][]byte{wide, pps0b, idr(500)}, [][]byte{wider, pps1, idr(500)})
	}
	require.Equal(t, [][]byte{sps0}, all[0].sps)
	require.Equal(t, [][]byte{pps0}, all[0].pps)
}

// Two fields may refer to two sets. Sets that change within a picture are not to be understood.
func TestParameterSets_ofOnePicture(t *testing.T) {
	spec := spsSpec{fields: true}
	top := sliceSpec{kind: nalIDR, typ: SliceI, sps: spec, field: true, size: 9}.nalu()
	bottom := sliceSpec{sps: spec, pps: 1, field: true, bottom: true, lsb: 1, size: 9}.nalu()
	rest := sliceSpec{kind: nalIDR, firstMB: 20, size: 9}.nalu()
	all := feed(t, [][]byte{spec.nalu(), pps0, pps1, top, bottom})
	require.Equal(t, []bool{false}, missing(all))
	require.Equal(t, [][]byte{pps0, pps1}, all[0].pps)
	all = feed(t, [][]byte{sps0, pps0, idr(9), pps0b, rest}, [][]byte{idr(9)})
	require.Equal(t, []bool{true, false}, missing(all))
	require.Equal(t, [][]byte{pps0b}, all[1].pps)
}
