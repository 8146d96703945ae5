package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// RFC 9725 4.2: one POST of SDP with the token, and one DELETE at the end.
func TestPublishAndClose(t *testing.T) {
	e := newEndpoint(t)
	o := e.options()
	o.Token = "secret"
	s := e.publish(o)
	post := e.request(0)
	require.Equal(t, "POST", post.Method)
	require.Equal(t, "application/sdp", post.Header.Get("Content-Type"))
	require.Equal(t, "Bearer secret", post.Header.Get("Authorization"))
	require.Equal(t, "whipsaw", post.Header.Get("User-Agent"))
	require.Equal(t, e.http.URL+"/sessions/1", s.URL())
	require.Equal(t, `"tag"`, s.ETag())
	require.NoError(t, s.Err())
	require.NoError(t, s.Close(context.Background()))
	require.NoError(t, s.Close(context.Background()))
	del := e.request(1)
	require.Equal(t, "DELETE", del.Method)
	require.Equal(t, "/sessions/1", del.URL.Path)
	require.Equal(t, "Bearer secret", del.Header.Get("Authorization"))
	require.ErrorIs(t, s.Err(), ErrClosed)
	<-s.Done()
	require.ErrorIs(t, s.WriteVideo([][]byte{{0x65}}, 0), ErrClosed)
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Len(t, e.requests, 2, "one DELETE only")
}

// What the offer says (RFC 9725 4.4, RFC 6184, RFC 7587).
func TestOffer(t *testing.T) {
	e := newEndpoint(t)
	o := e.options()
	o.Video = &VideoOptions{SPS: [][]byte{{0x67, 0x64, 0x00, 0x28, 0xac}}, PPS: [][]byte{{0x68, 0xee, 0x3c}}}
	e.publish(o)
	for _, want := range []string{
		"a=group:BUNDLE 0 1", "a=rtcp-mux", "a=sendonly", "a=setup:actpass", "a=candidate:", "a=end-of-candidates",
		"a=rtpmap:96 H264/90000", "packetization-mode=1;profile-level-id=640028;sprop-parameter-sets=Z2QAKKw=,aO48",
		"a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir", "a=rtcp-fb:111 nack",
		"a=rtpmap:111 opus/48000/2", "stereo=1;sprop-stereo=1;useinbandfec=1",
	} {
		require.Contains(t, e.offer, want)
	}
	require.NotContains(t, e.offer, "VP8")
	require.NotContains(t, e.offer, "a=recvonly")
	require.NotContains(t, e.offer, "a=sendrecv")
	require.Contains(t, (&VideoOptions{}).fmtp(), "profile-level-id=42e01f")
}

// NAL units and Opus packets come out as they went in, in order.
func TestMediaArrivesWhole(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	small, large := []byte{0x67, 1, 2, 3}, append([]byte{0x65}, make([]byte, 5000)...)
	for i := range large[1:] {
		large[i+1] = byte(i)
	}
	for i := range 3 {
		pts := time.Duration(i) * 40 * time.Millisecond
		require.NoError(t, s.WriteVideo([][]byte{small, nil, large}, pts))
		require.NoError(t, s.WriteAudio([]byte{0xfc, byte(i)}, pts))
	}
	eventually(t, "all arrives", func() bool {
		v, _ := e.got("video")
		a, _ := e.got("audio")
		return len(v) == 18 && len(a) == 3
	})
	video, _ := e.got("video")
	for i := range 3 {
		unit := video[6*i : 6*i+6]
		require.Equal(t, small, unit[0].Payload)
		whole := []byte{unit[1].Payload[0]&0xe0 | unit[1].Payload[1]&0x1f}
		for j, p := range unit[1:] {
			require.LessOrEqual(t, len(p.Payload), maxPayload)
			require.EqualValues(t, 28, p.Payload[0]&0x1f)
			require.Equal(t, j == 0, p.Payload[1]&0x80 != 0, "S bit")
			require.Equal(t, j == 4, p.Payload[1]&0x40 != 0, "E bit")
			whole = append(whole, p.Payload[2:]...)
		}
		require.Equal(t, large, whole)
		for j, p := range unit {
			require.Equal(t, j == 5, p.Marker)
			require.Equal(t, video[0].Timestamp+uint32(i)*3600, p.Timestamp)
			require.Equal(t, video[0].SequenceNumber+uint16(6*i+j), p.SequenceNumber)
			require.EqualValues(t, payloadVideo, p.PayloadType)
		}
	}
	audio, _ := e.got("audio")
	require.Equal(t, []byte{0xfc, 2}, audio[2].Payload)
	require.Equal(t, audio[0].Timestamp+2*1920, audio[2].Timestamp)
	require.NoError(t, s.WriteVideo(nil, time.Second), "nothing to send")
}

// RFC 3550 6.4.1: the two tracks' sender reports place a media time at the same wall clock time.
func TestSenderReportsAlign(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	// pictures come late and in bursts: the reports must not follow that
	const videoAhead = 300 * time.Millisecond
	for i := range 20 {
		require.NoError(t, s.WriteAudio([]byte{0xfc, 0}, time.Duration(i)*20*time.Millisecond))
	}
	require.NoError(t, s.WriteVideo([][]byte{{0x65, 1}}, videoAhead))
	eventually(t, "reports of both", func() bool {
		_, v := e.got("video")
		_, a := e.got("audio")
		return len(v) > 0 && len(a) > 0
	})
	video, vr := e.got("video")
	audio, ar := e.got("audio")
	zero := func(sr *rtcp.SenderReport, base, clock uint32) float64 { // wall clock second of media time 0
		return float64(sr.NTPTime)/(1<<32) - float64(int32(sr.RTPTime-base))/float64(clock)
	}
	v := zero(vr[0], video[0].Timestamp-uint32(videoAhead.Seconds()*90000), 90000)
	a := zero(ar[0], audio[0].Timestamp, 48000)
	require.InDelta(t, v, a, 0.001)
	require.InDelta(t, float64(time.Now().Unix()+2208988800), v, 30)
	require.EqualValues(t, 1, vr[0].PacketCount)
	require.EqualValues(t, 2, vr[0].OctetCount)
}

