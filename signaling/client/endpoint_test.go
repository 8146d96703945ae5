package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// endpoint is a small WHIP server of the library's own making: the other side of the client.
type endpoint struct {
	t    *testing.T
	http *httptest.Server

	mu       sync.Mutex
	pc       *webrtc.PeerConnection
	requests []*http.Request
	offer    string
	packets  map[uint32][]*rtp.Packet // by SSRC
	reports  map[uint32][]*rtcp.SenderReport
	ssrcs    map[string]uint32 // by kind
	answer   func(string) string
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{
		t: t, packets: map[uint32][]*rtp.Packet{}, reports: map[uint32][]*rtcp.SenderReport{}, ssrcs: map[string]uint32{},
		answer: func(s string) string { return s },
	}
	e.http = httptest.NewServer(e)
	t.Cleanup(func() {
		if e.pc != nil {
			_ = e.pc.GracefulClose()
		}
		e.http.Close()
	})
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.requests = append(e.requests, r)
	e.mu.Unlock()
	if r.Method == http.MethodDelete {
		return
	}
	answer, err := e.accept(string(b))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/sessions/1")
	w.Header().Set("ETag", `"tag"`)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, e.answer(answer))
}

func (e *endpoint) accept(offer string) (string, error) {
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		return "", err
	}
	s := webrtc.SettingEngine{}
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(&interceptor.Registry{})).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	e.pc, e.offer = pc, offer
	e.mu.Unlock()
	pc.OnTrack(e.track)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	d, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	<-gathered
	return pc.LocalDescription().SDP, nil
}

func (e *endpoint) track(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	ssrc := uint32(t.SSRC())
	e.mu.Lock()
	e.ssrcs[t.Kind().String()] = ssrc
	e.mu.Unlock()
	go func() {
		for {
			packets, _, err := r.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if sr, ok := p.(*rtcp.SenderReport); ok {
					e.mu.Lock()
					e.reports[sr.SSRC] = append(e.reports[sr.SSRC], sr)
					e.mu.Unlock()
				}
			}
		}
	}()
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.packets[ssrc] = append(e.packets[ssrc], p)
		e.mu.Unlock()
	}
}

// got returns what arrived of a kind.
func (e *endpoint) got(kind string) ([]*rtp.Packet, []*rtcp.SenderReport) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ssrc := e.ssrcs[kind]
	return append([]*rtp.Packet(nil), e.packets[ssrc]...), append([]*rtcp.SenderReport(nil), e.reports[ssrc]...)
}

// times is how often a sequence number came, each time with the same payload.
func (e *endpoint) times(kind string, sequence uint16) int {
	packets, _ := e.got(kind)
	n := 0
	for _, p := range packets {
		if p.SequenceNumber == sequence {
			require.Equal(e.t, packets[0].Payload, p.Payload)
			n++
		}
	}
	return n
}

func (e *endpoint) request(i int) *http.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Greater(e.t, len(e.requests), i)
	return e.requests[i]
}

// options publish to the endpoint and leave no idle connection behind.
func (e *endpoint) options() Options {
	return Options{
		URL: e.http.URL + "/whip/live", Video: &VideoOptions{}, Audio: &AudioOptions{},
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

func (e *endpoint) publish(o Options) *Session {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	s, err := Publish(ctx, o)
	require.NoError(e.t, err)
	e.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, 10*time.Second, 5*time.Millisecond, what)
}
