package signaling

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/stretchr/testify/require"
)

func bare(ssrc uint32, sequence uint16, stamp uint32) []byte {
	b := make([]byte, rtpHeader)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], sequence)
	binary.BigEndian.PutUint32(b[4:], stamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}

// RFC 3550 A.3: what is lost since the last report, and in all; duplicates are no gain; sequence numbers go round.
func TestReceptionCountsLoss(t *testing.T) {
	r := reception{clock: 90000}
	now := time.Unix(1000, 0)
	_, ok := r.block(now)
	require.False(t, ok, "nothing has come")
	send := func(from, to uint16) {
		for s := from; s != to; s++ {
			r.note(bare(9, s, 0), now)
		}
	}
	block := func() rtcp.ReceptionReport {
		b, ok := r.block(now)
		require.True(t, ok)
		return b
	}
	send(65530, 65534)
	b := block()
	require.Equal(t, rtcp.ReceptionReport{SSRC: 9, LastSequenceNumber: 65533}, b)
	send(2, 6) // 65534, 65535, 0 and 1 are lost: 4 of 8
	b = block()
	require.Equal(t, rtcp.ReceptionReport{SSRC: 9, LastSequenceNumber: 1<<16 + 5, FractionLost: 128, TotalLost: 4}, b)
	send(6, 10)
	r.note(bare(9, 0, 0), now) // late
	b = block()
	require.Equal(t, rtcp.ReceptionReport{SSRC: 9, LastSequenceNumber: 1<<16 + 9, TotalLost: 3}, b)
	for range 10 {
		r.note(bare(9, 9, 0), now)
	}
	b = block()
	require.Zero(t, b.FractionLost)
	require.Zero(t, b.TotalLost)

	send(30000, 30002) // began anew
	require.Equal(t, rtcp.ReceptionReport{SSRC: 9, LastSequenceNumber: 30001}, block())
	r.note(bare(10, 5, 0), now) // another source
	require.Equal(t, rtcp.ReceptionReport{SSRC: 10, LastSequenceNumber: 5}, block())
}

// RFC 3550 A.8: a sixteenth of each difference.
func TestReceptionJitter(t *testing.T) {
	r := reception{clock: 90000}
	start := time.Unix(1000, 0)
	for i := range 1000 {
		late := time.Duration(i%2) * 10 * time.Millisecond // each packet is 10 ms off the one before
		r.note(bare(9, uint16(i), uint32(i*3000)), start.Add(time.Duration(i)*time.Second/30+late))
	}
	b, _ := r.block(start)
	require.InDelta(t, 900, float64(b.Jitter), 20)
	before := b.Jitter
	r.note(bare(9, 1000, 1<<31), start.Add(34*time.Second))
	b, _ = r.block(start)
	require.Equal(t, before, b.Jitter, "a jump of the sender's time is no jitter")
}

// RFC 3550 6.4.1: from the last sender report and the time since, its sender knows the round trip.
func TestReceptionTellsTheSenderReport(t *testing.T) {
	r := reception{clock: 48000}
	now := time.Unix(1000, 0)
	r.senderReport(9, 1<<40, now)
	r.note(bare(9, 1, 0), now)
	b, _ := r.block(now)
	require.Zero(t, b.LastSenderReport, "of a source that is not known")
	r.senderReport(9, 0x1122334455667788, now)
	b, _ = r.block(now.Add(1500 * time.Millisecond))
	require.EqualValues(t, 0x33445566, b.LastSenderReport)
	require.EqualValues(t, 65536+32768, b.Delay)
}

// Each packet is reported with its arrival, whichever source it is of; nothing is said when nothing came.
func TestTransportWide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Nil(t, newTransportWide(&offer{}, 7))
		(*transportWide)(nil).note(bare(9, 1, 0))

		w := newTransportWide(&offer{sections: []*section{{exts: []extension{{3, sdp.TransportCCURI}}}}}, 7)
		require.Nil(t, w.report())
		for i := range uint16(20) {
			<-time.After(10 * time.Millisecond) // virtual time
			if i == 5 {
				continue
			}
			b := bare(9, i, 0)
			b[0] |= 0x10
			w.note(append(b, 0xbe, 0xde, 0, 1, 0x31, 1, byte(i), 0))
		}
		w.note(bare(9, 30, 0)) // without a number
		got := w.report()
		require.Len(t, got, 1)
		f := got[0].(*rtcp.TransportLayerCC)
		require.EqualValues(t, 7, f.SenderSSRC)
		require.EqualValues(t, 9, f.MediaSSRC)
		require.EqualValues(t, 256, f.BaseSequenceNumber)
		require.EqualValues(t, 20, f.PacketStatusCount)
		require.Len(t, f.RecvDeltas, 19, "one was lost")
		require.EqualValues(t, 10000, f.RecvDeltas[2].Delta, "10 ms, in microseconds")
		require.Nil(t, w.report())
	})
}
