package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// aud and friends are NAL units that need no content.
var (
	aud    = []byte{9, 0xf0}
	filler = []byte{12, 0xff, 0xff, 0x80}
	endSeq = []byte{10}
)

func packet(timestamp uint32, payload []byte) Packet {
	return Packet{Timestamp: timestamp, Payload: payload}
}

func TestH264_everyPacketStructure(t *testing.T) {
	for name, payloads := range map[string][][]byte{
		"single":                 {sps0, pps0, sei(9, -1), idr(900)},
		"aggregated":             {aggregate(sps0, pps0), aggregate(sei(9, -1), idr(900))},
		"fragmented":             append([][]byte{aggregate(aud, sps0, pps0, sei(9, -1), filler)}, fragment(idr(900), 100)...),
		"all fragmented":         append(append(append(fragment(sps0, 5), fragment(pps0, 4)...), fragment(sei(9, -1), 6)...), fragment(idr(900), 7)...),
		"one fragment":           append([][]byte{sps0, pps0, sei(9, -1)}, fragment(idr(900), 2000)...),
		"left out, at the end":   {sps0, pps0, sei(9, -1), idr(900), filler, endSeq, {11}},
		"fragmented filler":      append([][]byte{sps0, pps0, sei(9, -1), idr(900)}, fragment(filler, 3)...),
		"with padding packets":   {{}, aggregate(sps0, pps0), {}, sei(9, -1), idr(900), {}, {}},
		"undefined types ignore": {sps0, pps0, sei(9, -1), {0, 1}, {30, 1}, {31, 1}, idr(900)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			for _, b := range payloads {
				r.push(packet(90, b))
			}
			require.Empty(t, r.all, "not before the timestamp changes")
			all := r.push(packet(180, predicted(1, 10))).take()
			require.Len(t, all, 1)
			want := picture{nalus: [][]byte{sei(9, -1), idr(900)}}
			require.Equal(t, want.avcc(), all[0].Data)
			require.True(t, all[0].publishable())
			require.EqualValues(t, 90, all[0].Timestamp)
			require.Equal(t, [][]byte{sps0}, all[0].sps)
			require.Equal(t, [][]byte{pps0}, all[0].pps)
			require.Zero(t, r.Stats().Broken)
		})
	}
}

func TestH264_facts(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, sei(4, 0)), packet(0, idr(10)))
	r.push(packet(1, sliceSpec{frameNum: 1, lsb: 8, size: 4}.nalu()))
	r.push(packet(2, sliceSpec{frameNum: 2, lsb: 4, typ: SliceB, disposable: true, size: 4}.nalu()))
	r.push(packet(3, sei(0, 7)), packet(3, sliceSpec{frameNum: 2, lsb: 12, typ: SliceI, size: 4}.nalu()))
	r.push(packet(3, sliceSpec{frameNum: 2, lsb: 12, firstMB: 9, size: 4}.nalu()))
	all := r.flush()
	for i := range all {
		all[i].Data = nil
	}
	require.Len(t, all, 4)
	require.Equal(t, AccessUnit{IDR: true, Intra: true, Reference: true, FirstMB0: true, SliceType: SliceI, RecoveryPoint: 0, HasPOC: true}, all[0].AccessUnit)
	require.Equal(t, AccessUnit{Timestamp: 1, Reference: true, FirstMB0: true, RecoveryPoint: -1, POC: 8, HasPOC: true}, all[1].AccessUnit)
	require.Equal(t, AccessUnit{Timestamp: 2, FirstMB0: true, SliceType: SliceB, RecoveryPoint: -1, POC: 4, HasPOC: true}, all[2].AccessUnit)
	require.Equal(t, AccessUnit{Timestamp: 3, Reference: true, FirstMB0: true, SliceType: SliceI, RecoveryPoint: 7, POC: 12, HasPOC: true}, all[3].AccessUnit)
}

