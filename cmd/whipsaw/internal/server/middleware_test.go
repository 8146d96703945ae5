package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithoutSecret(t *testing.T) {
	for path, want := range map[string]string{
		"/whip/live":                      "/whip/live",
		"/whip/live/":                     "/whip/live/",
		"/whip/live/s3cret":               "/whip/live/***",
		"/whip/live/s3cret/":              "/whip/live/***",
		"/whip/live/s3cret/x/y":           "/whip/live/***",
		"/hls/live/index.m3u8":            "/hls/live/index.m3u8",
		"/hls/~17~s3cret/live/index.m3u8": "/hls/~17~***/live/index.m3u8",
		"/watch/~17~s3cret/live":          "/watch/~17~***/live",
		"/hls/~17~s3cret":                 "/hls/~17~***",
		"/":                               "/",
		"":                                "",
	} {
		require.Equal(t, want, withoutSecret(path))
	}
}

func logger(level slog.Level) (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level})), &b
}

func TestAccessLog(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("short"))
	})
	log, text := logger(slog.LevelDebug)
	r := httptest.NewRequest(http.MethodDelete, "/whip/live/s3cret?token=hidden", nil)
	r.Header.Set("Authorization", "Bearer hidden")
	accessLog(log)(answer).ServeHTTP(httptest.NewRecorder(), r)
	require.Contains(t, text.String(), "method=DELETE path=/whip/live/*** status=418 bytes=5")
	require.NotContains(t, text.String(), "s3cret")
	require.NotContains(t, text.String(), "hidden")

	log, text = logger(slog.LevelInfo)
	accessLog(log)(answer).ServeHTTP(httptest.NewRecorder(), r)
	require.Empty(t, text.String())
}

func TestRecovered(t *testing.T) {
	log, text := logger(slog.LevelInfo)
	fault := func(v any) http.Handler {
		return recovered(log)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(v) }))
	}
	w := httptest.NewRecorder()
	fault("out of cheese").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, text.String(), "out of cheese")
	require.NotContains(t, w.Body.String(), "cheese", "what went wrong is the operator's business")

	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		fault(http.ErrAbortHandler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil))
	}, "a handler may cut its connection")
}
