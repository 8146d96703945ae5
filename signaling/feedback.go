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
	sender uint32 // SSRC of ours in every message
	reports
	queue chan rtcp.Packet
	stop  chan struct{}
	done  chan struct{}
}

// reports are what a publisher is told without anybody asking.
type reports struct {
	receptions []*reception   // of each kind of media
	told       *bandwidth     // nil: nobody wants to know
	transport  *transportWide // nil: as above
}

// reportEvery is how often receiver reports go out. RFC 3550 6.2 would have it every five seconds; a second is what
// encoders and their statistics are used to.
const reportEvery = time.Second

func newFeedback(sender uint32, write func([]rtcp.Packet) error, r reports) *feedback {
	f := &feedback{
		write: write, sender: sender, reports: r,
		queue: make(chan rtcp.Packet, feedbackQueue), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go f.run()
	return f
}

func (f *feedback) run() {
	defer close(f.done)
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	var often <-chan time.Time
	if f.transport != nil {
		t := time.NewTicker(transportEvery)
		defer t.Stop()
		often = t.C
	}
	last := time.Now()
	for {
		var out []rtcp.Packet
		select {
		case <-f.stop:
			return
		case now := <-every.C:
			out = f.reception(now, now.Sub(last))
			last = now
		case <-often:
			out = f.transport.report()
		case p := <-f.queue:
			out = f.batch(p)
		}
		if len(out) > 0 {
			// A peer that is not connected yet or any more is told nothing; its end is seen elsewhere.
			_ = f.write(out)
		}
	}
}

// reception is the receiver report (RFC 3550 6.4.2), and what may be sent, after that much time.
func (f *feedback) reception(now time.Time, passed time.Duration) []rtcp.Packet {
	var out []rtcp.Packet
	report := &rtcp.ReceiverReport{SSRC: f.sender}
	for _, r := range f.receptions {
		if b, ok := r.block(now); ok {
			report.Reports = append(report.Reports, b)
		}
	}
	if len(report.Reports) > 0 {
		out = append(out, report)
	}
	if f.told != nil {
		if p := f.told.message(passed); p != nil {
			out = append(out, p)
		}
	}
	return out
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
