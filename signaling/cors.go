package signaling

import "net/http"

// A WHIP page may be served from anywhere (RFC 9725 4.1). What is let in is decided by guard and auth, and there are no
// cookies, so that "*" gives nothing away.

// exposed are the response headers that a page may read.
const exposed = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, Access-Control-Allow-Methods"

// allowOrigins lets pages read a response.
func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", exposed)
}

// options answers OPTIONS, preflight or not; it needs no token, since a preflight carries none.
func options(w http.ResponseWriter, methods string) {
	h := w.Header()
	h.Set("Allow", methods)
	h.Set("Access-Control-Allow-Methods", methods)
	// "*" does not cover Authorization (Fetch 4.8)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, ETag")
	h.Set("Access-Control-Max-Age", "7200")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
}
