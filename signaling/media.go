package signaling

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"whipsaw/segmenter"
)

// inlet is where one kind of media comes in: the only place that knows both the library's track and the stream's.
type inlet struct {
	kind  segmenter.Kind
	pt    uint8
	log   *slog.Logger
	out   *segmenter.Track // nil until attached
	heard func()           // called with the first packet of a source
	source
	arrived arrivalCounter
	current atomic.Pointer[webrtc.TrackRemote]
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
	p.loops.Add(2)
	p.mu.Unlock()
	select {
	case <-p.attached:
	case <-p.down: // gone before the stream was taken
		p.loops.Add(-2)
		return
	}
	if in.out == nil {
		p.loops.Add(-2)
		return
	}
	in.current.Store(t) // a source that changed its SSRC goes on under the new one
	in.ssrc.Store(uint32(t.SSRC()))
	go func() {
		defer p.loops.Done()
		in.readReports(t, r)
	}()
	defer p.loops.Done()
	in.readPackets(t)
}

// maxReadErrors bounds how often in a row reading may fail before the track is given up: a guard against spinning.
const maxReadErrors = 10000

// readPackets moves packets until the connection ends. Only the source that came last is let through.
func (in *inlet) readPackets(t *webrtc.TrackRemote) {
	buf := make([]byte, receiveMTU)
	first, highest := true, uint16(0)
	for failed := 0; failed < maxReadErrors; {
		n, _, err := t.Read(buf)
		switch {
		case err == nil, errors.Is(err, webrtc.ErrCodecNotFound):
			failed = 0
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			return
		default: // too long for the buffer, say
			failed++
			continue
		}
		if n < rtpHeader || in.current.Load() != t {
			continue
		}
		highest = in.arrived.note(n, binary.BigEndian.Uint16(buf[2:]), highest, first)
		if first {
			in.log.Info("media arrives", "kind", in.kind.String(), "ssrc", uint32(t.SSRC()), "retransmissions", t.HasRTX())
			first = false
			in.heard()
		}
		in.out.WriteRTP(in.negotiated(buf[:n]))
	}
	in.log.Warn("track given up: reading fails", "kind", in.kind.String())
}

// rtpHeader is the length of an RTP header without extensions (RFC 3550 5.1).
const rtpHeader = 12

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
			if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == uint32(t.SSRC()) && in.current.Load() == t {
				in.out.WriteSenderReport(sr.NTPTime, sr.RTPTime)
			}
		}
	}
}
