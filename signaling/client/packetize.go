package client

import (
	"time"

	"github.com/pion/rtp"
)

// maxPayload keeps packets with all headers and SRTP's tag under 1,280 bytes, which every path carries.
const maxPayload = 1180

// writeUnit sends an access unit: small NAL units alone, others in fragments (RFC 6184 5.6, 5.8), the marker on the last
// packet (RFC 6184 5.1).
func (t *track) writeUnit(s *Session, nalus [][]byte, pts time.Duration) error {
	if t == nil {
		return t.write(s, nil, time.Time{})
	}
	at, ts := s.wall(pts), t.timestamp(pts)
	var pending []byte // a packet is sent when the next is known, for the marker
	send := func(payload []byte) error {
		last := pending
		pending = payload
		if last == nil {
			return nil
		}
		return t.send(s, last, ts, false, at)
	}
	for _, n := range nalus {
		if err := fragments(n, send); err != nil {
			return err
		}
	}
	if pending == nil {
		return nil
	}
	return t.send(s, pending, ts, true, at)
}

// writePacket sends an Opus packet. RFC 7587 4.2: one a payload; the marker begins a talk spurt, which is none here.
func (t *track) writePacket(s *Session, packet []byte, pts time.Duration) error {
	if t == nil {
		return t.write(s, nil, time.Time{})
	}
	return t.send(s, packet, t.timestamp(pts), false, s.wall(pts))
}

func (t *track) send(s *Session, payload []byte, ts uint32, marker bool, at time.Time) error {
	t.mu.Lock()
	seq := t.sequence
	t.sequence++
	t.mu.Unlock()
	h := rtp.Header{Version: 2, Marker: marker, SequenceNumber: seq, Timestamp: ts}
	return t.write(s, &rtp.Packet{Header: h, Payload: payload}, at)
}

// fragments calls send with the payloads that carry one NAL unit.
func fragments(nalu []byte, send func([]byte) error) error {
	if len(nalu) == 0 {
		return nil
	}
	if len(nalu) <= maxPayload {
		return send(nalu)
	}
	// RFC 6184 5.8: the NAL header is not repeated but split over FU indicator and FU header
	const fuA, start, end = 28, 0x80, 0x40
	indicator, header, rest := nalu[0]&0xe0|fuA, nalu[0]&0x1f|start, nalu[1:]
	for len(rest) > 0 {
		n := min(len(rest), maxPayload-2)
		if n == len(rest) {
			header |= end
		}
		p := append([]byte{indicator, header}, rest[:n]...)
		if err := send(p); err != nil {
			return err
		}
		rest, header = rest[n:], header&^start
	}
	return nil
}
