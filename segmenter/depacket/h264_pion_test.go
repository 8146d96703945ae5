package depacket

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// annexB joins NAL units the way the packetizer under comparison takes them.
func (p picture) annexB() []byte {
	var out []byte
	for _, n := range p.nalus {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

// payloaded packs a picture with pion's packetizer: SPS and PPS in a STAP-A, the rest alone or as FU-A.
func (p picture) payloaded(by *codecs.H264Payloader, mtu uint16) []Packet {
	var out []Packet
	for _, b := range by.Payload(mtu, p.annexB()) {
		out = append(out, Packet{Timestamp: p.timestamp, Payload: b})
	}
	if len(out) > 0 {
		out[len(out)-1].Marker = true
	}
	return out
}

func drawPicture(t *rapid.T, timestamp uint32, key bool) picture {
	p := picture{timestamp: timestamp}
	if key {
		p.nalus = append(p.nalus, sps0, pps0)
	}
	for range rapid.IntRange(0, 2).Draw(t, "messages") {
		p.nalus = append(p.nalus, sei(rapid.IntRange(0, 2000).Draw(t, "message"), -1))
	}
	for k := range rapid.IntRange(1, 5).Draw(t, "slices") {
		s := sliceSpec{firstMB: uint32(k), frameNum: timestamp, lsb: timestamp, size: rapid.IntRange(1, 5000).Draw(t, "size")}
		if key {
			s.kind, s.typ = nalIDR, SliceI
		}
		p.nalus = append(p.nalus, s.nalu())
	}
	return p
}

// Whatever pion's packetizer makes of a picture comes out as it went in.
func TestH264_againstPionPayloader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mtu := rapid.Uint16Range(40, 1500).Draw(t, "mtu")
		by := &codecs.H264Payloader{DisableStapA: rapid.Bool().Draw(t, "without STAP-A")}
		r := newReceiver(t)
		var sent []picture
		for i := range rapid.IntRange(1, 40).Draw(t, "pictures") {
			p := drawPicture(t, uint32(i), i == 0 || rapid.IntRange(0, 9).Draw(t, "key") == 0)
			sent = append(sent, p)
			r.push(p.payloaded(by, mtu)...)
		}
		all := r.flush()
		require.Len(t, all, len(sent))
		for i, g := range all {
			require.True(t, g.publishable())
			require.Equal(t, sent[i].avcc(), g.Data)
			require.Equal(t, 1, g.version)
		}
		require.Equal(t, Stats{Units: uint64(len(sent)), ParameterSetChanges: 2}, r.Stats())
	})
}

// Our own packets, taken apart by pion, give the same bytes: neither side of the tests is wrong alone.
func TestH264_againstPionDepacketizer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSender(t)
		r := newReceiver(t)
		pion := codecs.H264Packet{IsAVC: true}
		var theirs []byte
		for _, p := range s.packets {
			r.push(p)
			b, err := pion.Unmarshal(p.Payload)
			require.NoError(t, err)
			theirs = append(theirs, b...)
		}
		var want, got []byte
		for len(theirs) > 0 {
			n := 4 + int(binary.BigEndian.Uint32(theirs))
			if nalu := theirs[4:n]; len((picture{nalus: [][]byte{nalu}}).kept()) > 0 {
				want = append(want, theirs[:n]...)
			}
			theirs = theirs[n:]
		}
		for _, g := range r.flush() {
			got = append(got, g.Data...)
		}
		require.True(t, bytes.Equal(want, got))
	})
}
