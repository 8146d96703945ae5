package signaling

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"whipsaw/segmenter"
)

// patchRate and patchBurst bound what the holder of a session URL may make the server do (RFC 9725 5): a publisher sends
// a PATCH for each of its candidates at most, and a few for a restart.
const (
	patchRate  = 5
	patchBurst = 100
)

// session is one WHIP session (RFC 9725 4): from the 201 to DELETE, or to the end of either side. It is not there before
// its peer connection has an answer and its publisher has the stream.
type session struct {
	id     string // secret, last element of the session URL
	name   string // for logs and API
	stream string
	log    *slog.Logger
	peer   *peer
	pub    *segmenter.Publisher
	token  digest        // of the one that it was made with
	from   netip.Prefix  // whose place it has
	done   chan struct{} // closed when all of it is over

	patches *rate.Limiter
	excess  excess

	mu   sync.Mutex // one PATCH at a time
	etag string     // of the current ICE generation, quoted
}

// newID returns an unguessable name: 160 bits in the URL's alphabet (RFC 9725 5).
func newID() string { return base64.RawURLEncoding.EncodeToString(random(20)) }

// newName returns a short name; it need not be unguessable, only unlikely to meet itself in one log.
func newName() string { return hex.EncodeToString(random(4)) }

// newETag returns a strong entity tag (RFC 9110 8.8.3), never the same twice.
func newETag() string { return `"` + base64.RawURLEncoding.EncodeToString(random(12)) + `"` }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// run waits for the first end of the session and ends the rest. It is the session's one goroutine. connect is how long
// the connection may take to come up, media how long it may then be without a packet.
func (s *session) run(connect, media time.Duration) {
	reason, up := s.waitConnected(connect)
	if up {
		s.log.Info("connected")
		reason = s.waitEnd(media)
	}
	s.pub.Close(reason)
	s.peer.settle()
	// The publisher sees close_notify and, from now on, no more consent (RFC 9725 4.2).
	s.peer.close()
	<-s.pub.Done()
	s.log.Info("session ended", "reason", string(s.pub.Reason()))
}

// waitConnected returns when ICE and DTLS are up, or why they will not be.
func (s *session) waitConnected(connect time.Duration) (_ segmenter.Reason, up bool) {
	timer, hold := time.NewTimer(connect), time.NewTimer(candidateDelay)
	defer timer.Stop()
	defer hold.Stop()
	for {
		select {
		case <-s.peer.up:
			return "", true
		case <-hold.C:
			s.release()
		case <-timer.C:
			return segmenter.ReasonNotConnected, false
		case <-s.peer.down:
			if s.peer.wasUp() {
				return s.peer.reason, false
			}
			return segmenter.ReasonNotConnected, false
		case <-s.pub.Done():
			return s.pub.Reason(), false
		}
	}
}

// waitEnd returns why a session that was connected is over, as far as this side knows. Whether the packets that come are
// of any use, and go on coming, is the stream's to judge.
func (s *session) waitEnd(media time.Duration) segmenter.Reason {
	timer, every := time.NewTimer(media), time.NewTicker(excessEvery)
	defer timer.Stop()
	defer every.Stop()
	if s.excess.most == 0 {
		every.Stop()
	}
	heard := s.peer.heard
	for {
		select {
		case now := <-every.C:
			if s.excess.look(now, s.peer.received()) {
				return segmenter.ReasonTooFast
			}
		case <-heard:
			timer.Stop()
			heard = nil
		case <-timer.C:
			return segmenter.ReasonNoMedia
		case <-s.peer.down:
			return s.peer.reason
		case <-s.pub.Done():
			return s.pub.Reason()
		}
	}
}

// release tries the candidates of the offer, where the publisher has not come by itself.
func (s *session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.peer.release(); err != nil {
		s.log.Debug("candidate not taken", "err", err)
	}
}

