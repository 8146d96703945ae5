package signaling

import (
	"net/netip"
	"strconv"
	"strings"
)

// candidate is an ICE candidate (RFC 8839 5.1) that can be used here: component 1, a literal address, UDP, or TCP to a
// port that is listened on (RFC 6544 4.5).
type candidate struct {
	foundation string
	tcp        bool
	priority   uint32
	addr       netip.AddrPort
	typ        string // host, srflx, prflx, relay
	ufrag      string // generation it belongs to; empty: not said
}

// maxCandidates bounds what one publisher may make the server probe in one ICE generation.
const maxCandidates = 64

// parseCandidate reads the value of an a=candidate attribute, with or without its "candidate:" prefix. False means that
// the candidate is of no use: mDNS names, TCP from a port that is not listened on, RTCP components and whatever is not
// understood are left out silently, as RFC 8839 5.1 asks for unknown transports and address types.
func parseCandidate(s string) (candidate, bool) {
	f := strings.Fields(strings.TrimPrefix(s, "candidate:"))
	if len(f) < 8 || f[6] != "typ" || f[1] != "1" || !isToken(f[0], 1, 32) {
		return candidate{}, false
	}
	tcp := strings.EqualFold(f[2], "tcp")
	if !tcp && !strings.EqualFold(f[2], "udp") {
		return candidate{}, false
	}
	prio, err1 := strconv.ParseUint(f[3], 10, 32)
	port, err2 := strconv.ParseUint(f[5], 10, 16)
	ip, err3 := netip.ParseAddr(f[4])
	if err1 != nil || err2 != nil || err3 != nil || port == 0 || !reachable(ip) {
		return candidate{}, false
	}
	c := candidate{foundation: f[0], tcp: tcp, priority: uint32(prio), addr: netip.AddrPortFrom(ip.Unmap(), uint16(port)), typ: f[7]}
	switch c.typ {
	case "host", "srflx", "prflx", "relay":
	default:
		return candidate{}, false
	}
	passive := false
	for i := 8; i+1 < len(f); i += 2 {
		switch f[i] {
		case "ufrag":
			c.ufrag = f[i+1]
		case "tcptype":
			passive = f[i+1] == "passive"
		}
	}
	return c, passive || !tcp
}

// reachable leaves out what no packet can be sent to. Link-local addresses need a zone, and a candidate has none.
func reachable(ip netip.Addr) bool {
	return ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast() && !ip.IsLinkLocalUnicast()
}

// String is the attribute's value, with the "candidate:" prefix.
func (c candidate) String() string {
	b := append([]byte("candidate:"), c.foundation...)
	if c.tcp {
		b = append(b, " 1 tcp "...)
	} else {
		b = append(b, " 1 udp "...)
	}
	b = strconv.AppendUint(b, uint64(c.priority), 10)
	b = append(b, ' ')
	b = c.addr.Addr().AppendTo(b)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(c.addr.Port()), 10)
	b = append(b, " typ "...)
	b = append(b, c.typ...)
	if c.tcp {
		b = append(b, " tcptype passive"...)
	}
	return string(b)
}

// usableCandidates returns the publisher's candidates that can be used, each address once, maxCandidates at most. Those
// that say they belong to another generation than ufrag, if one is given, are left out, and those of TCP: there the
// publisher is the one who connects.
func usableCandidates(lines []string, ufrag string) []candidate {
	var out []candidate
	seen := make(map[netip.AddrPort]bool)
	for _, l := range lines {
		c, ok := parseCandidate(l)
		if !ok || c.tcp || seen[c.addr] || len(out) == maxCandidates || ufrag != "" && c.ufrag != "" && c.ufrag != ufrag {
			continue
		}
		seen[c.addr] = true
		out = append(out, c)
	}
	return out
}

// isToken reports whether s is of lo to hi visible ASCII characters: what may stand in a line of ours without breaking it.
func isToken(s string, lo, hi int) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// credentials are one side's ICE user name fragment and password: one ICE generation.
type credentials struct{ ufrag, pwd string }

// valid keeps RFC 8839 5.4: a fragment of 4 to 256 characters, a password of 22 to 256. The alphabet is taken wider than
// there, as publishers do.
func (c credentials) valid() bool { return isToken(c.ufrag, 4, 256) && isToken(c.pwd, 22, 256) }
