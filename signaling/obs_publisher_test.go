package signaling

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"
)

// obs publishes as OBS Studio does, through libdatachannel: it offers no candidates and trickles none, sends each NAL unit
// in packets of its own, as soon as its encoder has it, whether there is a connection or not, never gives a keyframe when
// asked, and reports the wall clock of each track once a second.
type obs struct {
	f        *fixture
	pc       *webrtc.PeerConnection
	video    *obsTrack
	audio    *obsTrack
	open     atomic.Bool // connected: what is sent before is lost
	lost     atomic.Int64
	location string
}

const (
	obsRate = 60  // pictures a second
	obsGOP  = 250 // pictures from one IDR to the next: the encoders' default
	// obsFragment is the largest payload of a packet.
	obsFragment = 1200
	// obsDelay is how much longer the network takes for sound than for pictures.
	obsDelay = 100 * time.Millisecond
)

// obsTrack is one RTP stream. Its times and numbers begin anywhere.
type obsTrack struct {
	*webrtc.TrackLocalStaticRTP
	ssrc     webrtc.SSRC
	sequence uint16
	zero     uint32
	rate     time.Duration // of its RTP clock
	reported time.Time
}

func newOBS(f *fixture) *obs {
	f.t.Helper()
	m := &webrtc.MediaEngine{}
	require.NoError(f.t, m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1",
	}}, webrtc.RTPCodecTypeAudio))
	require.NoError(f.t, m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "goog-remb"}},
	}}, webrtc.RTPCodecTypeVideo))
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(4096))
	require.NoError(f.t, err)
	r := &interceptor.Registry{}
	r.Add(responder)
	e := webrtc.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = pc.GracefulClose() })
	o := &obs{f: f, pc: pc}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		o.open.Store(s == webrtc.PeerConnectionStateConnected)
	})
	o.audio = o.track("audio", webrtc.MimeTypeOpus, 48000)
	o.video = o.track("video", webrtc.MimeTypeH264, 90000)
	return o
}

func (o *obs) track(name, mime string, rate time.Duration) *obsTrack {
	t := o.f.t
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, name, "obs")
	require.NoError(t, err)
	tr, err := o.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	require.NoError(t, err)
	return &obsTrack{
		TrackLocalStaticRTP: track, ssrc: tr.Sender().GetParameters().Encodings[0].SSRC, rate: rate,
		sequence: uint16(rand.Uint32()), zero: rand.Uint32(),
	}
}

// connect publishes: what OBS once offered, with the credentials and sources of this connection.
func (o *obs) connect(path string) {
	t := o.f.t
	t.Helper()
	d, err := o.pc.CreateOffer(nil)
	require.NoError(t, err)
	require.NoError(t, o.pc.SetLocalDescription(d))
	offer := recorded(t, "obs.sdp")
	for _, a := range []string{"a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:"} {
		own := strings.SplitAfter(with(d.SDP, a), "\n")[0]
		for old := range strings.Lines(with(offer, a)) {
			offer = strings.ReplaceAll(offer, old, own)
		}
	}
	offer = strings.ReplaceAll(offer, "1677787605", strconv.Itoa(int(o.audio.ssrc)))
	offer = strings.ReplaceAll(offer, "1677787606", strconv.Itoa(int(o.video.ssrc)))
	require.NotContains(t, offer, "a=candidate")
	r := o.f.post(path, offer, "User-Agent", "OBS-Studio/32.2.0")
	require.Equal(t, 201, r.status, r.body)
	o.location = r.header.Get("Location")
	require.NoError(t, o.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: r.body}))
}

// stream encodes and sends until the context ends: pictures at their rate, sounds of 20 ms, in the order of their times.
func (o *obs) stream(ctx context.Context) {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for picture, sound, late := 0, 0, 0; ; {
		pictureDue, soundDue := time.Duration(picture)*time.Second/obsRate, time.Duration(sound)*20*time.Millisecond
		lateDue := time.Duration(late)*20*time.Millisecond + obsDelay
		timer.Reset(time.Until(start.Add(min(pictureDue, soundDue, lateDue))))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		switch {
		case lateDue <= min(pictureDue, soundDue): // the sound arrives, which was sent when it was due
			o.audio.send(o, lateDue-obsDelay, append([]byte{0xfc}, numbered(late)...))
			late++
		case soundDue <= pictureDue:
			o.report(o.audio, soundDue)
			sound++
		default:
			o.report(o.video, pictureDue)
			o.picture(picture, pictureDue)
			picture++
		}
	}
}

