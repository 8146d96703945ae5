// Package static serves whipsaw's own pages: the list of live streams at /, the player at /watch/{stream}, the publisher
// at /publish/{stream}, the documentation at /docs and /docs/{topic}, and what they load under /static/. Everything is
// embedded; nothing is rendered per request.
//
// A page is a fixed file that finds its stream in its own address, so it holds no secrets and caches well. Pages refer
// to their assets as /static/NAME; in what is served that is /static/VERSION/NAME, where VERSION is a hash over all
// assets. A versioned URL names one content for ever, and the relative imports of the modules inherit the version.
//
// The player's page has a second address, /watch/~EXPIRES~SIGNATURE/{stream}: it plays what lies below the same link in
// /hls, where only signed ones are answered. The list then asks for a token, and links to signed pages.
//
// What a page understands in its query: /watch/{stream} takes muted=0 (sound from the start, where the browser allows it),
// autoplay=0 (nothing is loaded before a click), controls=0 (no controls; keys work), stats=1 (shows the statistics), counted=0 (is none of
// the viewers that the server estimates), embed
// (the picture alone, as in a frame of another page), and in a frame poster=URL (a picture for the time in which nothing is
// live); /publish/{stream} takes source (camera, screen, both, canvas),
// size (1280x720), fps, kbps, mirror=0 (no player beside the preview while live), preview=1 (turns the source on at once) and autostart=1.
//
// What a page tells programs: document.documentElement.dataset.state is one word (watch: offline, loading, playing,
// stalled, error; publish: idle, connecting, live, error), and window.whipsaw.stats() has the numbers. The player also
// gives its hls.js as window.whipsaw.hls, null while there is none.
package static

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"whipsaw/segmenter"
)

// Routes mounts the pages and their assets on r, which must be the root of the server: the pages use absolute paths to
// /static, /whip, /hls and /api. Every route answers GET and HEAD. An address that names no page, no possible stream
// or no asset gets a 404 that is never cached.
func Routes(r chi.Router) { RoutesBelow(r, "") }

// RoutesBelow is Routes for a server that lies below a path prefix: /live, say, where r has to be mounted. A prefix is
// made of characters that stand for themselves in HTML and URLs, and does not end with a slash.
func RoutesBelow(r chi.Router, prefix string) {
	s := embedded().below(prefix)
	route := func(pattern string, h http.HandlerFunc) {
		r.Get(pattern, h)
		r.Head(pattern, h)
	}
	route("/", s.page("index.html", ownPolicy))
	route("/watch/{stream}", s.watchPage())
	route("/watch/~{link}/{stream}", s.watchPage()) // signed; the page uses the link as it is
	route("/publish/{stream}", s.streamPage("publish.html", capturePolicy, onlyOwnQuery))
	s.docRoutes(route, prefix)
	route("/static/*", s.asset)
}

// page serves one embedded page under a policy.
func (s *site) page(name string, p policy) http.HandlerFunc {
	f := s.pages[name]
	return func(w http.ResponseWriter, r *http.Request) {
		p.set(w.Header())
		// The address stays while the content changes with the next version: always ask, mostly get 304.
		w.Header().Set("Cache-Control", "no-cache")
		f.serve(w, r)
	}
}

// streamPage is page for an address with a stream's name in it; checks may answer the request themselves.
func (s *site) streamPage(name string, p policy, checks ...func(http.ResponseWriter, *http.Request) bool) http.HandlerFunc {
	serve := s.page(name, p)
	return func(w http.ResponseWriter, r *http.Request) {
		if !segmenter.ValidName(chi.URLParam(r, "stream")) {
			s.notFound(w, r)
			return
		}
		for _, answered := range checks {
			if answered(w, r) {
				return
			}
		}
		serve(w, r)
	}
}

// onlyOwnQuery answers a request that another site made, by link, form or frame, with the same page without its query:
// ?autostart=1 is for the person at this browser, or any web page could start a publisher here.
func onlyOwnQuery(w http.ResponseWriter, r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
	default:
		return false
	}
	if r.URL.RawQuery == "" {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Sec-Fetch-Site")
	http.Redirect(w, r, r.URL.EscapedPath(), http.StatusSeeOther)
	return true
}

// asset serves /static/NAME (to be asked for again each time) and /static/VERSION/NAME (immutable if it is this version).
func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	version, name := splitVersion(chi.URLParam(r, "*"))
	f := s.assets[name]
	if f == nil {
		s.notFound(w, r)
		return
	}
	assetPolicy.set(w.Header())
	// A page of another version, open while the server was replaced, gets what there is, but must not keep it.
	w.Header().Set("Cache-Control", "no-cache")
	if version == s.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	f.serve(w, r)
}

// notFound answers with a page that leads back to the list.
func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	ownPolicy.set(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		// The client left: there is nobody to tell.
		_, _ = w.Write(s.pages["404.html"].body)
	}
}
