package signaling

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"

	"whipsaw/segmenter"
)

// normalMid is the mid of a section that was offered without one; the answer leaves it out again.
const normalMid = "0"

// normalized writes the offer anew with only what was understood, for the WebRTC library to answer: one payload type a
// section and its retransmissions, the parameters that the answer shall repeat, one set of credentials, candidates that
// can be used. version rises with every ICE restart (RFC 3264 8).
func (o *offer) normalized(version int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("v=0")
	line("o=- 1 %d IN IP4 127.0.0.1", version)
	line("s=-")
	line("t=0 0")
	group := ""
	for _, s := range o.sections {
		group += " " + s.normalMid()
	}
	line("a=group:BUNDLE%s", group)
	line("a=ice-options:trickle")
	if o.lite {
		line("a=ice-lite")
	}
	if o.mixed {
		line("a=extmap-allow-mixed")
	}
	exts := o.extensions()
	for i, s := range o.sections {
		s.write(line, exts)
		line("a=ice-ufrag:%s", o.creds.ufrag)
		line("a=ice-pwd:%s", o.creds.pwd)
		line("a=fingerprint:%s %s", o.hash, o.digest)
		line("a=setup:%s", o.setup)
		if i > 0 {
			continue
		}
		for _, c := range o.candidates {
			line("a=%s", c)
		}
	}
	return b.String()
}

func (s *section) normalMid() string {
	if s.mid == "" {
		return normalMid
	}
	return s.mid
}

// write writes the section without its transport.
func (s *section) write(line func(string, ...any), exts map[extension]bool) {
	kind := s.kind.String()
	media, clock := "video", "90000"
	if s.kind == segmenter.Audio {
		media, clock = "audio", "48000/2"
	}
	formats := fmt.Sprint(s.pt)
	if s.rtxSSRC != 0 {
		formats += fmt.Sprint(" ", s.rtx)
	}
	line("m=%s 9 UDP/TLS/RTP/SAVPF %s", media, formats)
	line("c=IN IP4 0.0.0.0")
	line("a=mid:%s", s.normalMid())
	line("a=sendonly")
	line("a=rtcp-mux")
	line("a=rtcp-rsize")
	line("a=rtpmap:%d %s/%s", s.pt, s.codec, clock)
	line("a=fmtp:%d %s", s.pt, s.fmtp)
	for _, f := range s.feedback {
		line("a=rtcp-fb:%d %s", s.pt, f)
	}
	if s.rtxSSRC != 0 {
		line("a=rtpmap:%d rtx/%s", s.rtx, clock)
		line("a=fmtp:%d apt=%d", s.rtx, s.pt)
	}
	for _, e := range s.exts {
		if exts[e] {
			line("a=extmap:%d %s", e.id, e.uri)
		}
	}
	line("a=msid:%s %s", kind, kind)
	if s.rtxSSRC != 0 {
		line("a=ssrc-group:FID %d %d", s.ssrc, s.rtxSSRC)
		line("a=ssrc:%d cname:%s", s.rtxSSRC, kind)
	}
	if s.ssrc != 0 {
		line("a=ssrc:%d cname:%s", s.ssrc, kind)
	}
}

// extensions returns the header extensions to accept. Ids and URIs must agree over all bundled sections (RFC 9143 9.1).
// MID is taken only where every source is declared: the library maps an undeclared source by its payload type if there
// is no MID, and not at all if there is one without a rid.
func (o *offer) extensions() map[extension]bool {
	byID, byURI := map[int]string{}, map[string]int{}
	out := map[extension]bool{}
	declared := true
	for _, s := range o.sections {
		declared = declared && s.ssrc != 0
	}
	for _, s := range o.sections {
		for _, e := range s.exts {
			if e.uri == sdp.SDESMidURI && !declared {
				continue
			}
			uri, known := byID[e.id]
			id, used := byURI[e.uri]
			if known && uri != e.uri || used && id != e.id {
				continue
			}
			byID[e.id], byURI[e.uri] = e.uri, e.id
			out[e] = true
		}
	}
	return out
}

// restarted returns the offer of a new ICE generation: nothing but credentials and candidates may change
// (RFC 9725 4.3.3). learned are the sources that were told apart without having been declared: declared now, they go on
// through the restart.
func (o *offer) restarted(c credentials, candidates []candidate, learned map[segmenter.Kind]uint32) *offer {
	n := *o
	n.creds, n.candidates = c, candidates
	n.sections = nil
	for _, s := range o.sections {
		t := *s
		if t.ssrc == 0 {
			t.ssrc = learned[t.kind]
		}
		n.sections = append(n.sections, &t)
	}
	return &n
}
