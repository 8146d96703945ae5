package api

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Link is the body of the answer to POST /api/watch/{stream}.
type Link struct {
	URL     string     `json:"url"`               // of the stream, for players
	Page    string     `json:"page"`              // of our own player
	Expires *time.Time `json:"expires,omitempty"` // none: never
}

// link is how a stream can be watched from now on.
func (s *server) link(stream string) Link {
	segment, expires := s.Gate.Link(stream)
	if segment == "" {
		return Link{URL: s.Base + "/hls/" + stream + "/index.m3u8", Page: s.Base + "/watch/" + stream}
	}
	expires = expires.UTC()
	return Link{URL: s.Base + "/hls/" + segment + "/" + stream + "/index.m3u8", Page: s.Base + "/watch/" + segment + "/" + stream, Expires: &expires}
}

// watch answers POST /api/watch/{stream} with a link, for those who may watch.
func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	stream := chi.URLParam(r, "stream")
	if !segmenter.ValidName(stream) {
		s.refuse(w, http.StatusNotFound, "this is not a stream name")
		return
	}
	if !s.Gate.Guarded() {
		write(w, s.link(stream), s.log)
		return
	}
	s.ask(w, r, func(who access.Request) error {
		who.Stream = stream
		if err := s.Gate.Authorize(r.Context(), who); err != nil {
			return err
		}
		write(w, s.link(stream), s.log)
		return nil
	})
}

// ask lets the bearer of a token try something, and answers where that fails.
func (s *server) ask(w http.ResponseWriter, r *http.Request, try func(access.Request) error) {
	who := access.Request{Right: access.Watch, Address: signaling.Address(r.RemoteAddr), UserAgent: clip(r.UserAgent())}
	if !s.guesses.left(who.Address) {
		w.Header().Set("Retry-After", "1")
		s.refuse(w, http.StatusTooManyRequests, "too many wrong tokens from this address; wait before the next")
		return
	}
	token, ok := signaling.Bearer(r)
	if !ok {
		s.refuse(w, http.StatusUnauthorized, "send a token with the right to watch as \"Authorization: Bearer ...\"")
		return
	}
	who.Token = token
	err := try(who)
	if err == nil {
		return
	}
	status := access.Status(err)
	switch status {
	case http.StatusUnauthorized:
		s.guesses.wrong(who.Address)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	s.refuse(w, status, err.Error())
}

// clip keeps as much of a User-Agent as anybody needs.
func clip(agent string) string { return agent[:min(len(agent), 200)] }

// preflight answers OPTIONS for pages of other origins. It needs no token, since a preflight carries none.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	allowOrigins(h)
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	// "*" does not cover Authorization (Fetch 4.8)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "7200")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// allowOrigins lets pages read an answer: there are no cookies, and who has a token may use it from where they like.
func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Retry-After")
}
