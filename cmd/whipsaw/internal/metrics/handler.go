package metrics

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// atOnce bounds how many pages are made at a time: each looks at every stream.
const atOnce = 3

// Handler answers with what the collectors tell.
func Handler(from ...Collector) http.Handler {
	room := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			h.Set("Retry-After", "1")
			http.Error(w, "metrics are being read by others", http.StatusServiceUnavailable)
			return
		}
		text := Collect(from...).Text()
		h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		h.Set("Vary", "Accept-Encoding")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			_, _ = w.Write(text) // who asked has left
			return
		}
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(text) // as above
		_ = z.Close()
	})
}
