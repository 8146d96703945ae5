package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Several pictures under one timestamp (H.264 7.4.1.2.3, 7.4.1.2.4).
func TestH264_onePictureEach_sameTimestamp(t *testing.T) {
	second := sliceSpec{firstMB: 30, frameNum: 1, lsb: 2, size: 20}.nalu()
	for name, c := range map[string]struct {
		nalus [][]byte
		want  [][][]byte
	}{
		"slices of one picture":   {[][]byte{predicted(1, 50), second}, [][][]byte{{predicted(1, 50), second}}},
		"by frame_num":            {[][]byte{predicted(1, 50), second, predicted(2, 50)}, [][][]byte{{predicted(1, 50), second}, {predicted(2, 50)}}},
		"by macroblock 0":         {[][]byte{predicted(1, 50), predicted(1, 51)}, [][][]byte{{predicted(1, 50)}, {predicted(1, 51)}}},
		"with delimiters":         {[][]byte{aud, predicted(1, 50), aud, predicted(2, 50)}, [][][]byte{{predicted(1, 50)}, {predicted(2, 50)}}},
		"SEI goes with the next":  {[][]byte{predicted(1, 50), sei(3, -1), predicted(2, 50)}, [][][]byte{{predicted(1, 50)}, {sei(3, -1), predicted(2, 50)}}},
		"two SEI, two pictures":   {[][]byte{predicted(1, 50), sei(3, -1), sei(4, -1), predicted(2, 50)}, [][][]byte{{predicted(1, 50)}, {sei(3, -1), sei(4, -1), predicted(2, 50)}}},
		"only the last SEI":       {[][]byte{predicted(1, 50), sei(3, -1), second, predicted(2, 50)}, [][][]byte{{predicted(1, 50), sei(3, -1), second}, {predicted(2, 50)}}},
		"SEI between two slices":  {[][]byte{predicted(1, 50), sei(3, -1), second}, [][][]byte{{predicted(1, 50), sei(3, -1), second}}},
		"delimiter before slices": {[][]byte{predicted(1, 50), aud, second}, [][][]byte{{predicted(1, 50), second}}},
		"three, prefix NAL units": {
			[][]byte{predicted(1, 50), {14, 1, 2, 3}, predicted(2, 50), {14, 1, 2, 3}, predicted(3, 50)},
			[][][]byte{{predicted(1, 50)}, {{14, 1, 2, 3}, predicted(2, 50)}, {{14, 1, 2, 3}, predicted(3, 50)}},
		},
		"fragments of the next": {
			append(append([][]byte{predicted(1, 50)}, sps0, pps0), fragment(predicted(2, 500), 60)...),
			[][][]byte{{predicted(1, 50)}, {predicted(2, 500)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t).push(packet(0, sps0), packet(0, pps0), packet(0, idr(10)))
			for _, n := range c.nalus {
				r.push(packet(7, n))
			}
			all := r.flush()[1:]
			require.Len(t, all, len(c.want))
			for i, g := range all {
				require.True(t, g.publishable())
				require.False(t, g.AfterLoss)
				require.EqualValues(t, 7, g.Timestamp)
				require.Equal(t, c.want[i], g.nalus(t))
			}
		})
	}
}

func TestH264_twoFieldsAreOneUnit(t *testing.T) {
	spec := spsSpec{fields: true}
	top := sliceSpec{kind: nalIDR, typ: SliceI, sps: spec, field: true, size: 9}.nalu()
	bottom := sliceSpec{sps: spec, field: true, bottom: true, lsb: 1, size: 9}.nalu()
	r := newReceiver(t).push(packet(0, spec.nalu()), packet(0, pps0), packet(0, top), packet(0, bottom))
	all := r.flush()
	require.Len(t, all, 1)
	require.True(t, all[0].publishable() && all[0].IDR)
	require.False(t, all[0].Intra)
	require.Equal(t, [][]byte{top, bottom}, all[0].nalus(t))
}

// Slices may come in any order (H.264 Baseline, arbitrary slice order); only behind a hole, or where nothing came before, does a unit
// have to begin with macroblock 0.
func TestH264_firstSlice(t *testing.T) {
	rest := sliceSpec{firstMB: 20, frameNum: 1, lsb: 2, size: 9}.nalu()
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(1, rest), packet(2, rest), packet(2, predicted(1, 9)))
	all := r.flush()
	require.Len(t, all, 2)
	require.Equal(t, []bool{true, false}, []bool{all[0].Damaged, all[1].Damaged}, "the first one may lack its beginning")
	require.False(t, all[0].AfterLoss || all[1].FirstMB0)
	require.True(t, r.push(packet(3, rest)).flush()[0].Damaged, "again after a flush")

	for range 2 {
		parts := fragment(predicted(2, 500), 100)
		r.push(packet(4, parts[1]), packet(4, parts[2]))
		require.True(t, r.flush()[0].Damaged)
		require.Zero(t, r.Stats().Broken, "a stream may be joined within a NAL unit")
	}
	r = newReceiver(t).push(packet(0, fragment(idr(300), 100)[2]))
	require.True(t, r.flush()[0].Damaged)
	require.Zero(t, r.Stats().Broken)
}

func TestH264_recoveryPointOfItsOwnPicture(t *testing.T) {
	rest := sliceSpec{firstMB: 20, frameNum: 1, lsb: 2, size: 9}.nalu()
	r := newReceiver(t).push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	for _, n := range [][]byte{predicted(1, 9), sei(0, 5), rest, predicted(2, 9), sei(0, 6), predicted(3, 9)} {
		r.push(packet(1, n))
	}
	all := r.flush()
	require.Len(t, all, 4)
	require.Equal(t, []int{-1, -1, 6}, []int{all[1].RecoveryPoint, all[2].RecoveryPoint, all[3].RecoveryPoint})
}
