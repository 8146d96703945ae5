package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// marked sends pictures of two packets, the second one with a marker.
func (r *receiver) marked(from, n int) *receiver {
	for i := from; i < from+n; i++ {
		r.push(picture{timestamp: uint32(i), nalus: [][]byte{predicted(uint32(i), 20), {6, 0x80}}}.packets(1200)...)
	}
	return r
}

// trusting returns a receiver whose sender's markers are believed from now on. The next timestamp is 31.
func trusting(t *testing.T) *receiver {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), Packet{Timestamp: 0, Marker: true, Payload: idr(9)})
	r.marked(1, 30)
	require.Len(t, r.take(), 31, "the marker of the 31st is believed")
	require.True(t, r.trust.trusted())
	return r
}

func TestMarker_trustedAfter30Units(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), Packet{Timestamp: 0, Marker: true, Payload: idr(9)})
	for i := 1; i < 30; i++ {
		r.marked(i, 1)
		require.Len(t, r.all, i, "each ended by the one after it")
	}
	r.marked(30, 1)
	require.Len(t, r.all, 31)
	for i, g := range r.take() {
		require.Equal(t, i == 30, g.ByMarker)
		require.True(t, g.publishable())
	}
	r.marked(31, 1)
	require.Len(t, r.take(), 1, "at once")
	require.Empty(t, r.flush(), "nothing is left")
}

func TestMarker_missingEndsTrust(t *testing.T) {
	r := trusting(t)
	r.push(packet(31, predicted(31, 9)))
	require.Empty(t, r.all)
	r.marked(32, 1)
	require.Len(t, r.all, 1)
	require.True(t, r.all[0].publishable())
	require.False(t, r.all[0].ByMarker)
	r.marked(33, 29)
	require.Len(t, r.all, 30, "counted from the beginning")
	r.marked(62, 1)
	require.Len(t, r.all, 32)
	require.EqualValues(t, 1, r.Stats().MarkerFaults)
}

// The picture was given away too early. Its rest is told to be damaged, for it depends on nobody's luck.
func TestMarker_inTheMiddleEndsTrust(t *testing.T) {
	r := trusting(t)
	r.push(Packet{Timestamp: 31, Marker: true, Payload: predicted(31, 9)})
	require.Len(t, r.take(), 1)
	r.push(Packet{Timestamp: 31, Marker: true, Payload: sliceSpec{firstMB: 30, frameNum: 31, lsb: 62, size: 9}.nalu()})
	require.Empty(t, r.all)
	r.marked(32, 1)
	all := r.take()
	require.Len(t, all, 1)
	require.True(t, all[0].Damaged)
	require.EqualValues(t, 31, all[0].Timestamp)
	r.marked(33, 1)
	require.True(t, r.take()[0].publishable())
	require.False(t, r.trust.trusted())
}

func TestMarker_trailersOfAFinishedUnit(t *testing.T) {
	for name, trailer := range map[string][]byte{"filler": filler, "end of sequence": endSeq, "SEI": {6, 0x80}, "sets": sps0} {
		r := trusting(t)
		r.push(Packet{Timestamp: 31, Marker: true, Payload: predicted(31, 9)}, packet(31, trailer))
		r.marked(32, 1)
		all := r.flush()
		require.Len(t, all, 2, name)
		require.True(t, all[0].publishable() && all[1].publishable(), name)
	}
}

func TestMarker_anotherPictureUnderItsTimestamp(t *testing.T) {
	r := trusting(t)
	r.push(Packet{Timestamp: 31, Marker: true, Payload: predicted(31, 9)})
	r.push(Packet{Timestamp: 31, Marker: true, Payload: predicted(32, 9)})
	all := r.flush()
	require.Len(t, all, 2)
	require.True(t, all[0].publishable() && all[1].publishable())
}

func TestMarker_onEveryPacket(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	send := func(i uint32, slices int) {
		for k := range slices {
			r.push(Packet{Timestamp: i, Marker: true, Payload: sliceSpec{firstMB: uint32(k), frameNum: i, lsb: 2 * i, size: 9}.nalu()})
		}
	}
	send(1, 3)
	for i := range uint32(100) { // of one packet each: they prove nothing of such a sender
		send(2+i, 1)
	}
	send(200, 3)
	for _, g := range r.flush() {
		require.True(t, g.publishable() && !g.ByMarker)
	}
}

func TestMarker_neverSet(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	for i := range uint32(100) {
		r.push(packet(1+i, predicted(i+1, 9)))
	}
	all := r.flush()
	require.Len(t, all, 101)
	require.True(t, all[100].publishable(), "the last one, too: this sender says no ends")
}

func TestMarker_ofALostPacketIsNobodysFault(t *testing.T) {
	r := trusting(t)
	r.push(packet(31, predicted(31, 9)))
	r.Lost()
	r.marked(32, 1)
	all := r.take()
	require.True(t, all[0].Damaged)
	require.True(t, all[1].ByMarker, "still trusted")
	require.True(t, all[1].AfterLoss)
}

func TestMarker_onAnUnfinishedFragment(t *testing.T) {
	r := trusting(t)
	parts := fragment(predicted(31, 300), 100)
	r.push(Packet{Timestamp: 31, Marker: true, Payload: parts[0]})
	require.Empty(t, r.all)
	r.marked(32, 1)
	require.True(t, r.take()[0].Damaged)
}

// A marker that cannot be the end is not taken for one.
func TestMarker_beforeTheEndIsPossible(t *testing.T) {
	r := trusting(t)
	parts := fragment(sliceSpec{firstMB: 20, frameNum: 31, lsb: 62, size: 150}.nalu(), 100)
	r.push(packet(31, predicted(31, 9)), Packet{Timestamp: 31, Marker: true, Payload: parts[0]}, packet(31, parts[1]))
	all := r.flush()
	require.Len(t, all, 1)
	require.Len(t, all[0].nalus(t), 2)

	r = trusting(t)
	r.push(Packet{Timestamp: 31, Marker: true, Payload: sei(0, 4)}, Packet{Timestamp: 31, Marker: true, Payload: predicted(31, 9)})
	all = r.flush()
	require.Len(t, all, 1)
	require.True(t, all[0].publishable())
	require.Equal(t, 4, all[0].RecoveryPoint)
}

func TestMarker_flush(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), Packet{Marker: true, Payload: idr(9)}, packet(1, predicted(1, 9)))
	all := r.flush()
	require.False(t, all[0].Damaged)
	require.True(t, all[1].Damaged, "this sender says ends, and said none")
	require.Empty(t, r.flush())
	r.push(packet(1, predicted(2, 9)))
	require.True(t, r.flush()[0].Damaged)
	r.push(Packet{Timestamp: 1, Marker: true, Payload: predicted(2, 9)})
	require.True(t, r.flush()[0].publishable(), "begins anew")
	r.push(packet(2, fragment(predicted(2, 900), 100)[0]))
	require.True(t, r.flush()[0].Damaged)

	r = trusting(t).marked(31, 1)
	r.Lost()
	r.flush()
	faults := r.Stats().MarkerFaults
	r.marked(31, 1)
	require.Equal(t, faults, r.Stats().MarkerFaults, "no part of the unit before the flush")
	require.False(t, r.flush()[0].AfterLoss)
}
