package signaling

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// errAnswer is wrapped by errors about an answer that is not the one the offer should have got.
var errAnswer = errors.New("signaling: unusable answer")

// finishAnswer turns the library's answer into ours: it repeats the offered transport and mids, has the announced
// candidates once, in order, and no RTCP component, which RTP and RTCP on one port leave no room for. It fails if a
// section was rejected or has lost its codec: then the offer is refused as a whole (RFC 9725 4.4.3).
func finishAnswer(raw string, o *offer, public []netip.Addr) (string, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return "", fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(d.MediaDescriptions) != len(o.sections) {
		return "", fmt.Errorf("%w: %d sections for %d", errAnswer, len(d.MediaDescriptions), len(o.sections))
	}
	announced := announce(localCandidates(&d), public)
	if len(announced) == 0 {
		return "", fmt.Errorf("%w: no candidate to reach the server by", errAnswer)
	}
	for i, m := range d.MediaDescriptions {
		s := o.sections[i]
		if m.MediaName.Port.Value == 0 || !slices.Contains(m.MediaName.Formats, strconv.Itoa(int(s.pt))) {
			return "", fmt.Errorf("%w: %s was rejected", errAnswer, s.kind)
		}
		m.MediaName.Protos = strings.Split(s.proto, "/")
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.Key == "candidate" || a.Key == "end-of-candidates" || a.Key == "mid" && s.mid == "" ||
				a.Key == "rtcp-rsize" && !s.rsize
		})
		if i > 0 {
			continue
		}
		for _, c := range announced {
			m.WithValueAttribute("candidate", strings.TrimPrefix(c.String(), "candidate:"))
		}
		m.WithPropertyAttribute("end-of-candidates")
	}
	if !o.bundled {
		d.Attributes = slices.DeleteFunc(d.Attributes, func(a sdp.Attribute) bool { return a.Key == "group" })
	}
	out, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAnswer, err)
	}
	return string(out), nil
}

// restartFragment is the body that answers an ICE restart: the server's new credentials and candidates, in the section
// that carries the transport (RFC 9725 4.3.3).
func restartFragment(raw string, o *offer, public []netip.Addr) (*fragment, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if len(d.MediaDescriptions) == 0 {
		return nil, fmt.Errorf("%w: no section", errAnswer)
	}
	lists := [][]sdp.Attribute{d.MediaDescriptions[0].Attributes, d.Attributes}
	f := &fragment{session: credentials{first(lists, "ice-ufrag"), first(lists, "ice-pwd")}, options: "trickle"}
	s := o.sections[0]
	m := fragmentMedia{line: fmt.Sprintf("%s 9 %s %d", s.kind, s.proto, s.pt), mid: s.mid, end: true}
	for _, c := range announce(localCandidates(&d), public) {
		m.candidates = append(m.candidates, c.String())
	}
	f.media = []fragmentMedia{m}
	return f, nil
}

// localCandidates returns the RTP candidates of the library's own description.
func localCandidates(d *sdp.SessionDescription) []candidate {
	var lines []string
	for _, m := range d.MediaDescriptions {
		lines = append(lines, values(m.Attributes, "candidate")...)
	}
	return usableCandidates(lines, "")
}

// announce adds the public addresses, which are mapped to the same port from outside, and orders all by how far they
// reach: some publishers look at the first candidate only. The priorities follow the order (RFC 8445 5.1.2).
func announce(local []candidate, public []netip.Addr) []candidate {
	var out []candidate
	for _, ip := range public {
		if len(local) == 0 {
			break
		}
		c := candidate{foundation: "public" + strconv.Itoa(len(out)), typ: "host"}
		c.addr = netip.AddrPortFrom(ip.Unmap(), local[0].addr.Port())
		out = append(out, c)
	}
	for _, c := range local {
		if !slices.ContainsFunc(out, func(p candidate) bool { return p.addr == c.addr }) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(reach(a, public), reach(b, public)), compareFamily(a, b))
	})
	for i := range out {
		// RFC 8445 5.1.2.1: type preference 126 for host candidates, 100 for server-reflexive ones
		preference := uint32(126)
		if out[i].typ != "host" {
			preference = 100
		}
		out[i].priority = preference<<24 | uint32(0xffff-i)<<8 | 0xff
	}
	return out
}

// reach orders addresses from those that everybody can use to those that only this machine can.
func reach(c candidate, public []netip.Addr) int {
	switch {
	case slices.Contains(public, c.addr.Addr()):
		return 0
	case c.addr.Addr().IsLoopback():
		return 2
	}
	return 1
}

func compareFamily(a, b candidate) int {
	return cmp.Compare(a.addr.Addr().BitLen(), b.addr.Addr().BitLen())
}
