package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// --cors-origin says whose pages may play; the server's own, which need no leave, are never refused.
func TestCORSOrigins(t *testing.T) {
	s := serve(t, "--cors-origin=https://a.example", "--cors-origin=https://b.example")
	for origin, want := range map[string]struct {
		status int
		allow  string
	}{
		"":                  {http.StatusNotFound, ""},
		s.URL():             {http.StatusNotFound, ""}, // browsers ask for no leave within one origin
		"https://a.example": {http.StatusNotFound, "https://a.example"},
		"https://b.example": {http.StatusNotFound, "https://b.example"},
		"https://c.example": {http.StatusForbidden, ""}, // there is no token, so that pages from elsewhere are kept out
	} {
		r, err := http.NewRequest(http.MethodGet, s.URL()+"/hls/none/index.m3u8", nil)
		require.NoError(t, err)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, want.status, answer.StatusCode, origin)
		require.Equal(t, want.allow, answer.Header.Get("Access-Control-Allow-Origin"), origin)
	}
}
