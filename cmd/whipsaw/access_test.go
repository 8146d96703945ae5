package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
)

const (
	testWatchKey  = "the-key-that-the-links-of-this-test-are-signed-with"
	testJWTSecret = "the-secret-of-the-JSON-Web-Tokens-of-this-test"
)

// webToken is a JSON Web Token with these rights.
func webToken(t *testing.T, rights map[string]any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix(), "whipsaw": rights}).SignedString([]byte(testJWTSecret))
	require.NoError(t, err)
	return token
}

// bearer sends one request with a token and returns the answer with its body.
func (s *instance) bearer(method, path, token string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.URL()+path, nil)
	require.NoError(s.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer, string(body)
}

// A publisher comes with a JSON Web Token, a viewer gets a signed link for another one, and plays by it: nobody else does.
func TestPublishAndWatchByRight(t *testing.T) {
	realTime(t, loadStream)
	s := serve(t, "--jwt-secret", testJWTSecret, "--watch-key", testWatchKey, "--path-prefix", "/tv")
	publisher := webToken(t, map[string]any{"publish": []string{"studio-*"}})
	viewer := webToken(t, map[string]any{"watch": "studio-1"})

	send := func(ctx context.Context, stream, token string) error {
		m, err := publish.Open(demo.Clip())
		require.NoError(t, err)
		return publish.Run(ctx, m, publish.Options{
			URL: s.URL() + "/whip/" + stream, Token: token, Loop: true, UserAgent: "test", Log: slog.New(slog.DiscardHandler),
		})
	}
	require.ErrorContains(t, send(t.Context(), "yard", publisher), "403")
	require.ErrorContains(t, send(t.Context(), "studio-1", viewer), "403")
	require.ErrorContains(t, send(t.Context(), "studio-1", publisher+"x"), "401")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- send(ctx, "studio-1", publisher) }()

	answer, body := s.bearer("POST", "/api/watch/studio-1", viewer)
	require.Equal(t, http.StatusOK, answer.StatusCode, body)
	var link api.Link
	require.NoError(t, json.Unmarshal([]byte(body), &link))
	prefix, ok := strings.CutSuffix(strings.TrimPrefix(link.URL, "/tv/hls/"), "/index.m3u8")
	require.True(t, ok, link.URL)

	_, video, audio := s.multivariant(prefix)
	together(t, video, audio, func(f *follower) bool { return f.segments >= 1 && f.blocked >= 1 })
	require.Empty(t, video.violations)
	require.Contains(t, video.base.Path, "/hls/~")

	// Every link leads to the same bytes under the same tag; a proxy is told the same.
	keys := access.WatchKeys{testWatchKey}
	piece := strings.TrimPrefix(video.base.Path, "/tv/hls/"+strings.TrimSuffix(prefix, "studio-1"))
	piece = piece[:strings.LastIndex(piece, "/")] + "/" + firstOf(video)
	one, bytes := s.bearer("GET", "/hls/"+keys.Sign("studio-1", time.Now().Add(time.Minute))+"/"+piece, "")
	require.Equal(t, http.StatusOK, one.StatusCode)
	two, again := s.bearer("GET", "/hls/"+keys.Sign("studio-1", time.Now().Add(time.Hour))+"/"+piece, "")
	require.Equal(t, one.Header.Get("ETag"), two.Header.Get("ETag"))
	require.NotEmpty(t, one.Header.Get("ETag"))
	require.Equal(t, bytes, again)
	require.Equal(t, one.Header.Get("Cache-Control"), two.Header.Get("Cache-Control"))

	code, printed, _ := say(t, "sign", "studio-1", "--watch-key", testWatchKey, "--for", "1m", "--url", s.URL())
	require.Zero(t, code)
	lines := strings.Fields(printed)
	require.Len(t, lines, 2)
	for _, url := range lines {
		status, _, _ := fetch(t, url)
		require.Equal(t, http.StatusOK, status, url)
	}

	for path, status := range map[string]int{
		"/hls/" + prefix + "/index.m3u8": 200,
		"/hls/studio-1/index.m3u8":       403,
		"/hls/" + piece:                  403,
		"/hls/" + strings.Replace(prefix, "studio-1", "studio-2", 1) + "/index.m3u8":    403,
		"/hls/" + keys.Sign("studio-1", time.Now()) + "/studio-1/index.m3u8":            403,
		"/hls/" + keys.Sign("studio-1", time.Now()) + "/" + piece:                       403,
		"/hls/" + keys.Sign("nobody", time.Now().Add(time.Hour)) + "/nobody/index.m3u8": 404,
	} {
		answer, _ := s.bearer("GET", path, publisher, "Origin", "https://example.com")
		require.Equal(t, status, answer.StatusCode, path)
		require.Equal(t, "*", answer.Header.Get("Access-Control-Allow-Origin"), path)
		verdict, _ := s.bearer("GET", "/auth/watch", "", "X-Original-URI", "/tv"+path)
		require.Equal(t, map[bool]int{true: 403, false: 204}[status == 403], verdict.StatusCode, path)
		if status != 200 {
			require.Equal(t, "no-store", answer.Header.Get("Cache-Control"), path)
		}
	}
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, s.stop())
	_, signature, _ := strings.Cut(strings.TrimPrefix(prefix, "~"), "~")
	for _, secret := range []string{testWatchKey, testJWTSecret, publisher, viewer, strings.Split(signature, "/")[0]} {
		require.NotContains(t, s.log.String()+s.out.String(), secret)
	}
}

