// Package client is a WHIP publisher (RFC 9725): it offers H.264 and Opus, keeps the session and sends what it is given.
// It does not encode, and it does not pace: samples are written when they are due.
package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// Options say what to publish and where. URL and at least one of Video and Audio are needed, the rest may be zero.
type Options struct {
	URL   string // the WHIP endpoint, http or https
	Token string // Bearer token; empty: none is sent
	Video *VideoOptions
	Audio *AudioOptions

	HTTPClient     *http.Client  // its redirect policy is not used; nil: one of its own with a timeout of 15 s
	Logger         *slog.Logger  // nil: nothing is logged
	UserAgent      string        // default "whipsaw"
	ConnectTimeout time.Duration // from the answer until media may flow; default 15 s

	// Configure may change the WebRTC settings, and Interceptors stand between what is written and the network, the first
	// nearest to the network: for tests and benches of bad networks.
	Configure    func(*webrtc.SettingEngine)
	Interceptors []interceptor.Factory
}

// VideoOptions describe an H.264 track (RFC 6184), sent in packetization mode 1 as payload type 96.
type VideoOptions struct {
	// SPS and PPS are NAL units without start codes. They go into the offer (sprop-parameter-sets) and fix its profile;
	// without them the offer says Constrained Baseline and the stream must bring them itself.
	SPS, PPS [][]byte
}

// AudioOptions describe an Opus track (RFC 7587), sent as payload type 111.
type AudioOptions struct {
	Mono bool // what will be sent; the track is negotiated as stereo all the same
}

// Errors of Publish and of Session.Err, beside *ResponseError.
var (
	ErrOptions      = errors.New("whip: bad options")
	ErrNotConnected = errors.New("whip: no connection came up; is the server's UDP port reachable?")
	ErrPeerClosed   = errors.New("whip: the server ended the session")
	ErrLost         = errors.New("whip: the connection was lost")
	ErrClosed       = errors.New("whip: the session is closed")
)

// Publish offers the tracks to the endpoint and returns when media may be written. ctx bounds Publish alone, not the
// session that it returns, which the caller has to Close. A refusal by the server is a *ResponseError.
func Publish(ctx context.Context, o Options) (*Session, error) {
	if o.Video == nil && o.Audio == nil {
		return nil, fmt.Errorf("%w: neither video nor audio", ErrOptions)
	}
	h, err := newExchange(o)
	if err != nil {
		return nil, err
	}
	s, err := newSession(o, h)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, cmp.Or(o.ConnectTimeout, 15*time.Second)); err != nil {
		s.abandon(err)
		return nil, err
	}
	return s, nil
}
