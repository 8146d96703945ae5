package signaling

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"whipsaw/segmenter"
)

// peer is the peer connection of one session.
type peer struct {
	pc       *webrtc.PeerConnection
	factory  *factory
	log      *slog.Logger
	offer    *offer // of the current ICE generation, with the candidates that the library knows
	held     []candidate
	version  int // of the offer given to the library
	inlets   map[segmenter.Kind]*inlet
	feedback *feedback

	transport *transportWide // nil where it was not offered
	secrets   secrets
	express   express

	attached chan struct{} // closed when the inlets know their tracks
	up       chan struct{} // closed when ICE and DTLS are up for the first time
	heard    chan struct{} // closed when the first packet of media has come
	down     chan struct{} // closed when the peer has closed the connection, or it was lost
	upOnce   sync.Once
	hearOnce sync.Once
	downOnce sync.Once
	reason   segmenter.Reason // why it is down

	mu     sync.Mutex
	closed bool
	taps   map[uint32]*tap // by SSRC
	ufrags []string        // of ours, by which packets find express
	loops  sync.WaitGroup
}

// errGather means that the server's own candidates were not ready in time.
var errGather = errors.New("signaling: candidates took too long")

// open makes the peer connection for an offer and its answer. The caller closes the peer, whatever follows.
func (f *factory) open(o *offer, log *slog.Logger) (*peer, string, error) {
	sender := randomSSRC()
	first := *o
	first.candidates = nil
	p := &peer{
		factory: f, log: log, held: o.candidates, inlets: map[segmenter.Kind]*inlet{},
		transport: newTransportWide(o, sender), taps: map[uint32]*tap{},
		attached: make(chan struct{}), up: make(chan struct{}), heard: make(chan struct{}), down: make(chan struct{}),
	}
	p.express.source = p.source
	pc, err := f.connection(o, p.buffer, &p.secrets)
	if err != nil {
		return nil, "", err
	}
	p.pc = pc
	tell := reports{transport: p.transport}
	for _, s := range o.sections {
		in := newInlet(s, log, p.hear)
		p.inlets[s.kind] = in
		tell.receptions = append(tell.receptions, &in.reception)
	}
	tell.told = p.bandwidth(o, sender)
	p.feedback = newFeedback(sender, pc.WriteRTCP, tell)
	pc.OnConnectionStateChange(p.stateChanged)
	pc.SCTP().Transport().OnStateChange(p.handshakeChanged)
	pc.OnTrack(p.track)
	raw, err := p.negotiate(&first)
	if err == nil {
		raw, err = finishAnswer(raw, o, f.outside())
	}
	if err != nil {
		p.close()
		return nil, "", err
	}
	return p, raw, nil
}

func randomSSRC() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint32(b[:]) | 1
}

// negotiate gives the library an offer and returns its answer with all candidates in it.
func (p *peer) negotiate(o *offer) (string, error) {
	p.version++
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.normalized(p.version)}); err != nil {
		return "", fmt.Errorf("signaling: take the offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	answer, err := p.pc.CreateAnswer(&webrtc.AnswerOptions{OfferAnswerOptions: webrtc.OfferAnswerOptions{ICETricklingSupported: true}})
	if err != nil {
		return "", fmt.Errorf("signaling: answer: %w", err)
	}
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("signaling: take the answer: %w", err)
	}
	timer := time.NewTimer(p.factory.gather)
	defer timer.Stop()
	select {
	case <-gathered:
	case <-timer.C: // what there is may do; nothing at all cannot
	}
	d := p.pc.LocalDescription()
	if d == nil {
		return "", errGather
	}
	p.route(d.SDP)
	p.offer = o
	return d.SDP, nil
}

// restart begins a new ICE generation (RFC 9725 4.3.3). The credentials and candidates have been checked before.
func (p *peer) restart(c credentials, candidates []candidate) (*fragment, error) {
	learned := map[segmenter.Kind]uint32{}
	for k, in := range p.inlets {
		learned[k] = in.ssrc.Load()
	}
	p.held = nil // of the old generation
	raw, err := p.negotiate(p.offer.restarted(c, candidates, learned))
	if err != nil {
		return nil, err
	}
	return restartFragment(raw, p.offer, p.factory.outside())
}