// What breaks RFC 6184 costs its own picture and nothing else.
func TestH264_broken(t *testing.T) {
	slice := predicted(1, 600)
	parts := fragment(slice, 100)
	f := func(b []byte) []byte { return append([]byte{b[0] | 0x80}, b[1:]...) }
	join := func(lists ...[][]byte) (out [][]byte) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	other := fragment(sliceSpec{kind: nalIDR, typ: SliceI, size: 200}.nalu(), 100)
	for name, c := range map[string]struct {
		payloads            [][]byte
		damaged             bool
		broken, unsupported uint64
	}{
		"forbidden_zero_bit":                  {[][]byte{f(slice)}, true, 1, 0},
		"forbidden_zero_bit of a STAP-A":      {[][]byte{slice, f(aggregate(slice))}, true, 1, 0},
		"forbidden_zero_bit in a STAP-A":      {[][]byte{aggregate(f(sei(3, -1)), slice)}, true, 1, 0},
		"forbidden_zero_bit of an FU-A":       {[][]byte{slice, f(parts[0])}, true, 1, 0},
		"FU-A without its start":              {parts[1:], true, uint64(len(parts) - 1), 0},
		"FU-A without its end":                {parts[:3], true, 1, 0},
		"FU-A cut by another packet":          {join(parts[:3], [][]byte{sei(3, -1)}, parts[3:]), true, uint64(1 + len(parts) - 3), 0},
		"FU-A begun twice":                    {join(parts[:3], parts), true, 1, 0},
		"FU-A going on as another type":       {join(parts[:3], other[1:]), true, 1, 0},
		"forbidden_zero_bit inside an FU-A":   {join(parts[:3], [][]byte{f(parts[3])}, parts[4:]), true, 1, 0},
		"FU-A of one byte":                    {[][]byte{slice, {0x7c}}, true, 1, 0},
		"STAP-A entry past the end":           {[][]byte{slice, {24, 0, 9, 6, 5}}, true, 1, 0},
		"STAP-A with half a length":           {[][]byte{append(aggregate(slice), 0)}, true, 1, 0},
		"STAP-A entry of no bytes":            {[][]byte{append([]byte{24, 0, 0}, aggregate(slice)[1:]...)}, false, 1, 0},
		"STAP-A of nothing":                   {[][]byte{{24}, slice}, false, 1, 0},
		"STAP-A in a STAP-A":                  {[][]byte{aggregate(aggregate(slice), slice)}, true, 0, 1},
		"STAP-A in an FU-A":                   {[][]byte{slice, {28, 0x80 | 24, 0, 1, 1}, {28, 24, 1}, {28, 0x40 | 24, 1}}, true, 0, 1},
		"FU-A in a STAP-A":                    {[][]byte{aggregate(slice, parts[0])}, true, 0, 1},
		"STAP-B":                              {[][]byte{slice, {25, 0, 0, 0, 1, 1}}, true, 0, 1},
		"MTAP16":                              {[][]byte{slice, {26, 0, 0, 0, 1, 1}}, true, 0, 1},
		"MTAP24":                              {[][]byte{slice, {27, 0, 0, 0, 1, 1}}, true, 0, 1},
		"FU-B":                                {[][]byte{slice, {29, 0x81, 0, 0, 1, 1}}, true, 0, 1},
		"undefined types":                     {[][]byte{{30}, slice, {31}, {0}, aggregate([]byte{0})}, false, 0, 4},
		"slice of one byte":                   {[][]byte{{0x41}}, true, 1, 0},
		"slice header cut short":              {[][]byte{slice[:2], sliceSpec{firstMB: 9, frameNum: 1, lsb: 2}.nalu()}, true, 1, 0},
		"partition B without an A":            {[][]byte{{3, 0x80}, slice}, true, 1, 0},
		"parameter sets that are none":        {[][]byte{{7}, {8}, {0x67, 77, 0, 31}, slice}, false, 3, 0},
		"damage before anything else arrives": {[][]byte{f(aud)}, true, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(10)), packet(1, predicted(0, 5)))
			require.Zero(t, r.Stats().Broken)
			for _, b := range c.payloads {
				r.push(packet(2, b))
			}
			r.push(packet(3, predicted(2, 5)))
			all := r.flush()
			require.Len(t, all, 4)
			require.Equal(t, []bool{false, false, c.damaged, false}, []bool{all[0].Damaged, all[1].Damaged, all[2].Damaged, all[3].Damaged})
			if !c.damaged {
				require.Equal(t, picture{nalus: [][]byte{slice}}.avcc(), all[2].Data)
			}
			require.Equal(t, c.broken, r.Stats().Broken)
			require.Equal(t, c.unsupported, r.Stats().Unsupported)
			require.EqualValues(t, 4, r.Stats().Units)
		})
	}
}

