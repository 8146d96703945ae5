package signaling

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"whipsaw/segmenter"
)

// inlet is where one kind of media comes in: the only place that knows both the library's track and the stream's.
type inlet struct {
	kind  segmenter.Kind
	pt    uint8
	rtx   uint8 // of retransmissions, if there are any
	log   *slog.Logger
	out   *segmenter.Track // nil until attached
	heard func()           // called with the first packet of a source
	source
	reception reception
	arrived   arrivalCounter

	mu      sync.Mutex
	begun   uint32 // the source whose first packet has come
	highest uint16 // sequence number
}

func newInlet(s *section, log *slog.Logger, heard func()) *inlet {
	clock := uint32(90000) // RFC 6184 8.2.1
	if s.kind == segmenter.Audio {
		clock = 48000 // RFC 7587 4.1
	}
	return &inlet{kind: s.kind, pt: s.pt, rtx: s.rtx, log: log, heard: heard, reception: reception{clock: clock}}
}

// track is called by the library, on a goroutine of its own: for a declared source once the connection is up, for another
// when its first packet has come.
func (p *peer) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	kind := segmenter.Video
	if t.Kind() == webrtc.RTPCodecTypeAudio {
		kind = segmenter.Audio
	}
	in := p.inlets[kind]
	p.mu.Lock()
	if p.closed || in == nil {
		p.mu.Unlock()
		return
	}
	p.loops.Add(1)
	p.mu.Unlock()
	defer p.loops.Done()
	select {
	case <-p.attached:
	case <-p.down: // gone before the stream was taken
		return
	}
	if in.out == nil {
		return
	}
	ssrc := uint32(t.SSRC())
	in.ssrc.Store(ssrc) // a source that changed its SSRC goes on under the new one
	if media := p.source(ssrc); media != nil {
		media.open(func(packet []byte) { in.media(packet, ssrc) })
	}
	if repairs := p.source(uint32(t.RtxSSRC())); repairs != nil {
		repairs.open(func(packet []byte) { in.repair(packet, ssrc) })
	}
	in.readReports(t, r)
}

// maxReadErrors bounds how often in a row reading may fail before the track is given up: a guard against spinning.
const maxReadErrors = 10000

// media takes a packet of a source. Only the source that came last is let through.
func (in *inlet) media(packet []byte, ssrc uint32) {
	if len(packet) < rtpHeader || in.ssrc.Load() != ssrc {
		return
	}
	in.reception.note(packet, time.Now())
	in.deliver(in.negotiated(packet), ssrc)
}

// repair takes a retransmission for a source (RFC 4588).
func (in *inlet) repair(packet []byte, ssrc uint32) {
	if len(packet) < rtpHeader || packet[1]&0x7f != in.rtx || in.ssrc.Load() != ssrc {
		return
	}
	if lost := original(packet, in.pt, ssrc); lost != nil {
		in.deliver(lost, ssrc)
	}
}

// deliver counts a packet and gives it to the stream, which copies it.
func (in *inlet) deliver(packet []byte, ssrc uint32) {
	in.mu.Lock()
	first := in.begun != ssrc
	in.begun = ssrc
	in.highest = in.arrived.note(len(packet), binary.BigEndian.Uint16(packet[2:]), in.highest, first)
	in.mu.Unlock()
	if first {
		in.log.Info("media arrives", "kind", in.kind.String(), "ssrc", ssrc)
		in.heard()
	}
	in.out.WriteRTP(packet)
}

// negotiated returns the packet, emptied if its payload type is not the negotiated one: what is in it is not understood,
// but its sequence number is used up and must not look like a loss.
func (in *inlet) negotiated(packet []byte) []byte {
	if packet[1]&0x7f == in.pt {
		return packet
	}
	packet[0], packet[1] = 2<<6, in.pt // version 2; no padding, extension, sources or marker
	return packet[:rtpHeader]
}

// readReports takes the sender reports out of the publisher's RTCP (RFC 3550 6.4.1).
func (in *inlet) readReports(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	buf := make([]byte, receiveMTU)
	for failed := 0; failed < maxReadErrors; {
		n, _, err := r.Read(buf)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return
		}
		var packets []rtcp.Packet
		if err == nil {
			packets, err = rtcp.Unmarshal(buf[:n])
		}
		if err != nil {
			failed++
			continue
		}
		failed = 0
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == uint32(t.SSRC()) && in.ssrc.Load() == sr.SSRC {
				in.reception.senderReport(sr.SSRC, sr.NTPTime, time.Now())
				in.out.WriteSenderReport(sr.NTPTime, sr.RTPTime)
			}
		}
	}
}