// picture sends the NAL units of one picture. A keyframe has two slices.
func (o *obs) picture(n int, at time.Duration) {
	delimiter, information := []byte{0x09, 0xf0}, append([]byte{0x06, 0x05, 0x04}, 1, 2, 3, 4, 0x80)
	if n%obsGOP != 0 {
		o.video.send(o, at, delimiter, append(bytes.Clone(slice), numbered(n)...))
		return
	}
	second := append([]byte{0x65, 0x00, 0x38, 0x48, 0x88, 0x7f}, filled(2000)...) // begins with macroblock 1800, half-way
	o.video.send(o, at, delimiter, sps, pps, information, append(bytes.Clone(idr), numbered(n)...), append(second, numbered(n)...))
}

// numbered are bytes that tell a number, and no start code.
func numbered(n int) []byte {
	out := []byte{0xee}
	for shift := 28; shift >= 0; shift -= 4 {
		out = append(out, 0x10|byte(n>>shift&0xf))
	}
	return out
}

// number finds what numbered wrote at the end of b.
func number(t *testing.T, b []byte) int {
	t.Helper()
	require.GreaterOrEqual(t, len(b), 9)
	b = b[len(b)-9:]
	require.Equal(t, byte(0xee), b[0])
	n := 0
	for _, c := range b[1:] {
		require.Equal(t, byte(0x10), c&0xf0)
		n = n<<4 | int(c&0xf)
	}
	return n
}

// send sends units of one time, each in packets of its own; the last one is marked.
func (t *obsTrack) send(o *obs, at time.Duration, units ...[]byte) {
	var payloads [][]byte
	for _, u := range units {
		payloads = append(payloads, fragments(u)...)
	}
	for i, p := range payloads {
		h := rtp.Header{Version: 2, SequenceNumber: t.sequence, Timestamp: t.timestamp(at), Marker: i == len(payloads)-1 && t == o.video}
		t.sequence++
		if !o.open.Load() {
			o.lost.Add(1)
			continue
		}
		_ = t.WriteRTP(&rtp.Packet{Header: h, Payload: p}) // the end of the connection is seen elsewhere
	}
}

func (t *obsTrack) timestamp(at time.Duration) uint32 { return t.zero + uint32(at*t.rate/time.Second) }

// fragments are the payloads that carry a NAL unit: itself, or FU-A (RFC 6184 5.8).
func fragments(unit []byte) (out [][]byte) {
	if len(unit) <= obsFragment {
		return [][]byte{unit}
	}
	indicator, kind, rest := unit[0]&0xe0|28, unit[0]&0x1f, unit[1:]
	for first := true; len(rest) > 0; first = false {
		part := rest[:min(len(rest), obsFragment-2)]
		rest = rest[len(part):]
		header := kind
		if first {
			header |= 0x80
		}
		if len(rest) == 0 {
			header |= 0x40
		}
		out = append(out, append([]byte{indicator, header}, part...))
	}
	return out
}

// report tells what the wall clock shows, at most once a second.
func (o *obs) report(t *obsTrack, at time.Duration) {
	now := time.Now()
	if now.Sub(t.reported) < time.Second || !o.open.Load() {
		return
	}
	t.reported = now
	_ = o.pc.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: uint32(t.ssrc), NTPTime: ntp(now), RTPTime: t.timestamp(at)}})
}

// ntp is a time in the form of RFC 3550 4: seconds since 1900, with 32 bits of fraction.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	var b [8]byte
	binary.BigEndian.PutUint32(b[:4], uint32(t.Unix()+since1900))
	binary.BigEndian.PutUint32(b[4:], uint32(uint64(t.Nanosecond())<<32/uint64(time.Second)))
	return binary.BigEndian.Uint64(b[:])
}
