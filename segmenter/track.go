package segmenter

import (
	"time"

	"github.com/pion/rtp"

	"whipsaw/segmenter/depacket"
)

// Track is where signaling hands in what one track of a publisher receives.
type Track struct {
	pub *Publisher
	cfg TrackConfig
	in  ingest
}

// WriteRTP hands in one RTP packet, decrypted, header included. The bytes are copied; the call never blocks. Safe for
// any goroutine; the order of calls is the order of arrival.
func (t *Track) WriteRTP(packet []byte) { t.pub.stream.inbox.packet(t, packet) }

// WriteSenderReport hands in what an RTCP sender report says (RFC 3550 6.4.1): NTP time in 32.32 fixed point, RTP time.
func (t *Track) WriteSenderReport(ntp uint64, rtpTime uint32) {
	t.pub.stream.inbox.report(t, ntp, rtpTime)
}

// counters are what the owner counts of a track.
type counters struct {
	packets, bytes uint64
	lost, garbage  uint64
	units, dropped uint64 // access units or frames: received, and not published
	nacks, plis    uint64
	stereo         uint64 // frames coded in stereo
	came           bool
	first          time.Duration // arrival of the first packet
	lastMedia      time.Duration // arrival of the last packet with media in it
}

// ingest is the owner's side of a track: from packets to access units. Only the stream's goroutine touches it.
type ingest struct {
	counters
	clock   clock
	reorder reorder
	h264    *depacket.H264
	stamps  stamping
	cadence cadence // of RTP times, where they are decode times

	unit      func(*depacket.AccessUnit)          // video: takes access units
	frame     func(timestamp uint32, opus []byte) // audio: takes frames
	jump      func(moved time.Duration)           // the sender's time line moved by so much
	now       time.Duration                       // of the call in progress
	hole      bool                                // packets before the next one are lost
	damaged   bool                                // video: nothing is published until an undamaged IDR
	rejoined  bool                                // the newest random access point came after damage
	openGroup bool                                // it is no IDR: pictures after it may depend on what came before
	access    int64                               // its picture order count
	tooBig    bool                                // an access unit exceeded the bound
	asks      []uint16
	packet    rtp.Packet
}

func (in *ingest) open(cfg *Config, t TrackConfig) {
	in.clock.rate = audioRate
	if t.Kind == Video {
		in.clock.rate = videoRate
		in.h264 = depacket.NewH264(cfg.MaxAccessUnit)
		in.h264.SetParameterSets(t.ParameterSets)
		in.damaged = true // the first picture must be an IDR
	}
	in.reorder.bound = cfg.Reorder
	in.reorder.deliver = in.deliver
	in.reorder.lost = in.lose
}

// receive takes a packet off the wire: it goes out through unit or frame when it is its turn. It reports whether a hole
// opened before it.
func (in *ingest) receive(now time.Duration, raw []byte) (opened bool) {
	in.now = now
	in.packets++
	in.bytes += uint64(len(raw))
	if !in.came {
		in.came, in.first = true, now
	}
	if err := in.packet.Unmarshal(raw); err != nil {
		in.garbage++
		return false
	}
	if len(in.packet.Payload) > 0 { // padding alone is no sign of life
		in.lastMedia = now
	}
	return in.reorder.push(now, in.packet.SequenceNumber, raw)
}

// expire gives up holes that were waited for long enough.
func (in *ingest) expire(now time.Duration) {
	in.now = now
	in.reorder.expire(now)
}

// deliver takes the packets in sequence order.
func (in *ingest) deliver(raw []byte) {
	p := &in.packet
	if err := p.Unmarshal(raw); err != nil {
		in.garbage++
		return
	}
	if len(p.Payload) == 0 {
		return
	}
	if in.clock.breaks(in.now, p.Timestamp) {
		in.renew(p.Timestamp)
	}
	in.clock.arrive(in.now, p.Timestamp)
	if in.h264 == nil {
		in.frame(p.Timestamp, p.Payload)
		return
	}
	in.hole = false
	err := in.h264.Push(depacket.Packet{Timestamp: p.Timestamp, Marker: p.Marker, Payload: p.Payload}, in.emit)
	in.tooBig = in.tooBig || err != nil
}

// renew begins a new time line of the sender; the picture before it still belongs to the old one.
func (in *ingest) renew(timestamp uint32) {
	if in.h264 != nil {
		in.h264.Flush(in.emit)
		if in.hole { // which the flush forgot
			in.h264.Lost()
		}
	}
	moved := in.clock.restart(in.now, timestamp)
	in.stamps.idr -= timeToTicks(moved, in.clock.rate)
	in.stamps.ticks -= timeToTicks(moved, in.clock.rate)
	in.jump(moved)
}

func (in *ingest) lose(n int) {
	in.lost += uint64(n)
	in.hole = true
	if in.h264 != nil {
		in.h264.Lost()
	}
}

func (in *ingest) emit(u *depacket.AccessUnit) { in.unit(u) }

// ask sends a NACK for the holes that are due for one.
func (in *ingest) ask(now time.Duration, nack func([]uint16)) {
	if nack == nil {
		return
	}
	in.asks = in.reorder.nacks(now, in.asks[:0])
	if len(in.asks) > 0 {
		in.nacks += uint64(len(in.asks))
		nack(in.asks)
	}
}
