package signaling

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"whipsaw/segmenter"
)

// feedbackQueue is how many messages may wait for the network. When it is full the newest is dropped: the stream asks
// again for what still matters.
const feedbackQueue = 64

// feedback carries the stream's wishes to the publisher. The stream's goroutine must not block on encryption and
// sockets, so that messages go through a queue with a goroutine of its own.
type feedback struct {
	write  func([]rtcp.Packet) error
	sender uint32     // SSRC of ours in every message
	told   *bandwidth // nil: nobody wants to know
	queue  chan rtcp.Packet
	stop   chan struct{}
	done   chan struct{}
}

func newFeedback(sender uint32, write func([]rtcp.Packet) error, told *bandwidth) *feedback {
	f := &feedback{
		write: write, sender: sender, told: told,
		queue: make(chan rtcp.Packet, feedbackQueue), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go f.run()
	return f
}

func (f *feedback) run() {
	defer close(f.done)
	var tick <-chan time.Time
	if f.told != nil {
		t := time.NewTicker(rembEvery)
		defer t.Stop()
		tick = t.C
	}
	last := time.Now()
	for {
		select {
		case <-f.stop:
			return
		case now := <-tick:
			if p := f.told.message(now.Sub(last)); p != nil {
				_ = f.write([]rtcp.Packet{p}) // as below
			}
			last = now
		case p := <-f.queue:
			// A peer that is not connected yet or any more is told nothing; its end is seen elsewhere.
			_ = f.write(f.batch(p))
		}
	}
}

// batch adds what else is waiting, so that it leaves in one datagram.
func (f *feedback) batch(first rtcp.Packet) []rtcp.Packet {
	out := []rtcp.Packet{first}
	for len(out) < 8 {
		select {
		case p := <-f.queue:
			out = append(out, p)
		default:
			return out
		}
	}
	return out
}

func (f *feedback) send(p rtcp.Packet) {
	select {
	case f.queue <- p:
	default:
	}
}

// close stops the goroutine and waits for it. It may be called once.
func (f *feedback) close() {
	close(f.stop)
	<-f.done
}

// source is the stream of RTP packets a feedback message is about. Its SSRC is 0 until the first packet.
type source struct{ ssrc atomic.Uint32 }

// nack returns the function that asks for lost packets (RFC 4585 6.2.1).
func (f *feedback) nack(s *source) func([]uint16) {
	return func(seq []uint16) {
		media := s.ssrc.Load()
		if media == 0 || len(seq) == 0 {
			return
		}
		f.send(&rtcp.TransportLayerNack{SenderSSRC: f.sender, MediaSSRC: media, Nacks: rtcp.NackPairsFromSequenceNumbers(seq)})
	}
}

// pli returns the function that asks for a keyframe: by PLI (RFC 4585 6.3.1), which nearly every publisher that obeys
// anything obeys, or by FIR (RFC 5104 4.3.1) for one that names only that.
func (f *feedback) pli(s *source, types []string) func() {
	if slices.Contains(types, "ccm fir") && !slices.Contains(types, "nack pli") {
		return f.fir(s)
	}
	return func() {
		if media := s.ssrc.Load(); media != 0 {
			f.send(&rtcp.PictureLossIndication{SenderSSRC: f.sender, MediaSSRC: media})
		}
	}
}

func (f *feedback) fir(s *source) func() {
	var n atomic.Uint32
	return func() {
		if media := s.ssrc.Load(); media != 0 {
			f.send(&rtcp.FullIntraRequest{
				SenderSSRC: f.sender, MediaSSRC: media,
				// RFC 5104 4.3.1.1: a number that was not used before makes it a new request
				FIR: []rtcp.FIREntry{{SSRC: media, SequenceNumber: uint8(n.Add(1))}},
			})
		}
	}
}

// trackConfigs describes the offer's tracks to the stream.
func (p *peer) trackConfigs() []segmenter.TrackConfig {
	var out []segmenter.TrackConfig
	for _, s := range p.offer.sections {
		in := p.inlets[s.kind]
		c := segmenter.TrackConfig{Kind: s.kind, Channels: s.channels, ParameterSets: s.parameterSets}
		// Asked for also where the offer does not name it: who does not know NACK ignores it, and lost sound is worth a try.
		c.NACK = p.feedback.nack(&in.source)
		if s.kind == segmenter.Video {
			c.PLI = p.feedback.pli(&in.source, s.feedback)
		}
		out = append(out, c)
	}
	return out
}
