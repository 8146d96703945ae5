package server

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// localOnly refuses what a web page of the internet makes the browser of this machine ask for: under a name of the
// page's own that resolves to 127.0.0.1 (DNS rebinding), which Host tells, or across origins, which Origin tells. The
// origins that listed returns are let in by name; nil: none are.
func localOnly(log *slog.Logger, listed func() []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ownPage(r, listed) {
				next.ServeHTTP(w, r)
				return
			}
			refuseForeign(w, r, log, "this server has no publish token, so it answers only to localhost and 127.0.0.1; "+
				"to reach it by another name set WHIPSAW_PUBLISH_TOKEN, or start it with --open-publish")
		})
	}
}

// ownPage reports whether no page of the internet can have caused a request.
func ownPage(r *http.Request, listed func() []string) bool {
	origin := r.Header.Get("Origin")
	return localHost(r.Host) && (localOrigin(origin) || listed != nil && slices.Contains(listed(), origin))
}

func refuseForeign(w http.ResponseWriter, r *http.Request, log *slog.Logger, why string) {
	log.Debug("request from elsewhere refused", "host", r.Host, "origin", r.Header.Get("Origin"), "remote", r.RemoteAddr)
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, http.StatusForbidden)
}

// localClient refuses what a proxy on this machine brings from another one, whether the proxy is trusted or not: the
// connection comes from here, but its headers tell.
func localClient(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ownClient(r) {
				next.ServeHTTP(w, r)
				return
			}
			refuseForeign(w, r, log, "this server has no publish token, so it serves only this machine, and a proxy brought this from another one; "+
				"set WHIPSAW_PUBLISH_TOKEN, or start it with --open-publish")
		})
	}
}

// ownClient reports whether a request, and all that brought it, comes from this machine.
func ownClient(r *http.Request) bool {
	hops := append(xForwardedFor(r.Header), forwardedFor(r.Header)...)
	return !notLocal(r.RemoteAddr) && !slices.ContainsFunc(hops, notLocal)
}

func notLocal(hop string) bool {
	ip, ok := address(hop)
	return !ok || !ip.IsLoopback()
}

// localHost reports whether a Host header names this machine and nothing else.
func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	name := strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761 6.3: never asked of the DNS
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

// localOrigin reports whether an Origin header is missing or names a page of this machine; "null" may be anybody's.
func localOrigin(origin string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && localHost(u.Host)
}
