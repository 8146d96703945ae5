package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/api"
)

func TestPathPrefix(t *testing.T) {
	s := serve(t, "--path-prefix", "/a/b", "--demo", "--public-url", "http://localhost:9000")
	require.True(t, strings.HasSuffix(s.URL(), "/a/b"))
	require.Contains(t, s.out.String(), "http://localhost:9000/a/b/watch/demo", "people are told what the world knows")
	root := strings.TrimSuffix(s.URL(), "/a/b")
	for path, status := range map[string]int{
		"/a/b": 200, "/a/b/": 200, "/a/b/watch/live": 200, "/a/b/static/style.css": 200, "/a/b/api/streams": 200, "/a/b/healthz": 200, "/healthz": 200,
		"/a/b/whip/live": 204, "/": 404, "/watch/live": 404, "/whip/live": 404, "/hls/demo/index.m3u8": 404, "/static/style.css": 404, "/a/bb": 404, "/a": 404,
	} {
		got, _, _ := fetch(t, root+path)
		require.Equal(t, status, got, path)
	}
	eventually(t, "the demo is there", func() bool {
		status, _, _ := fetch(t, s.URL()+"/hls/demo/index.m3u8")
		return status == http.StatusOK
	})
	_, _, body := fetch(t, s.URL()+"/api/streams")
	var out api.Streams
	require.NoError(t, json.Unmarshal(body, &out))
	require.Equal(t, "http://localhost:9000/a/b/hls/demo/index.m3u8", out.Streams[0].HLS)
	require.Equal(t, "http://localhost:9000/a/b/whip/demo", out.Streams[0].WHIP)
}

// Every answer of every room tells browsers to guess no types and to pass on no addresses; what is no page of ours nobody
// frames; and none says what runs here, or lists a folder.
func TestSecurityHeaders(t *testing.T) {
	s := serve(t, "--demo")
	s.multivariant("demo")
	folder, _, part := s.rendition("demo")
	for _, c := range []struct {
		method, path string
		media        bool
	}{
		{"GET", "/", false}, {"GET", "/watch/live", false}, {"GET", "/publish/live", false}, {"GET", "/watch/no%20name", false},
		{"GET", "/static/watch.js", false}, {"GET", "/static/", false}, {"GET", "/static/none.js", false}, {"GET", "/api/streams", false},
		{"GET", "/healthz", false}, {"GET", "/nothing", false}, {"POST", "/", false}, {"TRACE", "/", false}, {"GET", "/auth/watch", false},
		{"GET", "/whip/live", false}, {"POST", "/whip/live", false}, {"OPTIONS", "/whip/live", false}, {"DELETE", "/whip/live/x", false},
		{"GET", "/hls/demo/index.m3u8", true}, {"GET", folder + "media.m3u8", true}, {"GET", folder + part, true}, {"OPTIONS", "/hls/demo/index.m3u8", true},
		{"GET", "/hls/", true}, {"GET", folder, true}, {"GET", folder + "media.m3u8?_HLS_part=1", true}, {"PUT", "/hls/demo/index.m3u8", true},
	} {
		r, err := http.NewRequest(c.method, s.URL()+c.path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		body := string(readAll(t, answer))
		what := c.method + " " + c.path
		h := answer.Header
		require.Equal(t, []string{"nosniff"}, h.Values("X-Content-Type-Options"), what)
		if c.media {
			require.Empty(t, h.Values("Referrer-Policy"), what)
		} else {
			require.Len(t, h.Values("Referrer-Policy"), 1, what)
			require.Contains(t, []string{"no-referrer", "same-origin"}, h.Get("Referrer-Policy"), what)
		}
		require.Equal(t, !c.media, h.Get("Content-Security-Policy") != "", what)
		if !c.media && !strings.HasPrefix(c.path, "/watch/live") {
			require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", what)
			require.Equal(t, "DENY", h.Get("X-Frame-Options"), what)
		}
		for _, name := range []string{"Server", "X-Powered-By", "Via", "Strict-Transport-Security", "Alt-Svc"} {
			require.Empty(t, h.Get(name), what)
		}
		if c.path != "/api/streams" { // that tells what the publisher says of itself, which here is this program
			require.NotContains(t, body, version(), what)
		}
		require.NotContains(t, body, "go1.", what)
		if strings.HasSuffix(c.path, "/") && c.path != "/" {
			require.Equal(t, http.StatusNotFound, answer.StatusCode, "%s lists nothing", what)
		}
	}
}
