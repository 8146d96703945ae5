package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocalOnly(t *testing.T) {
	h := localOnly(slog.New(slog.DiscardHandler), nil)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, c := range []struct {
		host, origin string
		ok           bool
	}{
		{"127.0.0.1:8080", "", true},
		{"127.0.0.1", "", true},
		{"127.99.0.1:1", "", true},
		{"localhost:8080", "", true},
		{"LOCALHOST.", "", true},
		{"demo.localhost:8080", "", true},
		{"[::1]:8080", "", true},
		{"[::ffff:127.0.0.1]:8080", "", true},
		{"127.0.0.1:8080", "http://127.0.0.1:8080", true},
		{"127.0.0.1:8080", "http://localhost:3000", true}, // a page in development on the same machine
		{"example.com", "", false},
		{"192.168.0.1:8080", "", false},
		{"127.0.0.1.example.com", "", false},
		{"localhost.example.com:8080", "", false},
		{"notlocalhost", "", false},
		{"", "", false},
		{"127.0.0.1:8080", "https://example.com", false},
		{"127.0.0.1:8080", "null", false},
		{"127.0.0.1:8080", "http://127.0.0.1.example.com", false},
		{"127.0.0.1:8080", "http://%zz", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		want := http.StatusForbidden
		if c.ok {
			want = http.StatusNoContent
		}
		require.Equal(t, want, w.Code, "Host %q, Origin %q", c.host, c.origin)
		if !c.ok {
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Contains(t, w.Body.String(), "WHIPSAW_PUBLISH_TOKEN", "it says what to do")
		}
	}
}

// Pages that the operator names may read, but not under a name of their own.
func TestLocalOnlyWithListedOrigins(t *testing.T) {
	h := localOnly(slog.New(slog.DiscardHandler), func() []string { return []string{"https://a.example"} })(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:8080", "https://a.example", http.StatusNoContent},
		{"127.0.0.1:8080", "", http.StatusNoContent},
		{"127.0.0.1:8080", "https://b.example", http.StatusForbidden},
		{"127.0.0.1:8080", "http://a.example", http.StatusForbidden},
		{"a.example", "https://a.example", http.StatusForbidden},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		r.Header.Set("Origin", c.origin)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, c.want, w.Code, "%+v", c)
	}
}
