package static

import (
	"net/http"
	"strings"
)

// policy is the set of security headers that a kind of answer carries.
type policy struct {
	content     string // Content-Security-Policy
	permissions string // Permissions-Policy
	framed      bool   // other sites may show it in a frame
}

// contentPolicy allows what the pages do and no more: own scripts, styles and connections; blob: for what Media Source
// Extensions feed the player with and for pictures painted by the page. There is no 'unsafe-inline' and no 'unsafe-eval'.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self'; object-src 'none'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors "

var (
	// ownPolicy is for pages that need no device and that no other site may frame.
	ownPolicy = policy{content: contentPolicy + "'none'", permissions: "camera=(), microphone=(), display-capture=(), geolocation=()"}
	// capturePolicy is for the publisher's page: devices for itself alone; a frame could trick somebody into a click.
	capturePolicy = policy{content: contentPolicy + "'none'", permissions: "camera=(self), microphone=(self), display-capture=(self), geolocation=()"}
	// embeddablePolicy is for the player, which any site may show in a frame.
	embeddablePolicy = policy{content: contentPolicy + "*", permissions: "camera=(), microphone=(), display-capture=(), geolocation=()", framed: true}
	// assetPolicy is for what the pages load. Were an SVG opened by itself, it could run nothing.
	assetPolicy = policy{content: "default-src 'none'; style-src 'self'; frame-ancestors 'none'"}
)

// showing is p with pictures of one more origin.
func (p policy) showing(origin string) policy {
	p.content = strings.Replace(p.content, "img-src 'self'", "img-src 'self' "+origin, 1)
	return p
}

// set writes the headers.
func (p policy) set(h http.Header) {
	h.Set("Content-Security-Policy", p.content)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if p.permissions != "" {
		h.Set("Permissions-Policy", p.permissions)
	}
	if !p.framed {
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}
