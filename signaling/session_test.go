package signaling

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// ended waits until a publisher of the stream has ended and returns why.
func (f *fixture) ended(stream string) segmenter.Reason {
	f.t.Helper()
	f.eventually("the publisher ends", func() bool { return f.status(stream).LastEnd != nil })
	return f.status(stream).LastEnd.Reason
}

func waitDone(t *testing.T, done <-chan struct{}, within time.Duration) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(within):
		t.Fatal("not over in time")
	}
}

// noSecrets looks for the secret of a session URL where it must not be.
func (f *fixture) noSecrets(url string) {
	f.t.Helper()
	secret := url[strings.LastIndexByte(url, '/')+1:]
	require.Len(f.t, secret, 27)
	require.NotContains(f.t, f.logs.String(), secret)
	for _, s := range f.reg.Streams() {
		if p := s.Status().Publisher; p != nil {
			require.NotContains(f.t, p.Session, secret)
		}
	}
}

// RFC 9725 4.2: DELETE is answered with exactly 200, ends the peer connection, and is good for once more.
func TestRFC9725_4_2_Delete(t *testing.T) {
	f := serve(t, Config{})
	s := f.publish("live")
	path := s.URL()[len(f.http.URL):]
	r := f.do("DELETE", path, "", "If-Match", `"nonsense"`)
	require.Equal(t, http.StatusOK, r.status)
	require.Empty(t, r.body)
	waitDone(t, s.Done(), 2*time.Second)
	require.ErrorIs(t, s.Err(), client.ErrPeerClosed, "it saw close_notify")
	require.Equal(t, segmenter.ReasonDeleted, f.ended("live"))
	require.Zero(t, f.server.Sessions())
	require.Equal(t, http.StatusOK, f.do("DELETE", path, "").status, "tombstone")
	require.Equal(t, http.StatusNotFound, f.do("GET", path, "").status)
	require.Equal(t, http.StatusNotFound, f.patch(path, "*", "m=audio 9 RTP/AVP 0\r\n").status)
	require.NoError(t, s.Close(context.Background()))
}

// A publisher that closes its side is gone at once, long before ICE would notice. Its DELETE afterwards is still a 200.
func TestCloseNotifyEndsTheSession(t *testing.T) {
	f := serve(t, Config{})
	p := newRaw(f)
	p.post(p.offer(nil))
	p.wait()
	start := time.Now()
	require.NoError(t, p.pc.Close())
	require.Equal(t, segmenter.ReasonPeerClosed, f.ended("live"))
	f.eventually("the session is gone", func() bool { return f.server.Sessions() == 0 })
	require.Less(t, time.Since(start), 2*time.Second)
	require.Equal(t, http.StatusOK, f.do("DELETE", p.loc, "").status)
}

// A session that is ended while DTLS is being set up lets the handshake end: only then there is a close_notify.
func TestDeleteDuringHandshake(t *testing.T) {
	f := serve(t, Config{})
	begin := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		s, err := f.tryPublish("live", func(o *client.Options) {
			o.Configure = func(e *webrtc.SettingEngine) {
				e.SetDTLSConnectContextMaker(func() (context.Context, func()) {
					<-begin
					return context.WithCancel(context.Background())
				})
			}
		})
		if err == nil {
			<-s.Done()
			err = s.Err()
			_ = s.Close(context.Background())
		}
		result <- err
	}()
	f.eventually("ICE is up", func() bool {
		return f.server.Sessions() == 1 && f.only().peer.pc.ICEConnectionState() == webrtc.ICEConnectionStateConnected
	})
	f.only().pub.Close(segmenter.ReasonKicked)
	require.Equal(t, segmenter.ReasonKicked, f.ended("live"))
	close(begin)
	select {
	case err := <-result:
		require.ErrorIs(t, err, client.ErrPeerClosed)
	case <-time.After(3 * time.Second):
		t.Fatal("the publisher was not told")
	}
}

// A publisher that was replaced sees close_notify; the stream goes on with the other.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	first := f.publish("live")
	f.sending(first)
	f.eventually("the first sends", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 50 })
	second := f.publish("live")
	waitDone(t, first.Done(), 2*time.Second)
	require.ErrorIs(t, first.Err(), client.ErrPeerClosed)
	require.Equal(t, segmenter.ReasonReplaced, f.ended("live"))
	f.sending(second)
	f.eventually("the second sends", func() bool { st := f.status("live"); return st.Publisher != nil && st.Video.Packets > 50 })
	f.eventually("one session", func() bool { return f.server.Sessions() == 1 })

	// a healthy one is not replaced again so soon
	_, err := f.tryPublish("live")
	var refused *client.ResponseError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusConflict, refused.Status)
	require.Equal(t, problemPrefix+"busy", refused.Type)
	require.Equal(t, 1, f.server.Sessions())
}

