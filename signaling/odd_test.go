package signaling

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// odd changes what a publisher sends: the function may write a packet as often and as changed as it likes.
type odd struct {
	interceptor.NoOp
	write func(n int, h *rtp.Header, payload []byte, send func(*rtp.Header, []byte) error) error
}

func (o *odd) NewInterceptor(string) (interceptor.Interceptor, error) { return o, nil }

func (o *odd) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	var mu sync.Mutex
	n := 0
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		mu.Lock()
		n++
		count := n
		mu.Unlock()
		err := o.write(count, h, payload, func(h *rtp.Header, p []byte) error {
			_, err := w.Write(h, p, a)
			return err
		})
		return len(payload), err
	})
}

func (o *odd) use(c *client.Options) { c.Interceptors = []interceptor.Factory{o} }

// Packets of a payload type that was not negotiated, or of the retransmissions' on the stream itself, disturb nothing.
func TestUnknownPayloadTypes(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	var mu sync.Mutex
	sequence := map[uint32]uint16{} // the foreign packets take sequence numbers of their own
	o := &odd{write: func(n int, h *rtp.Header, p []byte, send func(*rtp.Header, []byte) error) error {
		mu.Lock()
		defer mu.Unlock()
		if n%3 == 1 { // the very first, too
			extra := *h
			extra.PayloadType = []uint8{97, 35}[n%2]
			extra.SequenceNumber = sequence[h.SSRC]
			sequence[h.SSRC]++
			if err := send(&extra, []byte{0x5c, 0x41, 1, 2}); err != nil { // as H.264, the end of nothing
				return err
			}
		}
		h.SequenceNumber = sequence[h.SSRC]
		sequence[h.SSRC]++
		return send(h, p)
	}}
	f.sending(f.publish("live", o.use))
	f.eventually("media goes on", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 100 })
	st := f.status("live")
	require.Zero(t, st.Video.Garbage)
	require.Zero(t, st.Video.Jumps)
	require.Zero(t, st.Video.Dropped)
	require.Zero(t, st.Video.Lost)
}

// Firefox sends packets twice while it probes: SRTP takes each once (RFC 3711 3.3.2), nothing else happens.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	o := &odd{write: func(_ int, h *rtp.Header, p []byte, send func(*rtp.Header, []byte) error) error {
		if err := send(h, p); err != nil {
			return err
		}
		return send(h, p)
	}}
	f.sending(f.publish("live", o.use))
	f.eventually("media goes on", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 100 })
	require.Zero(t, f.status("live").Video.Dropped)
	require.Zero(t, f.status("live").Video.Lost)
}

// A packet that many others overtook is still taken: the replay window is wider than the library's own.
func TestLateArrivals(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	var mu sync.Mutex
	var held *rtp.Packet
	o := &odd{write: func(n int, h *rtp.Header, p []byte, send func(*rtp.Header, []byte) error) error {
		if h.PayloadType != 96 {
			return send(h, p)
		}
		mu.Lock()
		defer mu.Unlock()
		if n == 10 {
			held = &rtp.Packet{Header: h.Clone(), Payload: append([]byte(nil), p...)}
			return nil
		}
		if n == 10+replayWindow/2 {
			if err := send(&held.Header, held.Payload); err != nil {
				return err
			}
		}
		return send(h, p)
	}}
	s := f.publish("live", o.use)
	for n := range 800 { // 8 packets of pictures at a time: far from real time, the stream's clock does not matter here
		require.NoError(t, s.WriteVideo([][]byte{slice}, time.Duration(n)*time.Millisecond))
		if n%200 == 199 {
			f.eventually("it is taken", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets >= int64(n) })
		}
	}
	// it has been asked for and repaired meanwhile
	f.eventually("the late one arrives as well", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Video.Late+st.Video.Repeated > 0
	})
}

// A publisher that changes a source it has declared cannot be understood: it is ended for sending nothing usable.
func TestUndeclaredChangeOfSource(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.FirstMedia = 500 * time.Millisecond
	f := serveWith(t, Config{}, streams)
	o := &odd{write: func(_ int, h *rtp.Header, p []byte, send func(*rtp.Header, []byte) error) error {
		h.SSRC ^= 0x5555
		return send(h, p)
	}}
	s := f.publish("live", o.use)
	f.sending(s)
	waitDone(t, s.Done(), 10*time.Second)
	require.ErrorIs(t, s.Err(), client.ErrPeerClosed)
	require.Equal(t, segmenter.ReasonNoMedia, f.ended("live"))
	f.eventually("the session is gone", func() bool { return f.server.Sessions() == 0 })
}

// When the stream ends its publisher, for silence here, the peer connection goes with it.
func TestSilentPublisherIsEnded(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.Silence = 300 * time.Millisecond
	f := serveWith(t, Config{}, streams)
	s := f.publish("live")
	stop := f.sending(s)
	f.eventually("it is live", func() bool { return f.status("live").State == "live" })
	stop()
	waitDone(t, s.Done(), 10*time.Second)
	require.ErrorIs(t, s.Err(), client.ErrPeerClosed)
	require.Equal(t, segmenter.ReasonSilent, f.ended("live"))
}

// RFC 6184 8.1: parameter sets that stand in the offer alone are enough to begin.
func TestParameterSetsFromTheOffer(t *testing.T) {
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) {
		o.Video = &client.VideoOptions{SPS: [][]byte{sps}, PPS: [][]byte{pps}}
		o.Audio = nil
	})
	pts := time.Duration(0)
	f.eventually("it is live", func() bool {
		require.NoError(t, s.WriteVideo([][]byte{idr}, pts))
		pts += 5 * time.Millisecond
		return f.status("live").State == "live"
	})
}

// RFC 3550 6.4.1: sender reports reach the stream, which aligns sound and picture by them.
func TestSenderReports(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	f.sending(f.publish("live"))
	f.eventually("reports of both", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Reports > 0 && st.Audio.Reports > 0
	})
}