// end ends the session and waits for it, or for the context.
func (s *session) end(ctx context.Context, r segmenter.Reason) error {
	s.pub.Close(r)
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// patch applies a fragment (RFC 9725 4.3). match is the value of If-Match. A nil fragment without a problem means that
// candidates were taken; otherwise it is the answer to an ICE restart and etag names the new generation.
func (s *session) patch(match string, f *fragment) (out *fragment, etag string, p *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// RFC 9110 13.1.1: If-Match compares strongly, and "*" is any generation
	if !matches(match, s.etag) {
		return nil, "", probETag.with("the session's ICE generation is another one by now; use the ETag of the last answer, or * for an ICE restart")
	}
	creds, err := f.credentials()
	if err != nil {
		return nil, "", probSyntax.with(err.Error())
	}
	if (creds == credentials{}) || creds == s.peer.offer.creds {
		if err := s.peer.add(f.candidates()); err != nil {
			s.log.Debug("candidate not taken", "err", err)
		}
		return nil, "", nil
	}
	if creds.ufrag == s.peer.offer.creds.ufrag || creds.pwd == s.peer.offer.creds.pwd {
		// RFC 8445 9: a restart changes both
		return nil, "", probSyntax.with("an ICE restart needs a new ice-ufrag and a new ice-pwd")
	}
	out, err = s.peer.restart(creds, usableCandidates(f.candidates(), creds.ufrag))
	if err != nil {
		s.log.Warn("ICE restart failed", "err", err)
		return nil, "", probInternal.with("the ICE restart failed; publish anew")
	}
	s.etag = newETag()
	s.log.Info("ICE restart")
	return out, s.etag, nil
}

// create makes the session of an accepted offer and takes the stream for it.
func (s *Server) create(stream, userAgent string, o *offer) (*session, string, *problem) {
	name := newName()
	log := s.log.With("stream", stream, "session", name)
	peer, answer, err := s.factory.open(o, log)
	if errors.Is(err, errAnswer) {
		log.Warn("offer could not be answered", "err", err)
		return nil, "", probCodec.with("the offer could not be answered with H.264 and Opus: " + err.Error())
	}
	if err != nil {
		log.Error("no peer connection", "err", err)
		return nil, "", probInternal.with("no peer connection could be made")
	}
	pub, err := s.registry.Publish(stream, segmenter.PublisherConfig{
		Session: name, UserAgent: userAgent, Origin: o.origin, Tracks: peer.trackConfigs(),
		Connect: s.cfg.ConnectTimeout, NoTakeOver: s.cfg.NoTakeOver,
	})
	if err != nil {
		peer.close()
		return nil, "", publishProblem(err)
	}
	peer.attach(pub)
	n := &session{
		id: newID(), name: name, stream: stream, log: log, peer: peer, pub: pub,
		done: make(chan struct{}), etag: newETag(), patches: rate.NewLimiter(patchRate, patchBurst),
	}
	log.Info("session created", "user_agent", userAgent, "tracks", len(o.sections), "candidates", len(o.candidates))
	return n, answer, nil
}

// publishProblem maps the errors of Registry.Publish.
func publishProblem(err error) *problem {
	switch {
	case errors.Is(err, segmenter.ErrBusy):
		return probBusy.with("another publisher is live on this stream and was not replaced: it is healthy, or this server never replaces one; stop it first, or use another stream name")
	case errors.Is(err, segmenter.ErrBlocked):
		return probBlocked.with("the operator of this server ended the stream and lets nobody publish it for a while; ask the operator")
	case errors.Is(err, segmenter.ErrName):
		return probStream.with(streamNameSentence)
	case errors.Is(err, segmenter.ErrTooMany):
		return probFull.with("this server has as many streams as it may")
	case errors.Is(err, segmenter.ErrMemory):
		return probMemory.with("the streams there are take as much memory as they may")
	case errors.Is(err, segmenter.ErrClosed):
		return probClosing.with("this server is closing")
	case errors.Is(err, segmenter.ErrTracks):
		return probSections.with("this set of tracks cannot be published; send video, audio or one of each")
	}
	return probInternal.with(fmt.Sprintf("the stream could not be taken: %v", err))
}

const streamNameSentence = "a stream name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or a digit"
