package publish

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/segmenter/depacket"
)

// What a receiver makes of the packets are the pictures of the file, bit by bit.
func TestPicturesSurvivePackets(t *testing.T) {
	m, err := Open(demo.Clip())
	require.NoError(t, err)
	p := newPacketizer(90000)
	d := depacket.NewH264(1 << 20)
	var got []depacket.AccessUnit
	emit := func(u *depacket.AccessUnit) {
		kept := *u
		kept.Data = bytes.Clone(u.Data)
		got = append(got, kept)
	}
	var want [][]byte
	var buf []byte
	for i := range m.video.Samples {
		nalus, sample, err := m.picture(nil, buf, i)
		require.NoError(t, err)
		want, buf = append(want, bytes.Clone(sample)), sample
		packets := p.picture(nalus, time.Duration(i)*time.Second/30)
		for j, packet := range packets {
			require.Equal(t, j == len(packets)-1, packet.Marker)
			require.LessOrEqual(t, packet.MarshalSize(), 1200)
			require.NoError(t, d.Push(depacket.Packet{Timestamp: packet.Timestamp, Marker: packet.Marker, Payload: packet.Payload}, emit))
		}
	}
	d.Flush(emit)
	require.Len(t, got, len(want))
	for i, u := range got {
		require.Equal(t, want[i], u.Data, "picture %d", i)
		require.Equal(t, m.video.Samples[i].Sync, u.IDR)
		require.Equal(t, uint32(3000*i), u.Timestamp-got[0].Timestamp)
	}
}

func TestParameterSetsBeforeEachIDR(t *testing.T) {
	m, err := Open(demo.Clip())
	require.NoError(t, err)
	for i, s := range m.video.Samples {
		nalus, _, err := m.picture(nil, nil, i)
		require.NoError(t, err)
		if s.Sync {
			require.Equal(t, m.video.SPS[0], nalus[0])
			require.Equal(t, m.video.PPS[0], nalus[1])
		} else {
			require.NotEqual(t, byte(7), nalus[0][0]&0x1f)
		}
	}
}

// The payloader keeps one parameter set of each kind for a STAP-A; more than that have to go alone.
func TestSeveralParameterSets(t *testing.T) {
	sps, pps, pps2, idr := []byte{0x67, 1}, []byte{0x68, 2}, []byte{0x68, 3}, []byte{0x65, 4}
	types := func(packets []*rtp.Packet) (out []byte) {
		for _, p := range packets {
			out = append(out, p.Payload[0]&0x1f)
		}
		return out
	}
	p := newPacketizer(90000)
	require.Equal(t, []byte{24, 5}, types(p.picture([][]byte{sps, pps, idr}, 0)))
	require.Equal(t, []byte{7, 8, 8, 5}, types(p.picture([][]byte{sps, pps, pps2, idr}, 0)))
	require.Equal(t, []byte{7, 8, 5}, types(p.picture([][]byte{append(sps, make([]byte, 1200)...)[:1100], append(pps, make([]byte, 100)...), idr}, 0)))
	require.Equal(t, []byte{24, 5}, types(p.picture([][]byte{sps, pps, idr}, 0)), "nothing of before is left")
}

func TestPacketizerNumbers(t *testing.T) {
	p := newPacketizer(48000)
	first := p.sound([]byte{1}, 0)
	later := p.sound([]byte{2}, 20*time.Millisecond)
	require.Equal(t, first.SequenceNumber+1, later.SequenceNumber)
	require.Equal(t, uint32(960), later.Timestamp-first.Timestamp)
	require.False(t, later.Marker)
	year := p.sound(nil, 365*24*time.Hour)
	ticks := int64(365*24*3600) * 48000
	require.Equal(t, uint32(ticks), year.Timestamp-first.Timestamp, "timestamps wrap and do not lose precision")
	require.NotEqual(t, newPacketizer(1).base, newPacketizer(1).base, "RFC 3550 5.1: random")
}

// Rounding to the nearest tick keeps a rate that nanoseconds cannot say exact.
func TestTicks(t *testing.T) {
	p := newPacketizer(90000)
	for i := range 100000 {
		at := time.Duration(i) * 1001 * time.Second / 30000
		require.InDelta(t, float64(i)*3003, float64(p.ticks(at)), 0.5)
	}
}
