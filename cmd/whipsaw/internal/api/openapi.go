package api

import (
	_ "embed" // the description
	"net/http"
)

//go:embed openapi.yaml
var description []byte

// describe answers with the OpenAPI description of all of this.
func (s *server) describe(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/yaml") // RFC 9512
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	// The client left: there is nobody to tell.
	_, _ = w.Write(description)
}
