package signaling

import (
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
	kind segmenter.Kind
	pt   uint8
	log  *slog.Logger
	out  *segmenter.Track // nil until attached
	source
	current atomic.Pointer[webrtc.TrackRemote]
}

// track is called by the library, on a goroutine of its own, when the first packet of a source has come.
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
	p.log.Info("track", "kind", kind.String(), "ssrc", uint32(t.SSRC()), "retransmissions", t.HasRTX())
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

// readPackets moves packets until the connection ends. Packets of another payload type than the negotiated one are left
// out, and errors about them passed over. Only the source that came last is let through.
func (in *inlet) readPackets(t *webrtc.TrackRemote) {
	buf := make([]byte, receiveMTU)
	for failed := 0; failed < maxReadErrors; {
		n, _, err := t.Read(buf)
		switch {
		case err == nil:
			failed = 0
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			return
		default: // an unknown payload type, or a packet too long for the buffer
			failed++
			continue
		}
		if n >= 12 && buf[1]&0x7f == in.pt && in.current.Load() == t {
			in.out.WriteRTP(buf[:n])
		}
	}
	in.log.Warn("track given up: reading fails", "kind", in.kind.String())
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
