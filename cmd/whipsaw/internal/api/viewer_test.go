package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/segmenter"
)

const watchKey = "0123456789abcdef0123456789abcdef"

// guarded is the API of a server with two streams where signed links are needed, or not.
func guarded(t *testing.T, keys ...string) http.Handler {
	log := slog.New(slog.DiscardHandler)
	registry := segmenter.NewRegistry(segmenter.DefaultConfig(), log)
	t.Cleanup(registry.Close)
	for _, name := range []string{"yard", "studio-1"} {
		_, err := registry.Publish(name, segmenter.PublisherConfig{Tracks: []segmenter.TrackConfig{{Kind: segmenter.Video}}})
		require.NoError(t, err)
	}
	eyes, err := access.NewToken(access.Watch, "studio-*", "eyes")
	require.NoError(t, err)
	gate, err := access.New(access.Config{Tokens: []access.Token{eyes}, WatchKeys: keys, WatchFor: time.Hour}, log)
	require.NoError(t, err)
	t.Cleanup(gate.Close)
	r := chi.NewRouter()
	Routes(r, config(t, registry, gate, "https://tv.example/live"), log)
	return r
}

func ask(h http.Handler, method, path, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const signedSegment = `~\d{10}~[A-Za-z0-9_-]{43}`

func TestLink(t *testing.T) {
	h := guarded(t, watchKey)
	for _, c := range []struct {
		stream, authorization string
		status                int
		kind                  string
	}{
		{"studio-1", "Bearer eyes", 200, ""},
		{"studio-2", "Bearer eyes", 200, ""}, // it may come
		{"yard", "Bearer eyes", 403, "forbidden"},
		{"studio-1", "Bearer no", 401, "unauthorized"},
		{"studio-1", "Basic eyes", 401, "unauthorized"},
		{"studio-1", "", 401, "unauthorized"},
		{"no%20name", "Bearer eyes", 404, "no-such-stream"},
		{".hidden", "Bearer eyes", 404, "no-such-stream"},
	} {
		w := ask(h, "POST", "/api/watch/"+c.stream, c.authorization)
		require.Equal(t, c.status, w.Code, "%v", c)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, c.status == 401, w.Header().Get("WWW-Authenticate") != "")
		if c.kind != "" {
			var p problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			require.Equal(t, "urn:whipsaw:problem:"+c.kind, p.Type)
			require.Equal(t, c.status, p.Status)
			require.NotEmpty(t, p.Title)
			require.NotEmpty(t, p.Detail)
			continue
		}
		var l Link
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &l))
		require.Regexp(t, "^https://tv.example/live/hls/"+signedSegment+"/"+c.stream+"/index.m3u8$", l.URL)
		require.Regexp(t, "^https://tv.example/live/watch/"+signedSegment+"/"+c.stream+"$", l.Page)
		left := time.Until(*l.Expires)
		require.Greater(t, left, 59*time.Minute)
		require.LessOrEqual(t, left, 61*time.Minute)
		require.Contains(t, l.URL, fmt.Sprintf("~%d~", l.Expires.Unix()))
	}
	require.Equal(t, http.StatusMethodNotAllowed, ask(h, "GET", "/api/watch/studio-1", "Bearer eyes").Code)
	preflight := ask(h, "OPTIONS", "/api/watch/studio-1", "")
	require.Equal(t, http.StatusNoContent, preflight.Code)
	require.Contains(t, preflight.Header().Get("Access-Control-Allow-Headers"), "Authorization")
}

// Where all may watch, links are plain and cost nothing.
func TestLinkWithoutKey(t *testing.T) {
	w := ask(guarded(t), "POST", "/api/watch/yard", "")
	require.JSONEq(t, `{"url":"https://tv.example/live/hls/yard/index.m3u8","page":"https://tv.example/live/watch/yard"}`, w.Body.String())
}

// Strangers do not learn what is live; others see what they may watch, by addresses that they can use.
func TestStreamsAreForViewers(t *testing.T) {
	h := guarded(t, watchKey)
	for _, stranger := range []string{"", "Bearer no"} {
		w := ask(h, "GET", "/api/streams", stranger)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.NotContains(t, w.Body.String(), "yard")
	}
	w := ask(h, "GET", "/api/streams", "Bearer eyes")
	require.Equal(t, http.StatusOK, w.Code)
	require.NotContains(t, w.Body.String(), "yard")
	var out struct {
		Streams []struct{ Name, HLS, WHIP string }
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
	require.Len(t, out.Streams, 1)
	require.Equal(t, "studio-1", out.Streams[0].Name)
	require.Equal(t, "https://tv.example/live/whip/studio-1", out.Streams[0].WHIP)
	require.Regexp(t, "^https://tv.example/live/hls/"+signedSegment+"/studio-1/index.m3u8$", out.Streams[0].HLS)
	require.Contains(t, ask(guarded(t), "GET", "/api/streams", "").Body.String(), "yard", "without a key all is open")
}

// Nobody finds a token by trying; others, and those who know theirs, are not in the way of that.
func TestGuesses(t *testing.T) {
	h := guarded(t, watchKey)
	try := func(from, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/api/watch/studio-1", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for range 5 * guessBurst {
		require.Equal(t, http.StatusOK, try("192.0.2.1:1", "eyes").Code)
	}
	for range guessBurst {
		try("192.0.2.1:1", "wrong")
		try("[2001:db8::1]:1", "wrong")
	}
	limited := try("192.0.2.1:2", "eyes")
	require.Equal(t, http.StatusTooManyRequests, limited.Code, "not even the right one")
	require.NotEmpty(t, limited.Header().Get("Retry-After"))
	require.Contains(t, limited.Body.String(), "urn:whipsaw:problem:rate")
	require.Equal(t, http.StatusTooManyRequests, try("[2001:db8::2]:1", "eyes").Code, "one subscriber")
	require.Equal(t, http.StatusOK, try("192.0.2.2:1", "eyes").Code)
	require.Equal(t, http.StatusOK, try("unknown", "eyes").Code)
}

func TestGuessersAreBounded(t *testing.T) {
	g := newGuesses()
	ip := netip.MustParseAddr("10.0.0.0")
	for range 2 * maxGuesser {
		g.wrong(ip)
		ip = ip.Next()
	}
	require.Len(t, g.byAddr, maxGuesser)
}

// Nothing that is answered repeats what was shown.
func TestNoSecretInProblems(t *testing.T) {
	h := guarded(t, watchKey)
	for _, path := range []string{"/api/watch/yard", "/api/watch/studio-1", "/api/streams"} {
		method := map[bool]string{true: "GET", false: "POST"}[strings.HasSuffix(path, "streams")]
		for _, token := range []string{"s3cret", "eyes"} {
			w := ask(h, method, path, "Bearer "+token)
			for _, secret := range []string{token, watchKey} {
				require.NotContains(t, w.Body.String()+fmt.Sprint(w.Header()), secret, path)
			}
		}
	}
}