// An offer that cannot be answered replaces nobody.
func TestBadOfferReplacesNobody(t *testing.T) {
	f := serve(t, Config{})
	s := f.publish("live")
	require.Equal(t, http.StatusUnprocessableEntity, f.post("/whip/live", recorded(t, "chromium-av1.sdp")).status)
	select {
	case <-s.Done():
		t.Fatal("replaced")
	default:
	}
	require.Nil(t, f.status("live").LastEnd)
}

// A session that never connects is ended, with a reason, and frees its place.
func TestNeverConnected(t *testing.T) {
	f := serve(t, Config{ConnectTimeout: 200 * time.Millisecond})
	r := f.post("/whip/live", recorded(t, "obs.sdp"))
	require.Equal(t, http.StatusCreated, r.status)
	require.Equal(t, segmenter.ReasonNotConnected, f.ended("live"))
	f.eventually("the session is gone", func() bool { return f.server.Sessions() == 0 })
	require.Equal(t, http.StatusOK, f.do("DELETE", r.header.Get("Location"), "").status)
}

// A publisher with another certificate than it announced does not get in.
func TestWrongFingerprint(t *testing.T) {
	f := serve(t, Config{ConnectTimeout: 5 * time.Second})
	p := newRaw(f)
	offer := p.offer(nil)
	p.post(without(offer, "a=fingerprint") + with(plain, "a=fingerprint"))
	require.Equal(t, segmenter.ReasonNotConnected, f.ended("live"))
}

// The server's end is seen by the publishers, and Close returns when all is over.
func TestCloseEndsSessions(t *testing.T) {
	f := serve(t, Config{})
	a, b := f.publish("a"), f.publish("b")
	require.Equal(t, http.StatusCreated, f.post("/whip/half", plain).status)
	var peers []*peer
	f.server.mu.Lock()
	for _, n := range f.server.sessions {
		peers = append(peers, n.peer)
	}
	f.server.mu.Unlock()
	require.Len(t, peers, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, f.server.Close(ctx))
	require.Zero(t, f.server.Sessions())
	for _, p := range peers {
		require.Equal(t, webrtc.PeerConnectionStateClosed, p.pc.ConnectionState(), "all is over when Close returns")
	}
	for _, s := range []*client.Session{a, b} {
		waitDone(t, s.Done(), time.Second)
		require.ErrorIs(t, s.Err(), client.ErrPeerClosed)
	}
	require.Equal(t, segmenter.ReasonShutdown, f.ended("a"))
}

// Close gives up when its context ends, and says so.
func TestCloseBounded(t *testing.T) {
	f := serve(t, Config{})
	require.Nil(t, f.server.reserve(prefix("192.0.2.1/32")), "a POST on its way")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, f.server.Close(ctx), context.Canceled)
	f.server.release(prefix("192.0.2.1/32"))
}

// After Close nothing runs any more, whatever state the sessions were in.
func TestNoLeaks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	before := runtime.NumGoroutine()
	t.Run("sessions", func(t *testing.T) {
		f := serve(t, Config{})
		for _, name := range []string{"connected", "deleted", "closed"} {
			s := f.publish(name)
			f.sending(s)
			f.eventually("media", func() bool { st := f.status(name); return st.Video != nil && st.Video.Packets > 3 })
			if name == "deleted" {
				require.NoError(t, s.Close(context.Background()))
			}
		}
		for _, name := range []string{"ffmpeg9.sdp", "chromium.sdp", "obs.sdp"} { // never connected
			require.Equal(t, http.StatusCreated, f.post("/whip/"+name, recorded(t, name)).status)
		}
		require.Equal(t, http.StatusUnprocessableEntity, f.post("/whip/bad", recorded(t, "wrtc.sdp")).status)
		require.Greater(t, runtime.NumGoroutine(), before+20)
	})
}

// The media port is one for all, and closed with the server.
func TestMediaAddresses(t *testing.T) {
	f := serve(t, Config{})
	require.Len(t, f.server.MediaAddresses(), 1)
	addr := f.server.MediaAddresses()[0].String()
	require.NoError(t, f.server.Close(context.Background()))
	c, err := net.ListenPacket("udp", addr)
	require.NoError(t, err)
	require.NoError(t, c.Close())
}
