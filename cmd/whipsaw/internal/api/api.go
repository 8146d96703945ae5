// Package api answers what programs and the pages ask about streams, in JSON.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/segmenter"
)

// Streams is the body of GET /api/streams.
type Streams struct {
	Streams []segmenter.Status `json:"streams"` // sorted by name; never null
}

// server holds what is the same for all requests.
type server struct {
	registry *segmenter.Registry
	gate     *access.Gate
	base     string
	log      *slog.Logger
	guesses  *guesses
}

// Routes mounts GET and HEAD /api/streams and POST /api/watch/{stream} on r. What they tell of addresses begins with base:
// a path prefix, or the URL that the world knows. Where the gate lets only signed links watch, both ask for a token, and
// what they tell is signed.
func Routes(r chi.Router, registry *segmenter.Registry, gate *access.Gate, base string, log *slog.Logger) {
	s := &server{registry: registry, gate: gate, base: base, log: log, guesses: newGuesses()}
	r.Get("/api/streams", s.streams)
	r.Head("/api/streams", s.streams)
	r.Post("/api/watch/{stream}", s.watch)
	r.Options("/api/watch/{stream}", preflight)
}

// streams tells of those that the asker may watch: names are as good as a guess at what is going on.
func (s *server) streams(w http.ResponseWriter, r *http.Request) {
	if !s.gate.Guarded() {
		s.list(w, func(string) bool { return true })
		return
	}
	s.ask(w, r, func(who access.Request) error {
		may, err := s.gate.Watchable(r.Context(), who)
		if err == nil {
			s.list(w, may)
		}
		return err
	})
}

func (s *server) list(w http.ResponseWriter, may func(stream string) bool) {
	out := Streams{Streams: []segmenter.Status{}}
	for _, stream := range s.registry.Streams() {
		if !may(stream.Name()) {
			continue
		}
		status := stream.Status()
		status.WHIP, status.HLS = s.base+status.WHIP, s.link(status.Name).URL
		out.Streams = append(out.Streams, status)
	}
	write(w, out, s.log)
}

// write answers with v as JSON that nobody may keep.
func write(w http.ResponseWriter, v any, log *slog.Logger) {
	w.Header().Set("Content-Type", "application/json")
	send(w, http.StatusOK, v, log)
}

func send(w http.ResponseWriter, status int, v any, log *slog.Logger) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := json.Marshal(v)
	if err != nil {
		log.Error("an answer cannot be encoded", "err", err)
		http.Error(w, "the answer cannot be told in JSON", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	// The client left: there is nobody to tell.
	_, _ = w.Write(append(body, '\n'))
}
