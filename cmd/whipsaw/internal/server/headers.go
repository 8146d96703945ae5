package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

var (
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	noDocument = []string{"default-src 'none'; frame-ancestors 'none'"}
	noFrame    = []string{"DENY"}
)

// hardened sets what every answer says to browsers; pages replace it by what they need. What players fetch is no document
// of ours: a browser that opens it makes one by itself, which a policy would keep from playing.
func hardened(prefix string) func(http.Handler) http.Handler {
	media := prefix + "/hls/"
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["X-Content-Type-Options"] = noSniff
			if !strings.HasPrefix(r.URL.Path, media) {
				h["Referrer-Policy"] = noReferrer
				h["Content-Security-Policy"] = noDocument
				h["X-Frame-Options"] = noFrame
			}
			next.ServeHTTP(w, r)
		})
	}
}

// secured adds what answers over our own TLS say: that there is HTTP/3 on a port (RFC 7838), and for how long browsers
// shall use nothing but HTTPS here (RFC 6797).
func secured(quicPort int, hsts time.Duration) func(http.Handler) http.Handler {
	var alternative, strict []string
	if quicPort > 0 {
		alternative = []string{fmt.Sprintf(`h3=":%d"; ma=86400`, quicPort)}
	}
	if hsts > 0 {
		strict = []string{fmt.Sprintf("max-age=%d", int64(hsts.Seconds()))}
	}
	return func(next http.Handler) http.Handler {
		if alternative == nil && strict == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// RFC 6797 7.2: never over plain HTTP.
			if r.TLS != nil {
				if alternative != nil {
					w.Header()["Alt-Svc"] = alternative
				}
				if strict != nil {
					w.Header()["Strict-Transport-Security"] = strict
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}
