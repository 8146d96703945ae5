package signaling

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v5/packetio"
	"github.com/pion/webrtc/v4"

	"whipsaw/segmenter"
)

// receiveMTU is the largest packet that is taken; what is longer than an Ethernet frame comes through tunnels only.
const receiveMTU = 2048

// replayWindow is how many packets of a source may overtake another before it is dropped as a replay (RFC 3711 3.3.2).
// The library's 64 are less than one keyframe. Duplicates are dropped silently.
const replayWindow = 1024

// factory makes peer connections that share one UDP port and one certificate.
type factory struct {
	sockets   *sockets
	routes    routes
	settings  webrtc.SettingEngine
	log       *libraryLog
	public    []netip.Addr
	reflexive *reflexive // nil: no STUN server is asked
	gather    time.Duration
	certs     certificates
}

func newFactory(c Config, log *libraryLog) (*factory, error) {
	n, err := newMediaNet()
	if err != nil {
		return nil, err
	}
	s, err := openSockets(c, n, log)
	if err != nil {
		return nil, err
	}
	tellBuffers(n.sockets, log.log)
	f := &factory{sockets: s, log: log, public: c.PublicIPs, gather: c.GatherTimeout}
	f.certs.now = time.Now
	f.configure(c)
	if c.STUN != "" {
		f.reflexive = discover(c.STUN, n.sockets, log.log)
	}
	return f, nil
}

// configure fills in the settings that all connections share.
func (f *factory) configure(c Config) {
	e, s, log := &f.settings, f.sockets, f.log
	e.LoggerFactory = log
	e.SetNet(s.net)
	e.SetICEUDPMux(expressMux{s.mux, &f.routes})
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if s.tcp != nil {
		e.SetICETCPMux(s.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(types)
	e.SetInterfaceFilter(usableInterface)
	e.SetIPFilter(usableAddress)
	// RFC 8445 2.5: an agent that everybody reaches may leave the checks to the other side
	e.SetLite(c.Lite)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetIncludeLoopbackCandidate(s.loopback)
	e.SetReceiveMTU(receiveMTU)
	// Otherwise the library looks at the first packet, and forgets the track if that has an unknown payload type.
	e.SetFireOnTrackBeforeFirstRTP(true)
	e.SetSRTPReplayProtectionWindow(replayWindow)
	// The address has been verified by ICE: the cookie exchange of RFC 6347 4.2.1 would only cost a round trip.
	e.SetDTLSInsecureSkipHelloVerify(true)
	// FFmpeg misses the first flight while it is busy with ICE; RFC 6347 4.2.4.1 allows less than its second on fast paths.
	e.SetDTLSRetransmissionInterval(200 * time.Millisecond)
	// A session that does not come up is ended by its own timer, one whose media stops by the stream's: ICE is later.
	e.SetICETimeouts(5*time.Second, max(c.ConnectTimeout, 15*time.Second), 2*time.Second)
}

// outside is how the ports are reached from outside, as far as it is known by now.
func (f *factory) outside() outside {
	return outside{public: f.public, mapped: f.reflexive.addresses(f.gather)}
}

// connection makes a peer connection that can negotiate exactly what the offer was reduced to. Its packets go to buffers.
// None of the library's interceptors is there: feedback is the peer's own (feedback.go, tap.go).
func (f *factory) connection(o *offer, buffers func(packetio.BufferPacketType, uint32) io.ReadWriteCloser, s *secrets) (*webrtc.PeerConnection, error) {
	media, err := mediaEngine(o)
	if err != nil {
		return nil, err
	}
	cert, err := f.certs.get()
	if err != nil {
		return nil, err
	}
	settings := f.settings
	settings.BufferFactory = buffers
	settings.SetDTLSKeyLogWriter(s)
	settings.SetDTLSServerHelloMessageHook(s.hello)
	if o.setup == "actpass" {
		// The publisher opens the handshake: it knows first that there is a path. Otherwise the offer fixes the roles.
		if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
			return nil, err
		}
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{cert},
		BundlePolicy: webrtc.BundlePolicyMaxBundle,
	})
}

func mediaEngine(o *offer) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, s := range o.sections {
		kind, mime, clock, channels := webrtc.RTPCodecTypeVideo, webrtc.MimeTypeH264, uint32(90000), uint16(0)
		if s.kind == segmenter.Audio {
			kind, mime, clock, channels = webrtc.RTPCodecTypeAudio, webrtc.MimeTypeOpus, 48000, 2
		}
		codec := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(s.pt), RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mime, ClockRate: clock, Channels: channels, SDPFmtpLine: s.fmtp, RTCPFeedback: libraryFeedback(s.feedback),
		}}
		if err := m.RegisterCodec(codec, kind); err != nil {
			return nil, fmt.Errorf("signaling: register %s: %w", s.kind, err)
		}
		if s.rtxSSRC != 0 {
			rtx := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(s.rtx), RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: clock, SDPFmtpLine: fmt.Sprintf("apt=%d", s.pt),
			}}
			if err := m.RegisterCodec(rtx, kind); err != nil {
				return nil, fmt.Errorf("signaling: register %s retransmission: %w", s.kind, err)
			}
		}
		for _, uri := range understoodExtensions {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, fmt.Errorf("signaling: register header extension: %w", err)
			}
		}
	}
	return m, nil
}

// libraryFeedback splits "nack pli" into type and parameter.
func libraryFeedback(types []string) []webrtc.RTCPFeedback {
	var out []webrtc.RTCPFeedback
	for _, t := range types {
		f := webrtc.RTCPFeedback{Type: t}
		if t == "nack pli" || t == "ccm fir" {
			f = webrtc.RTCPFeedback{Type: t[:len(t)-4], Parameter: t[len(t)-3:]}
		}
		out = append(out, f)
	}
	return out
}

func (f *factory) close() error {
	f.reflexive.close()
	return f.sockets.close()
}

// certificateLife is how long one DTLS certificate serves new sessions. It is valid for a month; a session that began
// with it keeps it, and nobody looks at its dates but at its fingerprint.
const certificateLife = 14 * 24 * time.Hour

// certificates keeps one certificate for all sessions, since making one costs more than all the rest of a session.
type certificates struct {
	now func() time.Time

	mu      sync.Mutex
	current *webrtc.Certificate
	made    time.Time
}

func (c *certificates) get() (webrtc.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Sub(c.made) < certificateLife {
		return *c.current, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("signaling: DTLS key: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("signaling: DTLS certificate: %w", err)
	}
	c.current, c.made = cert, now
	return *cert, nil
}