// firstOf is a part that a follower has fetched.
func firstOf(f *follower) string { return f.samples[len(f.samples)-1].part }

// Of all that is shown to the server, nothing comes out again: in no answer, no log line, no metric, in no way to ask.
func TestSecretsStayIn(t *testing.T) {
	asked := make(chan string, 100)
	operator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a cut body is not the one that is looked for
		asked <- string(body)
		w.WriteHeader(map[bool]int{true: 200, false: 500}[strings.Contains(string(body), "op3rator-good")])
		_, _ = w.Write(body)
	}))
	defer operator.Close()
	url := strings.Replace(operator.URL, "http://", "http://op3rator-name:op3rator-pass@", 1) + "/?key=op3rator-key"
	s := serve(t, "--publish-token", "t0ken-all", "--stream-token", "a=t0ken-a", "--watch-token", "a=t0ken-w", "--jwt-secret", testJWTSecret,
		"--auth-url", url, "--watch-key", testWatchKey)
	expired, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": 1}).SignedString([]byte(testJWTSecret))
	require.NoError(t, err)
	shown := []string{"t0ken-all", "t0ken-a", "t0ken-w", "t0ken-wrong", "op3rator-good", "op3rator-bad", expired, webToken(t, nil), webToken(t, map[string]any{"publish": "a", "watch": "b"})}
	link := access.WatchKeys{testWatchKey}.Sign("a", time.Now().Add(time.Hour))
	_, signature, _ := strings.Cut(link[1:], "~")
	paths := []string{"/whip/a", "/whip/b", "/whip/a/s3ssion", "/hls/a/index.m3u8", "/hls/" + link + "/a/index.m3u8", "/hls/" + link + "/b/index.m3u8", "/watch/" + link + "/a",
		"/watch/a", "/api/streams", "/api/watch/a", "/api/watch/b", "/auth/watch", "/nothing", "/hls/" + link}
	var answers strings.Builder
	for _, token := range shown {
		for _, path := range paths {
			for _, method := range []string{"GET", "POST", "PATCH", "DELETE", "OPTIONS"} {
				answer, body := s.bearer(method, path, token, "X-Original-URI", "/hls/"+link+"/a/x", "Content-Type", "application/sdp", "Referer", s.URL()+"/watch/"+link+"/a")
				if path == "/api/watch/a" && answer.StatusCode == http.StatusOK {
					body = "" // a link is what was asked for
				}
				fmt.Fprintln(&answers, method, answer.Status, answer.Header, body)
			}
		}
	}
	require.NotEmpty(t, asked)
	_, _, metrics := fetch(t, s.AdminURL()+"/metrics")
	require.NoError(t, s.stop())
	secrets := append([]string{testWatchKey, testJWTSecret, "op3rator", signature, "s3ssion"}, shown...)
	for what, text := range map[string]string{"answers": answers.String(), "log": s.log.String(), "output": s.out.String(), "metrics": string(metrics)} {
		require.NotEmpty(t, text, what)
		for _, secret := range secrets {
			require.NotContains(t, text, secret, what)
		}
	}
}