// candidateDelay is how long the candidates of an offer are kept from the library. The publisher is the one who connects:
// its checks tell its address, and mostly nothing else is needed. Checks of ours that come before it has read the answer
// upset some: libdatachannel then starts DTLS without the fingerprint and gives up.
const candidateDelay = 300 * time.Millisecond

// release lets the library use the candidates of the offer.
func (p *peer) release() error {
	held := p.held
	p.held = nil
	return p.addAll(held)
}

// add takes trickled candidates of the current ICE generation, those that can be used.
func (p *peer) add(lines []string) error {
	return p.addAll(usableCandidates(lines, p.offer.creds.ufrag))
}

func (p *peer) addAll(list []candidate) error {
	for _, c := range list {
		if len(p.offer.candidates) >= maxCandidates {
			return nil
		}
		if slices.ContainsFunc(p.offer.candidates, func(k candidate) bool { return k.addr == c.addr }) {
			continue
		}
		if err := p.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: c.String()}); err != nil {
			return fmt.Errorf("signaling: add candidate: %w", err)
		}
		p.offer.candidates = append(p.offer.candidates, c)
	}
	return nil
}

// attach connects the peer's media with the tracks of the stream.
func (p *peer) attach(pub *segmenter.Publisher) {
	for k, in := range p.inlets {
		in.out = pub.Track(k)
	}
	close(p.attached)
}

// handshakeChanged is called by the library in the order of events: up is closed before down can be. Media may flow once
// DTLS is connected, for which ICE has to be.
func (p *peer) handshakeChanged(s webrtc.DTLSTransportState) {
	if s == webrtc.DTLSTransportStateConnected {
		p.upOnce.Do(func() {
			p.hurry()
			close(p.up)
		})
	}
}

// hear is called with the first packet of each source.
func (p *peer) hear() { p.hearOnce.Do(func() { close(p.heard) }) }

// received is how many bytes of media have come.
func (p *peer) received() uint64 {
	n := uint64(0)
	for _, in := range p.inlets {
		n += in.arrived.bytes.Load()
	}
	return n
}

// wasUp reports whether the peer was ever connected.
func (p *peer) wasUp() bool {
	select {
	case <-p.up:
		return true
	default:
		return false
	}
}

// stateChanged is called by the library, each time on a goroutine of its own and so in no certain order.
func (p *peer) stateChanged(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateFailed:
		p.wentDown(segmenter.ReasonICEFailed)
	case webrtc.PeerConnectionStateClosed:
		// Unless it was closed here, this is the publisher's close_notify (RFC 9725 4.2).
		p.wentDown(segmenter.ReasonPeerClosed)
	}
}

func (p *peer) wentDown(r segmenter.Reason) {
	p.downOnce.Do(func() {
		p.reason = r
		close(p.down)
	})
}

// handshakeGrace is how long the end of a session waits for a handshake that is under way.
const handshakeGrace = 500 * time.Millisecond

// settle lets a handshake that is under way come to its end. Without that there is no close_notify: the publisher, which
// may be through with its part already, would believe in the connection until ICE finds out.
func (p *peer) settle() {
	if p.pc.ICEConnectionState() != webrtc.ICEConnectionStateConnected {
		return
	}
	timer := time.NewTimer(handshakeGrace)
	defer timer.Stop()
	select {
	case <-p.up:
	case <-p.down:
	case <-timer.C:
	}
}

// close ends the connection with a close_notify, and returns when nothing of it runs any more.
func (p *peer) close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	p.mu.Unlock()
	if err := p.pc.GracefulClose(); err != nil {
		p.log.Debug("peer connection closed with an error", "err", err)
	}
	p.unroute()
	p.feedback.close()
	p.wentDown(segmenter.ReasonPeerClosed)
	p.loops.Wait()
}
