package signaling

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"whipsaw/segmenter"
)

// offer is what is kept of a publisher's SDP offer once it has passed every check: enough to write it anew (normal.go),
// to negotiate it (peer.go) and to restart its ICE.
type offer struct {
	sections   []*section // in the offer's order; at most one of each kind
	creds      credentials
	candidates []candidate
	lite       bool // the publisher is an ICE-lite agent
	bundled    bool // a=group:BUNDLE was there
	mixed      bool // a=extmap-allow-mixed was there
	setup      string
	origin     string // o= and s=, clipped: who may have written it
	hash       string // fingerprint: hash function, lower case
	digest     string // fingerprint: value, upper case
	most       int64  // bit/s that the stream takes of it; 0: no bound
}

// maxSections bounds the work for a hostile offer; two sections are the most that can be accepted.
const maxSections = 32

// parseOffer reads an offer and checks it, before anything is allocated for it. Errors are 400 for what is not SDP and
// 422 for what could not be served (RFC 9725 4.2); a whole offer is refused rather than a section of it rejected
// (RFC 9725 4.4.3).
func parseOffer(body string) (*offer, *problem) {
	var d sdp.SessionDescription
	if !strings.HasPrefix(body, "v=0") { // RFC 8866 5.1
		return nil, probSyntax.with("this is not SDP: it does not begin with v=0")
	}
	// RFC 8866 5: every line ends with CRLF; programs that trim their text leave the last one out
	if err := d.UnmarshalString(strings.TrimRight(body, "\r\n") + "\r\n"); err != nil {
		return nil, probSyntax.with("this is not SDP: " + clip(err.Error()))
	}
	if len(d.MediaDescriptions) > maxSections {
		return nil, probSections.with("this offer has too many media sections; send one of video and one of audio")
	}
	o := &offer{origin: clip(d.Origin.String() + "; " + string(d.SessionName))}
	for _, m := range d.MediaDescriptions {
		s, p := parseSection(&d, m)
		if p != nil {
			return nil, p
		}
		o.sections = append(o.sections, s)
	}
	for _, check := range []func(*sdp.SessionDescription) *problem{o.checkSections, o.readBundle, o.readTransport} {
		if p := check(&d); p != nil {
			return nil, p
		}
	}
	return o, nil
}

// checkSections keeps RFC 9725 4.4.2: one section of each kind at most, and at least one.
func (o *offer) checkSections(*sdp.SessionDescription) *problem {
	if len(o.sections) == 0 {
		return probSections.with("this offer has no media section; send video (H.264), audio (Opus) or both")
	}
	count := map[segmenter.Kind]int{}
	for _, s := range o.sections {
		if count[s.kind]++; count[s.kind] > 1 {
			return probSections.with("this offer has several " + s.kind.String() + " tracks; send one, and publish others as streams of their own")
		}
	}
	return nil
}

// readBundle keeps RFC 9725 4.4.1: all sections on one transport, by BUNDLE (RFC 9143).
func (o *offer) readBundle(d *sdp.SessionDescription) *problem {
	var group []string
	for _, v := range values(d.Attributes, "group") {
		if f := strings.Fields(v); len(f) > 0 && f[0] == "BUNDLE" {
			group = f[1:]
			o.bundled = true
		}
	}
	mids := map[string]bool{}
	for _, s := range o.sections {
		if mids[s.mid] && s.mid != "" {
			return probSyntax.with("two media sections have the same mid")
		}
		mids[s.mid] = true
		// RFC 9143 7.2: every bundled section has a mid and stands in the group
		if len(o.sections) > 1 && (s.mid == "" || !slices.Contains(group, s.mid)) {
			return probTransport.with("the media sections are not in one BUNDLE group; set bundlePolicy to max-bundle")
		}
	}
	if len(o.sections) == 1 && !slices.Contains(group, o.sections[0].mid) {
		o.bundled = false
	}
	return o.checkPayloadTypes()
}

// checkPayloadTypes keeps RFC 9143 9.1.1: on one transport a payload type stands for one codec.
func (o *offer) checkPayloadTypes() *problem {
	seen := map[uint8]bool{}
	for _, s := range o.sections {
		if seen[s.pt] {
			return probTransport.with("two media sections use payload type " + strconv.Itoa(int(s.pt)) + "; give each its own")
		}
		seen[s.pt] = true
	}
	return nil
}

