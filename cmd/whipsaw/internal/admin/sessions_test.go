package admin

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/signaling"
)

// whip is a WHIP server at /whip/, for what it counts.
func whip(t *testing.T) (*signaling.Server, http.Handler) {
	t.Helper()
	s, err := signaling.New(signaling.Config{UDPAddress: "127.0.0.1:0"}, registry(t, 0), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, s.Close(ctx))
	})
	r := chi.NewRouter()
	r.Route("/whip", s.Routes)
	return s, r
}

// Sessions and refusals are told by their reasons, also by those that have not occurred yet.
func TestSessionMetrics(t *testing.T) {
	s, posts := whip(t)
	r := httptest.NewRequest(http.MethodPost, "http://localhost/whip/live", strings.NewReader("no SDP"))
	r.Header.Set("Content-Type", "application/sdp")
	w := httptest.NewRecorder()
	posts.ServeHTTP(w, r)
	require.Equal(t, http.StatusBadRequest, w.Code)

	out := chi.NewRouter()
	Routes(out, Sources{Registry: registry(t, 0), WHIP: s})
	w = httptest.NewRecorder()
	out.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		"whipsaw_sessions 0\n",
		`whipsaw_sessions_ended_total{reason="not-connected"} 0`,
		`whipsaw_sessions_ended_total{reason="silent"} 0`,
		`whipsaw_publish_refused_total{problem="malformed"} 1`,
		`whipsaw_publish_refused_total{problem="rate"} 0`,
	} {
		require.Contains(t, w.Body.String(), line)
	}
}