// Packets may be written as they are, with what they stand for.
func TestRawPackets(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	p := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: 65535, Timestamp: 77, Marker: true}, Payload: []byte{0x41, 9}}
	require.NoError(t, s.WriteVideoRTP(p, time.Now()))
	p.Payload = []byte{0xfc}
	require.NoError(t, s.WriteAudioRTP(p, time.Now()))
	eventually(t, "both arrive", func() bool {
		v, _ := e.got("video")
		a, _ := e.got("audio")
		return len(v) == 1 && len(a) == 1
	})
	v, _ := e.got("video")
	require.EqualValues(t, 65535, v[0].SequenceNumber)
	require.EqualValues(t, 77, v[0].Timestamp)
	require.True(t, v[0].Marker)
}

// PLI and FIR reach the encoder, also several as one.
func TestKeyframes(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	require.NoError(t, s.WriteVideo([][]byte{{0x65, 1}}, 0))
	eventually(t, "the track is known", func() bool { v, _ := e.got("video"); return len(v) == 1 })
	ssrc := e.ssrcs["video"]
	for _, p := range []rtcp.Packet{
		&rtcp.PictureLossIndication{MediaSSRC: ssrc},
		&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: 1}}},
	} {
		require.NoError(t, e.pc.WriteRTCP([]rtcp.Packet{p}))
		select {
		case <-s.Keyframes():
		case <-time.After(5 * time.Second):
			t.Fatalf("%T was not told", p)
		}
	}
}

// RFC 4585: what the server misses is sent again.
func TestRetransmission(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	require.NoError(t, s.WriteVideo([][]byte{{0x65, 1}}, 0))
	require.NoError(t, s.WriteAudio([]byte{0xfc, 1}, 0))
	eventually(t, "both arrive", func() bool {
		v, _ := e.got("video")
		a, _ := e.got("audio")
		return len(v) == 1 && len(a) == 1
	})
	for _, kind := range []string{"video", "audio"} {
		p, _ := e.got(kind)
		nack := &rtcp.TransportLayerNack{MediaSSRC: p[0].SSRC, Nacks: []rtcp.NackPair{{PacketID: p[0].SequenceNumber}}}
		require.NoError(t, e.pc.WriteRTCP([]rtcp.Packet{nack}))
		if kind == "audio" { // without a stream of its own the copy is a replay to SRTP: it only must not break anything
			continue
		}
		eventually(t, kind+" comes again", func() bool {
			// the library hands out a retransmission with the next packet
			require.NoError(t, s.WriteVideo([][]byte{{0x41, 2}}, time.Second))
			return e.times(kind, p[0].SequenceNumber) == 2
		})
	}
}

// The server's close_notify is seen at once.
func TestServerCloses(t *testing.T) {
	e := newEndpoint(t)
	s := e.publish(e.options())
	eventually(t, "both sides are up", func() bool { return e.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	require.NoError(t, e.pc.Close())
	select {
	case <-s.Done():
	case <-time.After(3 * time.Second):
		t.Fatal("not noticed")
	}
	require.ErrorIs(t, s.Err(), ErrPeerClosed)
	require.ErrorIs(t, s.WriteAudio([]byte{0xfc}, 0), ErrPeerClosed)
	require.NoError(t, s.Close(context.Background()))
}

// A session that does not connect is deleted, and everything of it ends.
func TestNeverConnects(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("session", func(t *testing.T) {
		e := newEndpoint(t)
		e.answer = func(sdp string) string { // nobody listens there
			var out []string
			for _, l := range strings.SplitAfter(sdp, "\n") {
				if !strings.HasPrefix(l, "a=candidate") && !strings.HasPrefix(l, "a=end-of") {
					out = append(out, strings.Replace(l, "a=ice-pwd:", "a=ice-pwd:wrongwrongwrongwrongwrong", 1))
				}
			}
			return strings.Join(out, "")
		}
		o := e.options()
		o.ConnectTimeout = 200 * time.Millisecond
		_, err := Publish(context.Background(), o)
		require.ErrorIs(t, err, ErrNotConnected)
		require.Equal(t, "DELETE", e.request(1).Method)
	})
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{
		{URL: "http://127.0.0.1/whip/live"},
		{URL: "127.0.0.1/whip/live", Video: &VideoOptions{}},
		{URL: "rtmp://127.0.0.1/whip/live", Video: &VideoOptions{}},
		{URL: "http://", Audio: &AudioOptions{}},
		{URL: "http://%", Audio: &AudioOptions{}},
	} {
		_, err := Publish(context.Background(), o)
		require.ErrorIs(t, err, ErrOptions, o.URL)
	}
	_, err := Publish(context.Background(), Options{URL: "http://127.0.0.1:1/whip/live", Audio: &AudioOptions{}})
	require.Error(t, err)
	require.False(t, errors.Is(err, ErrOptions))
}

func TestCancelledPublish(t *testing.T) {
	e := newEndpoint(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Publish(ctx, e.options())
	require.ErrorIs(t, err, context.Canceled)
}
