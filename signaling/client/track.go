package client

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Payload types of the offer.
const (
	payloadVideo    = 96
	payloadVideoRTX = 97
	payloadAudio    = 111
)

// retransmitBuffer is how many packets of a track are kept for NACK: about two seconds of 10 Mbit/s.
const retransmitBuffer = 2048

// track is one outgoing RTP stream.
type track struct {
	local  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	ssrc   uint32
	clock  uint32

	mu       sync.Mutex
	sequence uint16
	base     uint32 // timestamp of media time 0 (RFC 3550 5.1: random)
	packets  uint32
	octets   uint32
	last     uint32    // timestamp of the last packet
	lastAt   time.Time // what it stands for; zero before the first
}

// cname is the same for both tracks: they share one clock (RFC 7022).
var cname = hex.EncodeToString(random(8))

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// connection makes the peer connection with exactly what is offered.
func connection(o Options) (*webrtc.PeerConnection, error) {
	m := &webrtc.MediaEngine{}
	if err := register(m, o); err != nil {
		return nil, fmt.Errorf("whip: register codecs: %w", err)
	}
	r := &interceptor.Registry{}
	for _, f := range o.Interceptors {
		r.Add(f)
	}
	responder, err := nack.NewResponderInterceptor(nack.ResponderSize(retransmitBuffer))
	if err != nil {
		return nil, fmt.Errorf("whip: retransmission: %w", err)
	}
	r.Add(responder)
	e := webrtc.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true) // a server on the same machine is reached without any network
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	e.SetICETimeouts(5*time.Second, 10*time.Second, 2*time.Second)
	if o.Configure != nil {
		o.Configure(&e)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(e))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return nil, fmt.Errorf("whip: peer connection: %w", err)
	}
	return pc, nil
}

func register(m *webrtc.MediaEngine, o Options) error {
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}}
	if o.Video != nil {
		video := webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: o.Video.fmtp(),
			RTCPFeedback: append(feedback, webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}, webrtc.RTCPFeedback{Type: "ccm", Parameter: "fir"}),
		}
		rtx := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", payloadVideo)}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: video, PayloadType: payloadVideo}, webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: rtx, PayloadType: payloadVideoRTX}, webrtc.RTPCodecTypeVideo); err != nil {
			return err
		}
	}
	if o.Audio == nil {
		return nil
	}
	fmtp := "minptime=10;stereo=1;sprop-stereo=1;useinbandfec=1"
	if o.Audio.Mono {
		fmtp = "minptime=10;sprop-stereo=0;useinbandfec=1"
	}
	audio := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: fmtp, RTCPFeedback: feedback}
	return m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: audio, PayloadType: payloadAudio}, webrtc.RTPCodecTypeAudio)
}

// fmtp describes the stream as RFC 6184 8.1 has it.
func (v *VideoOptions) fmtp() string {
	profile := "42e01f"
	if len(v.SPS) > 0 && len(v.SPS[0]) >= 4 {
		profile = hex.EncodeToString(v.SPS[0][1:4]) // RFC 6184 8.1: the three bytes after the NAL header
	}
	out := "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=" + profile
	var sets []string
	for _, list := range [][][]byte{v.SPS, v.PPS} {
		for _, n := range list {
			sets = append(sets, base64.StdEncoding.EncodeToString(n))
		}
	}
	if len(sets) > 0 {
		out += ";sprop-parameter-sets=" + strings.Join(sets, ",")
	}
	return out
}

func newTrack(pc *webrtc.PeerConnection, mime string, clock uint32) (*track, error) {
	kind, _, _ := strings.Cut(mime, "/")
	local, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock}, kind, "whipsaw")
	if err != nil {
		return nil, fmt.Errorf("whip: %s track: %w", kind, err)
	}
	tr, err := pc.AddTransceiverFromTrack(local, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, fmt.Errorf("whip: %s track: %w", kind, err)
	}
	seed := random(6)
	return &track{
		local: local, sender: tr.Sender(), ssrc: uint32(tr.Sender().GetParameters().Encodings[0].SSRC), clock: clock,
		sequence: binary.BigEndian.Uint16(seed), base: binary.BigEndian.Uint32(seed[2:]),
	}, nil
}

// timestamp is the RTP timestamp of a media time, rounded to the nearest tick.
func (t *track) timestamp(pts time.Duration) uint32 {
	ticks := (pts.Nanoseconds()/1000*int64(t.clock) + pts.Nanoseconds()%1000*int64(t.clock)/1000 + 500000) / 1000000
	return t.base + uint32(ticks)
}

// write sends one packet and remembers it for the next sender report.
func (t *track) write(s *Session, p *rtp.Packet, at time.Time) error {
	if t == nil {
		return fmt.Errorf("%w: the track was not offered", ErrOptions)
	}
	if err := s.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	t.packets++
	t.octets += uint32(len(p.Payload))
	t.last, t.lastAt = p.Timestamp, at
	t.mu.Unlock()
	if err := t.local.WriteRTP(p); err != nil {
		return fmt.Errorf("whip: send: %w", err)
	}
	return nil
}

// report adds a sender report and the CNAME to out. The RTP timestamp is that of the NTP time in it, reckoned from the
// last packet, so that both tracks' reports agree to a tick.
func (t *track) report(out []rtcp.Packet, now time.Time) []rtcp.Packet {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lastAt.IsZero() {
		return out
	}
	now = now.Round(0) // wall clock: differences are those that NTP shows
	elapsed := now.Sub(t.lastAt.Round(0))
	rtpTime := t.last + uint32(int64(elapsed)*int64(t.clock)/int64(time.Second))
	return append(out,
		&rtcp.SenderReport{SSRC: t.ssrc, NTPTime: ntp(now), RTPTime: rtpTime, PacketCount: t.packets, OctetCount: t.octets},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
			Source: t.ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: cname}},
		}}},
	)
}

// ntp is the 64-bit timestamp of RFC 5905 6: seconds since 1900 and a binary fraction.
func ntp(at time.Time) uint64 {
	const since1900 = 2208988800
	ns := uint64(at.Nanosecond())
	return uint64(at.Unix()+since1900)<<32 | ns<<32/1e9
}
