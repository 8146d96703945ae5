package signaling

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"whipsaw/segmenter"
)

// format is one payload type of an offered section.
type format struct {
	pt     uint8
	name   string // encoding name as offered
	clock  string
	params string // encoding parameters: channels
	fmtp   map[string]string
	fb     []string
}

// formats returns the section's payload types in the publisher's order of preference.
func formats(m *sdp.MediaDescription) []*format {
	var out []*format
	byPT := map[string]*format{}
	for _, p := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(p, 10, 7)
		if err != nil || byPT[p] != nil {
			continue
		}
		f := &format{pt: uint8(pt), name: staticNames[uint8(pt)], fmtp: map[string]string{}}
		byPT[p] = f
		out = append(out, f)
	}
	for _, a := range m.Attributes {
		pt, rest, _ := strings.Cut(strings.TrimSpace(a.Value), " ")
		f := byPT[pt]
		switch {
		case a.Key == "rtcp-fb" && pt == "*": // RFC 4585 4.2: for every payload type
			for _, f := range out {
				f.fb = append(f.fb, rest)
			}
		case f == nil:
		case a.Key == "rtpmap":
			e := strings.SplitN(strings.TrimSpace(rest), "/", 3)
			f.name = e[0]
			f.clock, f.params = at(e, 1), at(e, 2)
		case a.Key == "fmtp":
			f.fmtp = parameters(rest)
		case a.Key == "rtcp-fb":
			f.fb = append(f.fb, rest)
		}
	}
	return out
}

// staticNames are payload types that need no rtpmap (RFC 3551 6), for the sentence that says what was offered.
var staticNames = map[uint8]string{0: "PCMU", 3: "GSM", 8: "PCMA", 9: "G722", 26: "JPEG", 31: "H261", 34: "H263"}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// parameters reads a list of name=value pairs separated by semicolons; names are in lower case.
func parameters(s string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Split(s, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if k != "" {
			out[strings.ToLower(k)] = v
		}
	}
	return out
}

// readCodec chooses the format that the answer names: the publisher's first choice among those supported.
func (s *section) readCodec(_ *sdp.SessionDescription, m *sdp.MediaDescription) *problem {
	all := formats(m)
	best := s.choose(all)
	if best == nil {
		return probCodec.with(codecSentence(s.kind, all))
	}
	if likeRTCP(best.pt) {
		return probTransport.with("payload type " + strconv.Itoa(int(best.pt)) + " of the " + s.kind.String() +
			" section cannot be told from RTCP; use one of 96 to 127")
	}
	s.pt, s.codec = best.pt, best.name
	for _, t := range feedbackTypes[s.kind] {
		if slices.ContainsFunc(best.fb, func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), t) }) {
			s.feedback = append(s.feedback, t)
		}
	}
	if slices.Contains(s.feedback, "transport-cc") { // who has that needs no estimate of ours
		s.feedback = slices.DeleteFunc(s.feedback, func(t string) bool { return t == rembFeedback })
	}
	for _, f := range all {
		if strings.EqualFold(f.name, "rtx") && f.fmtp["apt"] == strconv.Itoa(int(best.pt)) && !likeRTCP(f.pt) {
			s.rtx = f.pt
			break
		}
	}
	if s.kind == segmenter.Video {
		s.readH264(best)
	} else {
		s.readOpus(best)
	}
	return nil
}

// likeRTCP reports payload types that, with the marker bit, are RTCP's on the same port (RFC 5761 4).
func likeRTCP(pt uint8) bool { return pt >= 64 && pt <= 95 }

func (s *section) choose(all []*format) *format {
	var second *format
	for _, f := range all {
		switch {
		case s.kind == segmenter.Audio && strings.EqualFold(f.name, "opus") && f.clock == "48000" && f.params == "2":
			return f // RFC 7587 7: always opus/48000/2
		case s.kind != segmenter.Video || !strings.EqualFold(f.name, "H264") || f.clock != "90000":
		case f.fmtp["packetization-mode"] == "1":
			return f
		case second == nil && (f.fmtp["packetization-mode"] == "" || f.fmtp["packetization-mode"] == "0"):
			second = f
		}
	}
	return second
}

// readH264 fixes the answer's parameters. RFC 6184 8.2.2: packetization-mode and profile are repeated as offered. Which
// profile that is does not matter: publishers send others than they offer, the SPS decides.
func (s *section) readH264(f *format) {
	mode := "0"
	if f.fmtp["packetization-mode"] == "1" {
		mode = "1"
	}
	profile := f.fmtp["profile-level-id"]
	if raw, err := hex.DecodeString(profile); err != nil || len(raw) != 3 {
		profile = "42000a" // RFC 6184 8.1: what its absence means
	}
	s.fmtp = "packetization-mode=" + mode + ";profile-level-id=" + profile
	if f.fmtp["level-asymmetry-allowed"] == "1" {
		s.fmtp = "level-asymmetry-allowed=1;" + s.fmtp
	}
	s.parameterSets = parameterSets(f.fmtp["sprop-parameter-sets"])
}

// readOpus fixes the answer's parameters. RFC 7587 6.1: stereo is the receiver's wish, and browsers send mono without
// it. sprop-stereo is what the sender will do; only an explicit 0 is taken for mono, since FFmpeg sends stereo and says
// nothing.
func (s *section) readOpus(f *format) {
	s.fmtp = "minptime=10;stereo=1;useinbandfec=1"
	s.channels = 2
	if f.fmtp["sprop-stereo"] == "0" {
		s.channels = 1
	}
}

// maxParameterSets and maxParameterSet bound what an offer may bring of sprop-parameter-sets.
const (
	maxParameterSets = 16
	maxParameterSet  = 1024
)

// parameterSets decodes sprop-parameter-sets (RFC 6184 8.1). One that cannot be read ends the list: the stream itself
// brings them as well, nearly always.
func parameterSets(v string) [][]byte {
	var out [][]byte
	for _, p := range strings.Split(v, ",") {
		if p == "" || len(out) == maxParameterSets || base64.StdEncoding.DecodedLen(len(p)) > maxParameterSet {
			break
		}
		b, err := base64.StdEncoding.DecodeString(p)
		if err != nil {
			b, err = base64.RawStdEncoding.DecodeString(p)
		}
		if err != nil || len(b) == 0 {
			break
		}
		out = append(out, b)
	}
	return out
}

// codecSentence says what was offered and what to change.
func codecSentence(k segmenter.Kind, all []*format) string {
	var names []string
	for _, f := range all {
		name := clip(f.name)
		if name == "" {
			name = "payload type " + strconv.Itoa(int(f.pt))
		}
		switch strings.ToLower(name) {
		case "rtx", "red", "ulpfec", "flexfec-03", "cn", "telephone-event": // not media
		case "h264":
			name = "H.264 with interleaved packets"
			fallthrough
		default:
			if !slices.Contains(names, name) && len(names) < 12 {
				names = append(names, name)
			}
		}
	}
	offered := "no codec"
	if n := len(names); n == 1 {
		offered = "only " + names[0]
	} else if n > 1 {
		offered = "only " + strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	if k == segmenter.Video {
		return "this offer has " + offered + " for video; enable H.264 in the encoder"
	}
	return "this offer has " + offered + " for audio; enable Opus (48 kHz) in the encoder"
}
