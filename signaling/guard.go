package signaling

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard protects a server that has no token from web pages. A browser of the same machine reaches its loopback address,
// and every page it shows could post an offer there: directly, which Origin tells, or through a name of the page's own
// that it lets resolve to 127.0.0.1 (DNS rebinding), which Host tells.
func guard(r *http.Request) *problem {
	if !loopbackHost(r.Host) {
		return probOrigin.with("this server has no publish token, so it only takes requests for localhost or 127.0.0.1; set a token to publish by another name")
	}
	// RFC 6454 7: browsers send Origin with every POST to another site; "null" stands for one that is hidden
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || !sameHost(u, r.Host) {
		return probOrigin.with("this server has no publish token, so it takes nothing from other web pages; set a token, or publish from this server's own page")
	}
	return nil
}

// loopbackHost reports whether a Host header names this machine and nothing else. A missing one is not a browser's.
func loopbackHost(host string) bool {
	name := hostName(host)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761 6.3
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// hostName is the part of a Host header before the port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

// sameHost compares an origin with a Host header. The scheme is left out: behind a TLS proxy this server sees none.
func sameHost(origin *url.URL, host string) bool {
	port := origin.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[origin.Scheme]
	}
	_, ours, err := net.SplitHostPort(host)
	if err != nil {
		ours = port // a Host without a port has the scheme's
	}
	return strings.ToLower(origin.Hostname()) == hostName(host) && port == ours
}
