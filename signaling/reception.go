package signaling

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/rtcp"
)

// reception keeps what a receiver report says of one source (RFC 3550 6.4.1, A.3 and A.8).
type reception struct {
	clock uint32 // Hz, of its RTP timestamps

	mu       sync.Mutex
	began    time.Time
	ssrc     uint32 // 0: nothing has come yet
	first    uint32 // extended sequence numbers
	highest  uint32
	came     uint32
	expected uint32 // both as of the last report
	received uint32
	transit  uint32 // RTP units, modulo 2^32
	jitter   uint32 // RTP units, times 16
	report   uint32 // middle 32 bits of the NTP time in the last sender report; 0: none
	reported time.Time
}

// note takes a packet of the source into account that arrived at now.
func (r *reception) note(packet []byte, now time.Time) {
	sequence, stamp, ssrc := binary.BigEndian.Uint16(packet[2:]), binary.BigEndian.Uint32(packet[4:]), binary.BigEndian.Uint32(packet[8:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began.IsZero() {
		r.began = now
	}
	transit := uint32(now.Sub(r.began).Microseconds()*int64(r.clock)/1_000_000) - stamp
	step := sequence - uint16(r.highest)
	switch {
	case ssrc != r.ssrc || step > maxGap && step < -maxGap&0xffff: // RFC 3550 A.1: another source, or one that began anew
		r.ssrc, r.report = ssrc, 0
		r.first, r.highest, r.transit = uint32(sequence), uint32(sequence), transit
		r.came, r.expected, r.received, r.jitter = 0, 0, 0, 0
	case step < 1<<15:
		r.highest += uint32(step)
	}
	r.came++
	d := int32(transit - r.transit)
	r.transit = transit
	// RFC 3550 A.8; a jump of the sender's time is none of the network's
	if d = max(d, -d); d >= 0 && uint32(d) < r.clock {
		r.jitter += uint32(d) - (r.jitter+8)>>4
	}
}

// senderReport notes when a sender report came, for the sender to measure the round trip.
func (r *reception) senderReport(ssrc uint32, ntp uint64, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ssrc == r.ssrc {
		r.report, r.reported = uint32(ntp>>16), now
	}
}

// block is the report on the source since the last one; ok is false if nothing has ever come.
func (r *reception) block(now time.Time) (b rtcp.ReceptionReport, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ssrc == 0 {
		return b, false
	}
	expected := r.highest - r.first + 1
	sent, got := expected-r.expected, r.came-r.received
	r.expected, r.received = expected, r.came
	b = rtcp.ReceptionReport{SSRC: r.ssrc, LastSequenceNumber: r.highest, Jitter: r.jitter >> 4, LastSenderReport: r.report}
	if sent > got { // RFC 3550 A.3: duplicates are no gain
		b.FractionLost = uint8(min((sent-got)<<8/sent, 255))
	}
	if expected > r.came {
		b.TotalLost = min(expected-r.came, 1<<23-1) // RFC 3550 6.4.1: 24 bits with a sign
	}
	if r.report != 0 {
		b.Delay = uint32(now.Sub(r.reported) * 65536 / time.Second)
	}
	return b, true
}
