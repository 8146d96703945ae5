package publish

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// maxPayload keeps packets with all their headers under 1,280 bytes, which every path carries.
const maxPayload = 1180

// packetizer numbers and stamps the packets of one track.
type packetizer struct {
	clock    float64
	sequence uint16
	base     uint32 // timestamp of time 0
	h264     codecs.H264Payloader
}

// newPacketizer begins at a random number and time (RFC 3550 5.1).
func newPacketizer(clock int) *packetizer {
	var seed [6]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	return &packetizer{clock: float64(clock), sequence: binary.BigEndian.Uint16(seed[:]), base: binary.BigEndian.Uint32(seed[2:])}
}

// picture returns the packets of one access unit: parameter sets in one packet, small NAL units alone, others in
// fragments (RFC 6184 5.6 to 5.8), the marker on the last (RFC 6184 5.1).
func (p *packetizer) picture(nalus [][]byte, pts time.Duration) []*rtp.Packet {
	p.h264.DisableStapA = !aggregable(nalus)
	var out []*rtp.Packet
	for _, n := range nalus {
		for _, payload := range p.h264.Payload(maxPayload, n) {
			out = append(out, p.packet(payload, pts))
		}
	}
	if len(out) > 0 {
		out[len(out)-1].Marker = true
	}
	return out
}

// aggregable reports whether the parameter sets are one of each, next to one another, and small: the payloader would
// lose others.
func aggregable(nalus [][]byte) bool {
	const sps, pps = 7, 8
	return len(nalus) > 2 && nalus[0][0]&0x1f == sps && nalus[1][0]&0x1f == pps &&
		nalus[2][0]&0x1f != sps && nalus[2][0]&0x1f != pps && len(nalus[0])+len(nalus[1]) < maxPayload-5
}

// sound returns the packet of one Opus packet (RFC 7587 4.2).
func (p *packetizer) sound(opus []byte, pts time.Duration) *rtp.Packet { return p.packet(opus, pts) }

func (p *packetizer) packet(payload []byte, pts time.Duration) *rtp.Packet {
	h := rtp.Header{Version: 2, SequenceNumber: p.sequence, Timestamp: p.base + p.ticks(pts)}
	p.sequence++
	return &rtp.Packet{Header: h, Payload: payload}
}

// ticks rounds a time to the nearest tick of the track's clock; what is over 32 bits wraps, as timestamps do.
func (p *packetizer) ticks(t time.Duration) uint32 {
	whole, rest := t/time.Second, t%time.Second
	return uint32(int64(whole)*int64(p.clock)) + uint32(int64(math.Round(rest.Seconds()*p.clock)))
}
