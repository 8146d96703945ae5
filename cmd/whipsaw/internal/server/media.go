package server

import (
	"net/http"
	"net/url"
	"strings"

	"whipsaw/segmenter/hls"
)

// media answers what players ask for, below /hls, and hands all else on to rest. It stands before the router and calls one
// step after the other: this is what viewers cost, and what lies on the stack of a request that waits is kept for each.
func (s *instance) media(rest http.Handler) http.Handler {
	base := s.cfg.PathPrefix + "/hls"
	player := hls.New(s.reg, hls.Options{Origins: s.origins})
	_, guards := s.guards()
	answer := guards.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note()
		path, _ := below(r.URL, base)
		if path, ok := s.gate.Watch(w, r, path); ok && s.connections.room(w, r) {
			s.insight.Audience.Count(r, path)
			s.insight.Playback.Read(r.Header, path)
			player.Serve(w, r, path)
		}
		s.note() // the answer may have been there before
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := below(r.URL, base); ok {
			answer.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// below is what a URL's path says below base, as it was sent: nothing, or from a slash on.
func below(u *url.URL, base string) (path string, ok bool) {
	path = u.RawPath
	if path == "" {
		path = u.Path
	}
	path, ok = strings.CutPrefix(path, base)
	return path, ok && (path == "" || path[0] == '/')
}
