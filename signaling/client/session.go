package client

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Session is one publication. Video and audio may be written from a goroutine each.
type Session struct {
	http  *exchange
	pc    *webrtc.PeerConnection
	log   *slog.Logger
	video *track // nil: not offered
	audio *track

	connected chan struct{}
	keyframes chan struct{}
	done      chan struct{}
	upOnce    sync.Once
	endOnce   sync.Once
	err       error // why it is done
	begin     sync.Once
	zero      time.Time // wall clock of media time 0

	closing  sync.Once
	closeErr error
	work     sync.WaitGroup
}

func newSession(o Options, h *exchange) (*Session, error) {
	s := &Session{
		http: h, log: o.Logger, connected: make(chan struct{}), keyframes: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	pc, err := connection(o)
	if err != nil {
		return nil, err
	}
	s.pc = pc
	pc.OnConnectionStateChange(s.stateChanged)
	if err := s.addTracks(o); err != nil {
		s.abandon(err)
		return nil, err
	}
	return s, nil
}

func (s *Session) addTracks(o Options) (err error) {
	if o.Audio != nil {
		if s.audio, err = newTrack(s.pc, webrtc.MimeTypeOpus, 48000); err != nil {
			return err
		}
	}
	if o.Video != nil {
		if s.video, err = newTrack(s.pc, webrtc.MimeTypeH264, 90000); err != nil {
			return err
		}
	}
	return nil
}

// start exchanges offer and answer and waits until the connection is up.
func (s *Session) start(ctx context.Context, timeout time.Duration) error {
	offer, err := s.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("whip: make the offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(s.pc)
	if err := s.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("whip: take the offer: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return ctx.Err()
	}
	answer, err := s.http.post(ctx, s.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("whip: take the answer: %w", err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-s.connected:
	case <-s.done:
		return fmt.Errorf("%w (%w)", ErrNotConnected, s.err)
	case <-timer.C:
		return ErrNotConnected
	case <-ctx.Done():
		return ctx.Err()
	}
	s.work.Add(1)
	go s.report()
	for _, t := range []*track{s.video, s.audio} {
		if t != nil {
			s.work.Add(1)
			go s.readFeedback(t)
		}
	}
	return nil
}

func (s *Session) stateChanged(c webrtc.PeerConnectionState) {
	s.log.Debug("connection", "state", c.String())
	switch c {
	case webrtc.PeerConnectionStateConnected:
		s.upOnce.Do(func() { close(s.connected) })
	case webrtc.PeerConnectionStateFailed:
		s.end(ErrLost)
	case webrtc.PeerConnectionStateClosed:
		s.end(ErrPeerClosed)
	}
}

func (s *Session) end(err error) {
	s.endOnce.Do(func() {
		s.err = err
		close(s.done)
	})
}

// abandon gives a session up that never came to be, so that the server need not find out by itself.
func (s *Session) abandon(err error) {
	s.end(err)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := s.http.delete(ctx); err != nil {
		s.log.Debug("session not deleted", "err", err)
	}
	s.shut()
}

func (s *Session) shut() {
	if err := s.pc.GracefulClose(); err != nil {
		s.log.Debug("connection closed with an error", "err", err)
	}
	s.work.Wait()
}

// Close ends the session with DELETE, then the connection, and returns when nothing of it runs any more. ctx bounds the
// DELETE, whose error is returned. Calls after the first return the same.
func (s *Session) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.end(ErrClosed)
		s.closeErr = s.http.delete(ctx)
		s.shut()
	})
	return s.closeErr
}

// Done is closed when the session is over: by Close, by the server, or because the connection was lost. Close is to be
// called in any case.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err tells why the session is over: ErrClosed, ErrPeerClosed or ErrLost. It is nil until Done is closed.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// URL is the session's own URL. It is a secret: whoever has it may end the session.
func (s *Session) URL() string { return s.http.session.String() }

// ETag is the entity tag of the ICE generation, quoted.
func (s *Session) ETag() string { return s.http.etag }

// Keyframes receives a value when the server asks for an IDR by PLI or FIR. Requests that come before the last was taken
// out are one with it.
func (s *Session) Keyframes() <-chan struct{} { return s.keyframes }

// WriteVideo sends one access unit: NAL units without start codes, borrowed for the call, in decoding order. pts is its
// presentation time on the media time line that both tracks share, at which it should be written as well; the first
// sample written fixes where that line lies on the wall clock. The error is ErrClosed, or of the connection.
func (s *Session) WriteVideo(nalus [][]byte, pts time.Duration) error {
	return s.video.writeUnit(s, nalus, pts)
}

// WriteAudio sends one Opus packet, borrowed for the call; pts as with WriteVideo.
func (s *Session) WriteAudio(packet []byte, pts time.Duration) error {
	return s.audio.writePacket(s, packet, pts)
}

// WriteVideoRTP sends a packet as it is, but for SSRC and payload type, which are the negotiated ones. Sequence numbers
// and timestamps are the caller's, who should not use WriteVideo too. at is the wall clock time that the packet's
// timestamp stands for: sender reports are made of it.
func (s *Session) WriteVideoRTP(p *rtp.Packet, at time.Time) error { return s.video.write(s, p, at) }

// WriteAudioRTP is WriteVideoRTP for audio.
func (s *Session) WriteAudioRTP(p *rtp.Packet, at time.Time) error { return s.audio.write(s, p, at) }

// wall is the wall clock time of a media time.
func (s *Session) wall(pts time.Duration) time.Time {
	s.begin.Do(func() { s.zero = time.Now().Add(-pts) })
	return s.zero.Add(pts)
}

// readFeedback takes what the server says about a track. Retransmissions are the library's work.
func (s *Session) readFeedback(t *track) {
	defer s.work.Done()
	for {
		packets, _, err := t.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				select {
				case s.keyframes <- struct{}{}:
				default:
				}
			}
		}
	}
}

// reportInterval is how often sender reports are sent.
const reportInterval = time.Second

// report sends sender reports (RFC 3550 6.4.1): the first soon, since the server aligns sound and picture by them.
func (s *Session) report() {
	defer s.work.Done()
	timer := time.NewTimer(reportInterval / 10)
	defer timer.Stop()
	for {
		select {
		case <-s.done:
			return
		case now := <-timer.C:
			var out []rtcp.Packet
			for _, t := range []*track{s.video, s.audio} {
				if t != nil {
					out = t.report(out, now)
				}
			}
			if len(out) == 0 {
				timer.Reset(reportInterval / 10)
				continue
			}
			if err := s.pc.WriteRTCP(out); err != nil {
				s.log.Debug("sender report not sent", "err", err)
			}
			timer.Reset(reportInterval)
		}
	}
}
