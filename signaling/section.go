package signaling

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"whipsaw/segmenter"
)

// section is one media section of an offer, reduced to the one format that is negotiated.
type section struct {
	kind  segmenter.Kind
	mid   string // empty: none offered
	proto string // as offered; the answer repeats it (RFC 9429 5.3.1)
	rsize bool   // a=rtcp-rsize was offered (RFC 5506 5)
	codec string // encoding name as offered, of any letter case
	pt    uint8
	fmtp  string // what the answer says of pt

	feedback []string // rtcp-fb values of pt that are understood, in the order of feedbackTypes
	rtx      uint8    // payload type of its retransmissions; meaningful if rtxSSRC is not 0
	ssrc     uint32   // 0: not declared
	rtxSSRC  uint32   // 0: none
	exts     []extension

	channels      int      // Opus
	parameterSets [][]byte // H.264: sprop-parameter-sets
}

// extension is an RTP header extension (RFC 8285) that is understood.
type extension struct {
	id  int
	uri string
}

// understoodExtensions are all that an answer accepts: MID for BUNDLE and transport-wide sequence numbers for the
// publisher's bandwidth estimation. Above all not urn:3gpp:video-orientation: with it a browser sends pictures unturned.
var understoodExtensions = []string{sdp.SDESMidURI, sdp.TransportCCURI}

// feedbackTypes are the RTCP feedback messages that are sent or may be, per kind (RFC 4585 4.2).
var feedbackTypes = map[segmenter.Kind][]string{
	segmenter.Video: {"nack", "nack pli", "ccm fir", "transport-cc", rembFeedback},
	segmenter.Audio: {"nack", "transport-cc"},
}

// parseSection reads one media section and refuses it if it could not be answered.
func parseSection(d *sdp.SessionDescription, m *sdp.MediaDescription) (*section, *problem) {
	s := &section{proto: strings.Join(m.MediaName.Protos, "/")}
	switch strings.ToLower(m.MediaName.Media) {
	case "video":
		s.kind = segmenter.Video
	case "audio":
		s.kind = segmenter.Audio
	default:
		return nil, probSections.with("this offer has a section of " + clip(m.MediaName.Media) + "; only video and audio can be published")
	}
	s.mid, _ = value(m.Attributes, "mid")
	if s.mid != "" && !isToken(s.mid, 1, 64) {
		return nil, probSyntax.with("a=mid is not a token")
	}
	for _, check := range []func(*sdp.SessionDescription, *sdp.MediaDescription) *problem{
		s.checkTransport, s.checkDirection, s.checkSimulcast, s.readCodec,
	} {
		if p := check(d, m); p != nil {
			return nil, p
		}
	}
	_, s.rsize = value(m.Attributes, "rtcp-rsize")
	s.readSSRC(m)
	s.readExtensions(m)
	return s, nil
}

// protos are the transports that RFC 9429 5.1.2 lets stand for DTLS-SRTP.
var protos = []string{
	"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP",
	"TCP/TLS/RTP/SAVPF", "RTP/SAVPF", "RTP/SAVP",
}

func (s *section) checkTransport(_ *sdp.SessionDescription, m *sdp.MediaDescription) *problem {
	if !slices.Contains(protos, s.proto) {
		return probTransport.with("the " + s.kind.String() + " section is offered over " + clip(s.proto) + "; use UDP/TLS/RTP/SAVPF")
	}
	// RFC 9143 7.2.1: port 0 stands for a bundle-only section; without that the section is switched off
	if _, bundleOnly := value(m.Attributes, "bundle-only"); m.MediaName.Port.Value == 0 && !bundleOnly {
		return probSections.with("the " + s.kind.String() + " section is switched off (port 0); leave it out or send it")
	}
	_, mux := value(m.Attributes, "rtcp-mux")
	_, only := value(m.Attributes, "rtcp-mux-only")
	if !mux && !only {
		return probTransport.with("the " + s.kind.String() + " section has no a=rtcp-mux; set rtcpMuxPolicy to require")
	}
	return nil
}

// checkDirection keeps RFC 9725 4.2: a publisher offers sendonly, or sendrecv, which stands where nothing is said.
func (s *section) checkDirection(d *sdp.SessionDescription, m *sdp.MediaDescription) *problem {
	for _, attrs := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attrs {
			switch a.Key {
			case "sendonly", "sendrecv":
				return nil
			case "recvonly", "inactive":
				return probDirection.with("the " + s.kind.String() + " section is " + a.Key + "; publish with sendonly")
			}
		}
	}
	return nil
}

// checkSimulcast refuses several encodings of one source. A single rid is an ordinary stream with a name.
func (s *section) checkSimulcast(_ *sdp.SessionDescription, m *sdp.MediaDescription) *problem {
	rids := 0
	for _, v := range values(m.Attributes, "rid") {
		if f := strings.Fields(v); len(f) > 1 && f[1] == "send" {
			rids++
		}
	}
	sim := false
	for _, v := range values(m.Attributes, "ssrc-group") {
		sim = sim || strings.HasPrefix(v, "SIM ")
	}
	if rids > 1 || sim {
		return probSimulcast.with("this offer has several simulcast layers of one picture; switch simulcast off and send one")
	}
	return nil
}

// readSSRC takes the declared source and its retransmissions (RFC 5576). More than one source of a kind is not mapped:
// the first counts.
func (s *section) readSSRC(m *sdp.MediaDescription) {
	repairs := map[uint32]uint32{} // original to its retransmission
	other := map[uint32]bool{}     // sources that repair
	for _, v := range values(m.Attributes, "ssrc-group") {
		f := strings.Fields(v)
		if len(f) != 3 {
			continue
		}
		a, b := parseSSRC(f[1]), parseSSRC(f[2])
		if a == 0 || b == 0 {
			continue
		}
		other[b] = true
		if f[0] == "FID" {
			repairs[a] = b
		}
	}
	for _, v := range values(m.Attributes, "ssrc") {
		id, _, _ := strings.Cut(v, " ")
		if n := parseSSRC(id); n != 0 && !other[n] {
			s.ssrc = n
			break
		}
	}
	// A retransmission stream that is not declared could not be told from media: then lost packets are sent again as
	// they were, which needs no negotiation.
	if s.rtx != 0 {
		s.rtxSSRC = repairs[s.ssrc]
	}
}

func parseSSRC(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func (s *section) readExtensions(m *sdp.MediaDescription) {
	for _, v := range values(m.Attributes, "extmap") {
		f := strings.Fields(v)
		if len(f) < 2 || !slices.Contains(understoodExtensions, f[1]) {
			continue
		}
		number, direction, _ := strings.Cut(f[0], "/")
		id, err := strconv.Atoi(number)
		if err != nil || id < 1 || id > 255 || id == 15 || direction == "recvonly" || direction == "inactive" {
			continue
		}
		s.exts = append(s.exts, extension{id: id, uri: f[1]})
	}
}
