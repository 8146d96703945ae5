package signaling

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"whipsaw/signaling/client"
)

// A real publisher's packets reach the stream, and the stream's wishes the publisher.
func TestPublish(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	s := f.publish("live")
	f.sending(s)
	f.eventually("video and audio arrive", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Packets > 100 && st.Audio.Packets > 50
	})
	st := f.status("live")
	require.Zero(t, st.Video.Garbage)
	require.Zero(t, st.Video.Lost)
	require.Equal(t, 2, st.Audio.Channels)
	require.Equal(t, 1, f.server.Sessions())
	require.NotNil(t, st.Publisher)
	require.NotEmpty(t, st.Publisher.Session)
	require.Equal(t, "whipsaw", st.Publisher.UserAgent)
	f.noSecrets(s.URL())
}

// A publisher of one kind alone is fine.
func TestPublishOneTrack(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	for name, change := range map[string]func(*client.Options){
		"video": func(o *client.Options) { o.Audio = nil },
		"audio": func(o *client.Options) { o.Video = nil; o.Audio.Mono = true },
	} {
		s := f.publish(name, change)
		if name == "video" {
			require.NoError(t, s.WriteVideo([][]byte{sps, pps, idr}, 0))
			f.eventually("video arrives", func() bool { st := f.status(name); return st.Video != nil && st.Video.Packets == 5 })
			require.Nil(t, f.status(name).Audio)
			require.ErrorIs(t, s.WriteAudio(opus, 0), client.ErrOptions)
			continue
		}
		require.NoError(t, s.WriteAudio(opus, 0))
		f.eventually("audio arrives", func() bool { st := f.status(name); return st.Audio != nil && st.Audio.Packets == 1 })
		require.Equal(t, 1, f.status(name).Audio.Channels)
	}
}

// RFC 4585 6.2.1: what was lost is asked for by NACK and comes back, by retransmission stream or as it was; audio too.
func TestLostPacketsComeBack(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	lossy := &lossy{every: 11}
	s := f.publish("live", func(o *client.Options) { o.Interceptors = []interceptor.Factory{lossy} })
	f.sending(s)
	f.eventually("packets were lost and came back", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Recovered > 20 && st.Audio.Recovered > 3 && st.Video.NACKs > 0
	})
	require.NotZero(t, lossy.dropped())
}

// lossy drops every nth packet of each stream, once: the retransmission goes through.
type lossy struct {
	interceptor.NoOp
	every uint16
	mu    sync.Mutex
	lost  int
}

func (l *lossy) NewInterceptor(string) (interceptor.Interceptor, error) { return l, nil }

func (l *lossy) dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func (l *lossy) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	seen := map[uint16]bool{}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		l.mu.Lock()
		first := !seen[h.SequenceNumber]
		seen[h.SequenceNumber] = true
		drop := h.SequenceNumber%l.every == 0 && first
		if drop {
			l.lost++
		}
		l.mu.Unlock()
		if drop {
			return len(payload), nil
		}
		return w.Write(h, payload, a)
	})
}

// A keyframe is asked for, so that the stream begins: by PLI, which the publisher hands to its encoder.
func TestKeyframeRequest(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	s := f.publish("live")
	go func() { // pictures that nothing can be begun with
		for n := 0; s.WriteVideo([][]byte{slice}, time.Duration(n)*20*time.Millisecond) == nil; n++ {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-s.Done():
				return
			}
		}
	}()
	waitDone(t, s.Keyframes(), 10*time.Second)
	f.eventually("it is counted", func() bool { return f.status("live").Video.PLIs > 0 })
}

// RFC 3550 6.4: receiver reports come back, and transport-wide feedback to those who offered it.
func TestReceiverFeedback(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	p := newRaw(f) // offers transport-cc
	p.post(p.offer(nil))
	p.wait()
	p.sending()
	seen := map[string]bool{}
	sender := p.pc.GetSenders()[0]
	require.NoError(t, sender.SetReadDeadline(time.Now().Add(10*time.Second)))
	for !seen["rr"] || !seen["twcc"] {
		packets, _, err := sender.ReadRTCP()
		require.NoError(t, err, "saw only %v", seen)
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.ReceiverReport:
				seen["rr"] = true
			case *rtcp.TransportLayerCC:
				seen["twcc"] = true
			}
		}
	}
}

// Sources that were declared nowhere are told apart by payload type.
func TestUndeclaredSources(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) {
		o.HTTPClient = &http.Client{Transport: rewriting(func(sdp string) string { return without(sdp, "a=ssrc", "a=msid", "a=extmap") })}
	})
	f.sending(s)
	f.eventually("both arrive", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Packets > 30 && st.Audio.Packets > 10
	})
}

// Publishers with a fixed DTLS role, as FFmpeg.
func TestFixedRoles(t *testing.T) {
	for _, role := range []string{"passive", "active"} {
		t.Run(role, func(t *testing.T) {
			f := serve(t, Config{})
			set := func(sdp string) string { return strings.ReplaceAll(sdp, "a=setup:actpass", "a=setup:"+role) }
			f.publish("live", func(o *client.Options) {
				o.HTTPClient = &http.Client{Transport: rewriting(set)}
			})
		})
	}
}

// rewriting is a transport that changes offers on their way.
type rewriting func(string) string

func (f rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		var b strings.Builder
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				break
			}
		}
		next, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), strings.NewReader(f(b.String())))
		if err != nil {
			return nil, err
		}
		next.Header = r.Header
		r = next
	}
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}
