package static

import (
	"net/http"
	"net/url"
	"regexp"
)

// hostName is a host that can stand in a Content-Security-Policy as it is.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)

// posterOrigin is the origin of the picture that the page around a frame wants to be shown while nothing is live, or
// empty. A link that somebody opens by itself must not make a browser ask other hosts for anything.
func posterOrigin(r *http.Request) string {
	if r.Header.Get("Sec-Fetch-Dest") != "iframe" {
		return ""
	}
	u, err := url.Parse(r.URL.Query().Get("poster"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !hostName.MatchString(u.Host) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// watchPage is the player's page, whose policy lets the poster of a frame through.
func (s *site) watchPage() http.HandlerFunc {
	const name = "watch.html"
	plain := s.streamPage(name, embeddablePolicy)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("poster") {
			w.Header().Add("Vary", "Sec-Fetch-Dest")
		}
		if origin := posterOrigin(r); origin != "" {
			s.streamPage(name, embeddablePolicy.showing(origin))(w, r)
			return
		}
		plain(w, r)
	}
}