// readTransport reads what the one transport needs, from the session or from the section that the BUNDLE group names
// first (RFC 9143 7.2.1); where that has none, from any.
func (o *offer) readTransport(d *sdp.SessionDescription) *problem {
	_, o.lite = value(d.Attributes, "ice-lite")
	_, o.mixed = value(d.Attributes, "extmap-allow-mixed")
	lists := [][]sdp.Attribute{}
	for _, m := range o.tagFirst(d) {
		lists = append(lists, m.Attributes)
	}
	lists = append(lists, d.Attributes)

	o.creds = credentials{first(lists, "ice-ufrag"), first(lists, "ice-pwd")}
	if !o.creds.valid() {
		return probSyntax.with("the offer has no usable a=ice-ufrag and a=ice-pwd")
	}
	var lines []string
	for _, l := range lists {
		lines = append(lines, values(l, "candidate")...)
	}
	o.candidates = usableCandidates(lines, o.creds.ufrag)

	// RFC 8842 5.2: actpass is what an offerer says; FFmpeg and others fix their role
	switch o.setup = first(lists, "setup"); o.setup {
	case "":
		o.setup = "actpass"
	case "actpass", "active", "passive":
	default:
		return probTransport.with("a=setup:" + clip(o.setup) + " cannot be answered; use actpass")
	}
	return o.readFingerprint(lists)
}

// tagFirst returns the media descriptions, the one that carries the bundle's transport first.
func (o *offer) tagFirst(d *sdp.SessionDescription) []*sdp.MediaDescription {
	out := slices.Clone(d.MediaDescriptions)
	if !o.bundled {
		return out
	}
	for _, v := range values(d.Attributes, "group") {
		f := strings.Fields(v)
		if len(f) < 2 || f[0] != "BUNDLE" {
			continue
		}
		slices.SortStableFunc(out, func(a, b *sdp.MediaDescription) int {
			return tagOrder(b, f[1]) - tagOrder(a, f[1])
		})
	}
	return out
}

func tagOrder(m *sdp.MediaDescription, tag string) int {
	if mid, _ := value(m.Attributes, "mid"); mid == tag {
		return 1
	}
	return 0
}

// digestSizes are the hash functions of RFC 8122 5 that are still good for anything, with the length of their digests.
var digestSizes = map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64, "sha-224": 28, "sha-1": 20}

// readFingerprint takes one of the offered fingerprints, SHA-256 before all others.
func (o *offer) readFingerprint(lists [][]sdp.Attribute) *problem {
	found := map[string]string{}
	some := false
	for _, l := range lists {
		for _, v := range values(l, "fingerprint") {
			some = true
			f := strings.Fields(v)
			if len(f) != 2 {
				continue
			}
			hash := strings.ToLower(f[0])
			raw, err := hex.DecodeString(strings.ReplaceAll(f[1], ":", ""))
			if size := digestSizes[hash]; err == nil && size > 0 && len(raw) == size && found[hash] == "" {
				found[hash] = strings.ToUpper(f[1])
			}
		}
		if len(found) > 0 {
			break // RFC 8122: the nearest level counts
		}
	}
	for _, hash := range []string{"sha-256", "sha-512", "sha-384", "sha-224", "sha-1"} {
		if found[hash] != "" {
			o.hash, o.digest = hash, found[hash]
			return nil
		}
	}
	if some {
		return probSyntax.with("the offer's a=fingerprint cannot be read; sha-256 is what every client has")
	}
	return probSyntax.with("the offer has no a=fingerprint: plain RTP is not accepted, use DTLS-SRTP")
}

// value returns the first value of an attribute and whether it is there at all.
func value(attrs []sdp.Attribute, key string) (string, bool) {
	for _, a := range attrs {
		if a.Key == key {
			return strings.TrimSpace(a.Value), true
		}
	}
	return "", false
}

// values returns all values of an attribute.
func values(attrs []sdp.Attribute, key string) []string {
	var out []string
	for _, a := range attrs {
		if a.Key == key {
			out = append(out, strings.TrimSpace(a.Value))
		}
	}
	return out
}

// first returns the attribute's value in the first list that has it.
func first(lists [][]sdp.Attribute, key string) string {
	for _, l := range lists {
		if v, ok := value(l, key); ok {
			return v
		}
	}
	return ""
}

// clip shortens what a stranger wrote before it goes into a sentence of ours.
func clip(s string) string { return clipTo(s, 80) }

func clipTo(s string, n int) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), n)])
}
