package api

import (
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/segmenter"
)

func TestStreams(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	registry := segmenter.NewRegistry(segmenter.DefaultConfig(), log)
	t.Cleanup(registry.Close)
	gate, err := access.New(access.Config{}, log)
	require.NoError(t, err)
	t.Cleanup(gate.Close)
	r := chi.NewRouter()
	Routes(r, config(t, registry, gate, "/below"), log)
	ask := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(method, "/api/streams", nil))
		return w
	}
	w := ask(http.MethodGet)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.JSONEq(t, `{"streams":[]}`, w.Body.String(), "an empty list is no null")

	for _, name := range []string{"b", "a"} {
		_, err := registry.Publish(name, segmenter.PublisherConfig{Session: "s-" + name, UserAgent: "test/1", Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
		require.NoError(t, err)
	}
	type stream struct {
		Name, State, WHIP, HLS string
		Publisher              struct {
			Session   string
			UserAgent string `json:"user_agent"`
		}
	}
	want := stream{Name: "a", State: "waiting", WHIP: "/below/whip/a", HLS: "/below/hls/a/index.m3u8"}
	want.Publisher.Session, want.Publisher.UserAgent = "s-a", "test/1"
	require.EventuallyWithT(t, func(t *assert.CollectT) { // a stream tells of a publisher a moment after it came
		var out struct{ Streams []stream }
		require.NoError(t, json.Unmarshal(ask(http.MethodGet).Body.Bytes(), &out))
		require.Len(t, out.Streams, 2)
		require.Equal(t, want, out.Streams[0])
	}, time.Minute, 10*time.Millisecond)

	require.Equal(t, http.StatusOK, ask(http.MethodHead).Code)
	require.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost).Code)
}

func TestWriteSaysWhenItCannot(t *testing.T) {
	w := httptest.NewRecorder()
	write(w, math.NaN(), slog.New(slog.DiscardHandler))
	require.Equal(t, http.StatusInternalServerError, w.Code)
}
