package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// trust knows the reverse proxies whose word on the client is taken.
type trust struct {
	proxies []netip.Prefix
	closed  bool // only this machine is served: a proxy cannot make a foreign Host one of ours
}

// unknown stands for a client whose address nobody vouches for: no guard lets it in, and all such are counted as one.
const unknown = "unknown"

// client is a middleware that puts the true client's address and the host that it asked for into the request, where all
// guards, limits and logs look. From others than trusted proxies the headers mean nothing.
func (t trust) client(next http.Handler) http.Handler {
	if len(t.proxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, ok := address(r.RemoteAddr); !ok || !t.trusts(peer) {
			next.ServeHTTP(w, r)
			return
		}
		told := *r // shallow: only what differs is set
		told.RemoteAddr = t.remote(r)
		if host := forwardedHost(r.Header); host != "" && (!t.closed || localHost(r.Host)) {
			told.Host = host
		}
		next.ServeHTTP(w, &told)
	})
}

// remote is the nearest address in the chain of hops that is not a trusted proxy, or the farthest proxy if all are. Where
// X-Forwarded-For and Forwarded (RFC 7239) do not agree, one of them is the client's own invention, passed through.
func (t trust) remote(r *http.Request) string {
	old, standard := xForwardedFor(r.Header), forwardedFor(r.Header)
	switch {
	case old == nil && standard == nil:
		return r.RemoteAddr
	case old == nil:
		return t.walk(standard)
	case standard == nil:
		return t.walk(old)
	}
	if a, b := t.walk(old), t.walk(standard); a == b {
		return a
	}
	return unknown
}

// walk goes from the last hop to the first. Left of what is no address nothing can be trusted.
func (t trust) walk(hops []string) string {
	client := unknown
	for _, hop := range slices.Backward(hops) {
		ip, ok := address(hop)
		if !ok {
			return unknown
		}
		client = net.JoinHostPort(ip.String(), "0")
		if !t.trusts(ip) {
			break
		}
	}
	return client
}

func (t trust) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(t.proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// address reads an IP address with or without port, and without what would hide it from a comparison: a zone, or IPv6
// around IPv4.
func address(s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = ap.Addr()
	}
	return ip.Unmap().WithZone(""), true
}

// maxHops bounds what is read of a header.
const maxHops = 32

// xForwardedFor lists the hops, the client first; nil without the header.
func xForwardedFor(h http.Header) []string { return list(h.Values("X-Forwarded-For")) }

// forwardedFor lists the for parameters of Forwarded (RFC 7239 4); an element without one gives an empty hop.
func forwardedFor(h http.Header) []string {
	var hops []string
	for _, element := range elements(h) {
		hops = append(hops, parameter(element, "for"))
	}
	return hops
}

// forwardedHost is what the proxy was asked for: by Forwarded or X-Forwarded-Host, the last one said, or empty. What could
// not stand in a Host header is dropped.
func forwardedHost(h http.Header) string {
	host := ""
	if hosts := list(h.Values("X-Forwarded-Host")); len(hosts) > 0 {
		host = hosts[len(hosts)-1]
	} else if all := elements(h); len(all) > 0 {
		host = parameter(all[len(all)-1], "host")
	}
	if len(host) > 255 || strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`/\@"<>?#%`, c) }) {
		return ""
	}
	return host
}

// list splits fields at commas; nil if there is nothing. Of very many the last count.
func list(fields []string) []string {
	var out []string
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			if item = strings.TrimSpace(item); item != "" {
				out = append(out, item)
			}
		}
	}
	return out[max(0, len(out)-maxHops):]
}

// elements are those of Forwarded. A quote that a client left open would swallow what a proxy appended: in such a field
// there is one element that says nothing.
func elements(h http.Header) []string {
	var out []string
	for _, field := range h.Values("Forwarded") {
		pieces, whole := splitOutside(field, ',')
		if !whole {
			pieces = []string{"-"}
		}
		for _, p := range pieces {
			if p = strings.TrimSpace(p); p != "" {
				out = append(out, p)
			}
		}
	}
	return out[max(0, len(out)-maxHops):]
}

// parameter returns a parameter of an element of Forwarded, unquoted (RFC 7239 4: names in any letter case).
func parameter(element, name string) string {
	pairs, _ := splitOutside(element, ';')
	for _, pair := range pairs {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && strings.EqualFold(key, name) {
			return strings.ReplaceAll(strings.Trim(value, `"`), `\`, "")
		}
	}
	return ""
}

// splitOutside cuts s at separators that stand outside of double quotes (RFC 9110 5.6.4), and reports whether all quotes
// were closed.
func splitOutside(s string, separator byte) (pieces []string, whole bool) {
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			pieces = append(pieces, s[from:i])
			from = i + 1
		}
	}
	return append(pieces, s[from:]), !quoted
}