func TestH264_partitions(t *testing.T) {
	r := newReceiver(t).push(packet(0, sps0), packet(0, pps0), packet(0, idr(10)))
	nalus := [][]byte{sliceSpec{kind: nalPartitionA, frameNum: 1, lsb: 2, size: 5}.nalu(), {3, 0x90}, {4, 0x90},
		sliceSpec{kind: nalPartitionA, firstMB: 30, frameNum: 1, lsb: 2, size: 5}.nalu(), {3, 0xa0}}
	for _, n := range nalus {
		r.push(packet(1, n))
	}
	all := r.flush()
	require.Len(t, all, 2)
	require.True(t, all[1].publishable())
	require.Equal(t, nalus, all[1].nalus(t))
}

func TestH264_unitsWithoutSlices(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(1, pps0), packet(2, aud), packet(3, sei(4, 0)), packet(4, idr(10)), packet(5, sei(1, -1)))
	all := r.flush()
	require.Len(t, all, 1)
	require.True(t, all[0].publishable())
	require.Equal(t, -1, all[0].RecoveryPoint, "of another timestamp")
	require.Equal(t, [][]byte{sps0}, all[0].sps)
}

func TestH264_tooLarge(t *testing.T) {
	for name, payloads := range map[string][][]byte{
		"single":     {idr(5000)},
		"aggregated": {aggregate(idr(600), sliceSpec{kind: nalIDR, firstMB: 5, size: 600}.nalu(), sei(4, -1))},
		"start":      {append(idr(900), make([]byte, 994-len(idr(900)))...), {0x7c, 0x85}},
		"fragmented": fragment(idr(3000), 100),
		"filler":     fragment(append([]byte{12}, make([]byte, 3000)...), 100),
	} {
		t.Run(name, func(t *testing.T) {
			d := NewH264(1000)
			var units []AccessUnit
			emit := func(u *AccessUnit) {
				require.True(t, !u.Damaged || len(u.Data) == 0, "nothing more is kept of it")
				units = append(units, *u)
			}
			require.NoError(t, d.Push(packet(0, aggregate(sps0, pps0)), emit))
			failed := 0
			for _, b := range payloads {
				if err := d.Push(packet(0, b), emit); err != nil {
					require.ErrorIs(t, err, ErrTooLarge)
					failed++
				}
			}
			require.Equal(t, 1, failed, "told once")
			require.NoError(t, d.Push(packet(0, idr(10)), emit))
			require.NoError(t, d.Push(packet(1, idr(10)), emit))
			d.Flush(emit)
			require.Len(t, units, 2)
			require.True(t, units[0].Damaged)
			require.False(t, units[1].Damaged || units[1].MissingSets)
			require.LessOrEqual(t, cap(d.buf), 2048)
		})
	}
}

func TestH264_exactlyTheBound(t *testing.T) {
	nalu := idr(990)
	d := NewH264(4 + len(nalu))
	d.SetParameterSets([][]byte{sps0, pps0})
	n := 0
	emit := func(u *AccessUnit) {
		n++
		require.False(t, u.Damaged)
	}
	require.NoError(t, d.Push(packet(0, nalu), emit))
	for i, b := range fragment(nalu, 50) {
		require.NoError(t, d.Push(packet(1, b), emit), "fragment %d", i)
	}
	d.Flush(emit)
	require.Equal(t, 2, n)
}

func TestH264_tooManyNALUnits(t *testing.T) {
	r := newReceiver(t)
	for range maxNALUs {
		r.push(packet(0, []byte{6, 0x80}))
	}
	require.ErrorIs(t, r.Push(packet(0, []byte{6, 0x80}), r.sink), ErrTooLarge)
	for range 3 * maxNALUs { // what is left out does not count, nor does another unit under the same timestamp
		r.push(packet(1, aud))
	}
	for i := range uint32(3 * maxNALUs) {
		r.push(packet(2, predicted(i, 1)))
	}
	all := r.flush()
	require.Len(t, all, 1+3*maxNALUs)
	require.True(t, all[0].Damaged)
	require.False(t, all[3*maxNALUs].Damaged)
}

func TestH264_tooManyNALUnits_ofTheNextPicture(t *testing.T) {
	r := newReceiver(t).push(packet(0, predicted(1, 1)))
	for range maxNALUs - 1 {
		r.push(packet(0, []byte{6, 0x80}))
	}
	r.push(packet(0, predicted(2, 1))) // and all of them go with it
	require.ErrorIs(t, r.Push(packet(0, []byte{6, 0x80}), r.sink), ErrTooLarge)
}
