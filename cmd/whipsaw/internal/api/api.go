// Package api answers what programs and the pages ask about streams, in JSON.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"whipsaw/segmenter"
)

// Streams is the body of GET /api/streams.
type Streams struct {
	Streams []segmenter.Status `json:"streams"` // sorted by name; never null
}

// Routes mounts GET and HEAD /api/streams on r. What they tell of addresses begins with base: a path prefix, or the URL
// that the world knows.
func Routes(r chi.Router, registry *segmenter.Registry, base string, log *slog.Logger) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		out := Streams{Streams: []segmenter.Status{}}
		for _, s := range registry.Streams() {
			status := s.Status()
			status.WHIP, status.HLS = base+status.WHIP, base+status.HLS
			out.Streams = append(out.Streams, status)
		}
		write(w, out, log)
	}
	r.Get("/api/streams", h)
	r.Head("/api/streams", h)
}

// write answers with v as JSON that nobody may keep.
func write(w http.ResponseWriter, v any, log *slog.Logger) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := json.Marshal(v)
	if err != nil {
		log.Error("an answer cannot be encoded", "err", err)
		http.Error(w, "the answer cannot be told in JSON", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json")
	// The client left: there is nobody to tell.
	_, _ = w.Write(append(body, '\n'))
}
