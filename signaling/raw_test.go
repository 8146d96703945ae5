package signaling

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// raw is a publisher made of the library alone, for what the client does not do.
type raw struct {
	f         *fixture
	pc        *webrtc.PeerConnection
	video     *webrtc.TrackLocalStaticSample
	connected chan struct{}
	loc, etag string
}

// newRaw makes a publisher of one H.264 track.
func newRaw(f *fixture, change ...func(*webrtc.SettingEngine)) *raw {
	f.t.Helper()
	e := webrtc.SettingEngine{}
	for _, c := range change {
		c(&e)
	}
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	m := &webrtc.MediaEngine{}
	require.NoError(f.t, m.RegisterDefaultCodecs())
	m.RegisterFeedback(webrtc.RTCPFeedback{Type: webrtc.TypeRTCPFBTransportCC}, webrtc.RTPCodecTypeVideo)
	r := &interceptor.Registry{}
	require.NoError(f.t, webrtc.ConfigureTWCCHeaderExtensionSender(m, r))
	api := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = pc.GracefulClose() })
	p := &raw{f: f, pc: pc, connected: make(chan struct{}, 10)}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			p.connected <- struct{}{}
		}
	})
	p.video, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264}, "video", "raw")
	require.NoError(f.t, err)
	_, err = pc.AddTransceiverFromTrack(p.video, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	require.NoError(f.t, err)
	return p
}

// offer makes an offer with all candidates in it.
func (p *raw) offer(o *webrtc.OfferOptions) string {
	p.f.t.Helper()
	d, err := p.pc.CreateOffer(o)
	require.NoError(p.f.t, err)
	done := webrtc.GatheringCompletePromise(p.pc)
	require.NoError(p.f.t, p.pc.SetLocalDescription(d))
	<-done
	return p.pc.LocalDescription().SDP
}

// post publishes offer and takes the answer.
func (p *raw) post(offer string) {
	p.f.t.Helper()
	p.answered(p.f.post("/whip/live", offer))
}

// answered takes the answer of a POST.
func (p *raw) answered(r reply) {
	p.f.t.Helper()
	require.Equal(p.f.t, http.StatusCreated, r.status, r.body)
	p.loc, p.etag = r.header.Get("Location"), r.header.Get("ETag")
	require.NoError(p.f.t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: r.body}))
}

func (p *raw) wait() {
	p.f.t.Helper()
	select {
	case <-p.connected:
	case <-time.After(10 * time.Second):
		p.f.t.Fatal("not connected")
	}
}

// sending writes frames until the function returned is called.
func (p *raw) sending() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		unit := annexB(sps, pps, idr)
		for ctx.Err() == nil {
			_ = p.video.WriteSample(mediaSample(unit))
			<-tick.C
		}
	}()
	stop = func() { cancel(); <-done }
	p.f.t.Cleanup(stop)
	return stop
}

// without removes all lines that begin with one of the prefixes.
func without(sdp string, prefixes ...string) string {
	var out []string
next:
	for _, l := range strings.SplitAfter(sdp, "\n") {
		for _, p := range prefixes {
			if strings.HasPrefix(l, p) {
				continue next
			}
		}
		out = append(out, l)
	}
	return strings.Join(out, "")
}

// with returns the lines that begin with a prefix.
func with(sdp string, prefix string) string {
	var out strings.Builder
	for _, l := range strings.SplitAfter(sdp, "\n") {
		if strings.HasPrefix(l, prefix) {
			out.WriteString(l)
		}
	}
	return out.String()
}

// restart begins a new ICE generation by PATCH and takes its answer, which it returns.
func (p *raw) restart(match string) *fragment {
	t := p.f.t
	t.Helper()
	offer := p.offer(&webrtc.OfferOptions{ICERestart: true})
	frag := with(offer, "a=ice-ufrag") + with(offer, "a=ice-pwd") + "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n" + with(offer, "a=candidate")
	r := p.f.patch(p.loc, match, frag)
	require.Equal(t, http.StatusOK, r.status, r.body)
	require.Equal(t, fragmentType, r.header.Get("Content-Type"))
	require.Regexp(t, `^"[A-Za-z0-9_-]{16}"$`, r.header.Get("ETag"))
	require.NotEqual(t, p.etag, r.header.Get("ETag"))
	// the tag of the old generation is stale now
	require.Equal(t, http.StatusPreconditionFailed, p.f.patch(p.loc, p.etag, frag).status)
	p.etag = r.header.Get("ETag")

	got, err := parseFragment(r.body)
	require.NoError(t, err)
	creds, err := got.credentials()
	require.NoError(t, err)
	old := p.pc.CurrentRemoteDescription().SDP
	require.NotContains(t, old, creds.ufrag)
	require.Contains(t, old, "a=ice-options:"+got.options+"\r\n", "RFC 9725 4.3.3: the same as in the answer")
	require.NotEmpty(t, got.candidates())
	require.Equal(t, "0", got.media[0].mid)
	require.True(t, got.media[0].end)
	require.True(t, strings.HasPrefix(got.media[0].line, "video 9 UDP/TLS/RTP/SAVPF "))

	var lines []string
	for _, l := range strings.SplitAfter(without(old, "a=candidate", "a=end-of"), "\n") {
		switch {
		case strings.HasPrefix(l, "a=ice-ufrag"):
			l = "a=ice-ufrag:" + creds.ufrag + "\r\n"
		case strings.HasPrefix(l, "a=ice-pwd"):
			l = "a=ice-pwd:" + creds.pwd + "\r\n"
		}
		lines = append(lines, l)
	}
	answer := strings.Join(lines, "")
	for _, c := range got.candidates() {
		answer += "a=" + c + "\r\n"
	}
	require.NoError(t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	return got
}
