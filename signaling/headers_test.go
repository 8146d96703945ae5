package signaling

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"whipsaw/segmenter"
)

// open is a server with one session that waits for its publisher, without bounds on requests.
func open(f *testing.F, cfg Config) (h http.Handler, location string, n *session) {
	f.Helper()
	cfg.UDPAddress, cfg.RateLimit, cfg.RateBurst, cfg.ConnectTimeout = "127.0.0.1:0", 1e9, 1e9, time.Hour
	log := slog.New(slog.DiscardHandler)
	reg := segmenter.NewRegistry(segmenter.DefaultConfig(), log)
	s, err := New(cfg, reg, log)
	require.NoError(f, err)
	f.Cleanup(func() {
		require.NoError(f, s.Close(context.Background()))
		reg.Close()
	})
	r := chi.NewRouter()
	r.Route("/whip", s.Routes)
	req := httptest.NewRequest(http.MethodPost, "http://localhost/whip/live", strings.NewReader(plain))
	req.Header.Set("Content-Type", "application/sdp")
	req.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	require.Equal(f, http.StatusCreated, w.Code, w.Body.String())
	location = w.Header().Get("Location")
	n, _ = s.find("live", location[strings.LastIndexByte(location, '/')+1:])
	n.patches.SetLimit(rate.Inf)
	return r, location, n
}

// Whatever stands in the headers of a request, it is answered with a status of ours; who has not the token publishes
// nothing, and who does not know the ETag changes nothing.
func FuzzHeaders(f *testing.F) {
	handler, location, n := open(f, Config{Authorize: only("secret")})
	for i, v := range []string{"", "*", `"*"`, n.etag, "W/" + n.etag, `"x", ` + n.etag, "Bearer secret", "bearer  secret", "Basic c2VjcmV0",
		"application/sdp", "Application/SDP; charset=\"utf-8\"", fragmentType, "application/sdp;;=", "http://localhost", "null", "%", "[::1]:80", "\r\nX: y"} {
		f.Add(uint8(i), v, v, v, v, v, v)
		f.Add(uint8(i), n.etag, "", fragmentType, "Bearer secret", "", "localhost")
	}
	statuses := map[string][]int{
		"POST": {400, 401, 415}, "PATCH": {204, 400, 401, 412, 415, 428}, "GET": {204, 404}, "HEAD": {204, 404}, "OPTIONS": {200},
		"PUT": {404, 405}, "DELETE": {404, 405, 429},
	}
	methods := []string{"POST", "PATCH", "GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
	f.Fuzz(func(t *testing.T, which uint8, ifMatch, etag, contentType, auth, origin, host string) {
		method := methods[int(which)%len(methods)]
		path, body := "/whip/live", "x"
		switch method {
		case "PATCH":
			path, body = location, "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n"
		case "DELETE":
			path += "/nobody"
		}
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		r.Host = host
		for name, v := range map[string]string{"If-Match": ifMatch, "Etag": etag, "Content-Type": contentType, "Authorization": auth, "Origin": origin} {
			if v != "" {
				r.Header[name] = []string{v}
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Contains(t, statuses[method], w.Code, "%s: %s", method, w.Body.String())
		for name, values := range w.Header() {
			require.NotContains(t, strings.Join(append(values, name), ""), "\n")
		}
		if method == "POST" && w.Code != http.StatusUnauthorized {
			scheme, token, _ := strings.Cut(auth, " ")
			require.True(t, strings.EqualFold(scheme, "bearer") && strings.Trim(token, " ") == "secret", "%q is not the token", auth)
		}
		if w.Code == http.StatusNoContent && method == "PATCH" {
			tags := strings.Split(ifMatch, ",")
			if ifMatch == "" {
				tags = strings.Split(etag, ",")
			}
			for i := range tags {
				tags[i] = strings.TrimSpace(tags[i])
			}
			require.True(t, slices.Contains(tags, n.etag) || slices.Contains(tags, "*") || slices.Contains(tags, `"*"`), "%q", tags)
		}
		if w.Code/100 == 4 && method != "HEAD" {
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		}
	})
}

// Without tokens only this machine's own pages publish: no Host or Origin talks its way past that.
func FuzzGuard(f *testing.F) {
	handler, _, _ := open(f, Config{})
	for _, v := range []string{"localhost", "LOCALHOST.", "127.0.0.1:8080", "[::1]:1", "[::ffff:127.0.0.1]", "evil.example", "localhost.evil.example",
		"127.0.0.1.evil.example", "localhost:80:80", "localhost#", "null", "http://localhost", "https://[::1]", "http://localhost@evil.example", "//", "[", "::"} {
		f.Add(v, "")
		f.Add("localhost", v)
		f.Add(v, "http://"+v)
	}
	f.Fuzz(func(t *testing.T, host, origin string) {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/whip/live", strings.NewReader("x"))
		r.Host = host
		r.Header["Content-Type"] = []string{"application/sdp"}
		if origin != "" {
			r.Header["Origin"] = []string{origin}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusForbidden {
			return
		}
		require.Equal(t, http.StatusBadRequest, w.Code, "it came as far as to its body")
		lower := strings.ToLower(host)
		require.True(t, strings.Contains(lower, "localhost") || strings.Contains(lower, "127.") || strings.Contains(lower, ":1") ||
			strings.Contains(lower, ":7f") || strings.Contains(lower, ":0"), "%q is this machine?", host)
		require.False(t, strings.HasSuffix(strings.TrimRight(lower, ".:0123456789"), "example"), "%q", host)
		if origin != "" {
			u, err := url.Parse(origin)
			require.NoError(t, err)
			require.NotEmpty(t, u.Hostname())
			require.Contains(t, lower, strings.ToLower(u.Hostname()), "of the same host")
		}
	})
}

// Whatever ICE servers pass the check, their Links are one line, and OBS reads out of them what was put in.
func FuzzLink(f *testing.F) {
	f.Add("turn:turn.example.org:3478?transport=udp", "user", "pass+/=", "", "live")
	f.Add("stun:[2001:db8::1]", "", "", "", "a.b-c_d")
	f.Add("turns:h", "", "", "shared, secret; \"", "x")
	f.Add("turn:h>; rel=x, <stun:y", "u\"", "p;", "", "y")
	f.Fuzz(func(t *testing.T, url, user, password, secret, stream string) {
		s := ICEServers{URLs: []string{url}, User: user, Password: password, Secret: secret, Lifetime: time.Hour}
		if s.Check() != nil || !segmenter.ValidName(stream) {
			return
		}
		links := s.links(stream, time.Unix(1_900_000_000, 0))
		require.Len(t, links, 1)
		require.True(t, isToken(strings.ReplaceAll(links[0], " ", ""), 1, 4096), "%q", links[0])
		w := httptest.NewRecorder()
		w.Header().Add("Link", links[0])
		w.WriteHeader(http.StatusCreated)
		_, err := io.WriteString(w, "x")
		require.NoError(t, err)
		if strings.HasPrefix(url, "turns:") || strings.HasPrefix(url, "stuns:") {
			return // OBS passes over these
		}
		got := obsServers(w.Result().Header.Values("Link"))
		require.Len(t, got, 1)
		require.Equal(t, url, got[0].url)
		if isRelay(url) && secret == "" {
			require.Equal(t, iceServer{url, user, password}, got[0])
		}
		if isRelay(url) && secret != "" {
			require.True(t, strings.HasSuffix(got[0].user, ":"+stream))
			require.Len(t, got[0].password, 28)
		}
	})
}
