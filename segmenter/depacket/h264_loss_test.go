package depacket

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLost(t *testing.T) {
	twoSlices := func(frame uint32) [][]byte {
		return [][]byte{
			sliceSpec{frameNum: frame, lsb: 2 * frame, size: 200}.nalu(),
			sliceSpec{firstMB: 20, frameNum: frame, lsb: 2 * frame, size: 200}.nalu(),
		}
	}
	a := picture{timestamp: 1, nalus: twoSlices(1)}.packets(100)
	b := picture{timestamp: 2, nalus: twoSlices(2)}.packets(100)
	require.Len(t, a, 6)
	c := picture{timestamp: 3, nalus: twoSlices(3)}.packets(100)
	type unit struct {
		timestamp          uint32
		damaged, afterLoss bool
	}
	for name, test := range map[string]struct {
		lost []int // of the 18 packets
		want []unit
	}{
		"nothing":                  {nil, []unit{{1, false, false}, {2, false, false}, {3, false, false}}},
		"middle of a unit":         {[]int{7}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"the rest of a unit":       {[]int{10, 11}, []unit{{1, false, false}, {2, true, false}, {3, false, true}}},
		"a whole unit":             {[]int{6, 7, 8, 9, 10, 11}, []unit{{1, true, false}, {3, false, true}}},
		"the first packet":         {[]int{6}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"the first slice":          {[]int{6, 7, 8}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"end and beginning":        {[]int{5, 6}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"a slice between two":      {[]int{8, 9}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"all but one fragment":     {[]int{6, 7, 9, 10, 11}, []unit{{1, true, false}, {2, true, true}, {3, false, true}}},
		"the very first":           {[]int{0}, []unit{{1, true, true}, {2, false, false}, {3, false, false}}},
		"two holes in one unit":    {[]int{7, 9}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"whole unit and a bit":     {[]int{6, 7, 8, 9, 10, 11, 12}, []unit{{1, true, false}, {3, true, true}}},
		"the last of all (unseen)": {[]int{17}, []unit{{1, false, false}, {2, false, false}, {3, true, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.SetParameterSets([][]byte{sps0, pps0})
			hole := false
			all := append(append(append([]Packet(nil), a...), b...), c...)
			for i, p := range all {
				if slices.Contains(test.lost, i) {
					hole = true
					continue
				}
				if hole {
					r.Lost()
					hole = false
				}
				r.push(p)
			}
			var got []unit
			for _, g := range r.flush() {
				got = append(got, unit{g.Timestamp, g.Damaged, g.AfterLoss})
			}
			require.Equal(t, test.want, got)
			require.Zero(t, r.Stats().Broken, "what a hole leaves is not broken")
		})
	}
}

func TestLost_beforeAUnitThatIsNotEmitted(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	r.push(packet(1, predicted(1, 9)))
	r.Lost()
	r.push(packet(2, sei(3, -1)), packet(3, predicted(3, 9)))
	all := r.flush()
	require.Len(t, all, 3)
	require.True(t, all[2].AfterLoss, "the hole is still between the pictures")
	require.False(t, all[2].Damaged)
}

func TestLost_sliceMissingFromAUnitOfNothingElse(t *testing.T) {
	r := trusting(t)
	r.push(packet(31, aud))
	r.Lost()
	r.marked(32, 1)
	all := r.take()
	require.Len(t, all, 2)
	require.True(t, all[0].Damaged, "its picture is what was lost")
	require.Empty(t, all[0].Data)
	require.True(t, all[1].AfterLoss)
}

func TestLost_afterATrustedMarker(t *testing.T) {
	r := trusting(t)
	r.marked(31, 1)
	r.Lost()
	r.push(packet(33, predicted(33, 9)))
	all := r.flush()
	require.Equal(t, []bool{false, true}, []bool{all[0].Damaged, all[1].AfterLoss})
}

func TestLost_betweenPicturesOfOneTimestamp(t *testing.T) {
	for name, c := range map[string]struct {
		next    [][]byte
		damaged bool
	}{
		"its first slice":  {[][]byte{predicted(3, 9)}, false},
		"another slice":    {[][]byte{sliceSpec{firstMB: 20, frameNum: 3, lsb: 6}.nalu()}, true},
		"with a delimiter": {[][]byte{aud, predicted(3, 9)}, false},
	} {
		r := newReceiver(t)
		r.SetParameterSets([][]byte{sps0, pps0})
		r.push(packet(0, predicted(1, 9)))
		r.Lost()
		for _, n := range c.next {
			r.push(packet(0, n))
		}
		all := r.flush()
		require.Len(t, all, 2, name)
		require.True(t, all[0].Damaged && all[1].AfterLoss, name)
		require.Equal(t, c.damaged, all[1].Damaged, name)
	}
}

func TestLost_withinTheFirstOfTwoPicturesOfOneTimestamp(t *testing.T) {
	r := newReceiver(t)
	r.SetParameterSets([][]byte{sps0, pps0})
	r.push(packet(0, predicted(1, 9)))
	r.Lost()
	r.push(packet(0, sliceSpec{firstMB: 20, frameNum: 1, lsb: 2}.nalu()), packet(0, predicted(2, 9)))
	all := r.flush()
	require.Equal(t, []bool{true, false}, []bool{all[0].Damaged, all[1].Damaged})
	require.False(t, all[1].AfterLoss)
}

// A redundant slice of macroblock 0 is not the beginning: the primary slice was before it.
func TestLost_redundantSliceLeft(t *testing.T) {
	set := ppsSpec{redundant: true}
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, set.nalu()), packet(0, sliceSpec{kind: nalIDR, set: set}.nalu()))
	primary := sliceSpec{frameNum: 1, lsb: 2, set: set, size: 9}
	redundant := primary
	redundant.redundance = 1
	r.push(packet(1, primary.nalu()), packet(1, redundant.nalu()))
	r.Lost()
	r.push(packet(2, redundant.nalu()))
	all := r.flush()
	require.Len(t, all, 3)
	require.Len(t, all[1].nalus(t), 2)
	require.True(t, all[2].Damaged)
	require.False(t, all[2].FirstMB0)
}

// The rest of a unit whose only slice so far was broken is not taken for a picture.
func TestLost_restAfterAMarkerOnADamagedUnit(t *testing.T) {
	r := trusting(t)
	r.Lost()
	r.push(Packet{Timestamp: 31, Marker: true, Payload: fragment(predicted(31, 300), 100)[3]})
	require.True(t, r.take()[0].Damaged)
	r.push(packet(31, sliceSpec{firstMB: 20, frameNum: 31, lsb: 62, size: 9}.nalu()))
	require.True(t, r.flush()[0].Damaged)
}
