package signaling

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// Every status that a request can get without a media connection.
func TestStatuses(t *testing.T) {
	f := serve(t, Config{MaxBody: 4096})
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		kind                     string
	}{
		{"RFC9725_4_2 wrong type", "POST", "/whip/live", plain, []string{"Content-Type", "application/json"}, 415, "content-type"},
		{"no type", "POST", "/whip/live", plain, nil, 415, "content-type"},
		{"type with parameters, capitals", "POST", "/whip/type", plain, []string{"Content-Type", "Application/SDP; charset=utf-8"}, 201, ""},
		{"type with a broken parameter", "POST", "/whip/type2", plain, []string{"Content-Type", "application/sdp; charset"}, 201, ""},
		{"malformed", "POST", "/whip/live", "v=1\r\n", []string{"Content-Type", "application/sdp"}, 400, "malformed"},
		{"too large", "POST", "/whip/live", strings.Repeat("x", 4097), []string{"Content-Type", "application/sdp"}, 413, "too-large"},
		{"RFC9725_4_1 GET", "GET", "/whip/live", "", nil, 204, ""},
		{"RFC9725_4_1 HEAD", "HEAD", "/whip/live", "", nil, 204, ""},
		{"PUT", "PUT", "/whip/live", "", nil, 405, "method"},
		{"PATCH on the endpoint", "PATCH", "/whip/live", "", nil, 405, "method"},
		{"DELETE on the endpoint", "DELETE", "/whip/live", "", nil, 405, "method"},
		{"trailing slash", "GET", "/whip/live/", "", nil, 204, ""},
		{"POST with a trailing slash", "POST", "/whip/slash/", plain, []string{"Content-Type", "application/sdp"}, 201, ""},
		{"bad stream name", "POST", "/whip/.hidden", plain, []string{"Content-Type", "application/sdp"}, 404, "no-such-stream"},
		{"escaped stream name", "POST", "/whip/a%2Fb", plain, []string{"Content-Type", "application/sdp"}, 404, "no-such-stream"},
		{"long stream name", "GET", "/whip/" + strings.Repeat("a", 65), "", nil, 404, "no-such-stream"},
		{"no stream", "POST", "/whip/", plain, []string{"Content-Type", "application/sdp"}, 404, "no-such-path"},
		{"deeper path", "GET", "/whip/a/b/c", "", nil, 404, "no-such-path"},
		{"unknown session", "GET", "/whip/live/nobody", "", nil, 404, "no-such-session"},
		{"DELETE of an unknown session", "DELETE", "/whip/live/nobody", "", nil, 404, "no-such-session"},
		{"PATCH of an unknown session", "PATCH", "/whip/live/nobody", "", nil, 404, "no-such-session"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := f.do(c.method, c.path, c.body, c.headers...)
			require.Equal(t, c.status, r.status, r.body)
			require.Equal(t, c.kind, r.kind())
			require.Equal(t, "*", r.header.Get("Access-Control-Allow-Origin"))
			if c.status == 405 {
				require.Equal(t, endpointMethods, r.header.Get("Allow"))
			}
			if c.status == 204 {
				require.Empty(t, r.body)
			}
		})
	}
}

// RFC 9725 4.2: 201 with the answer, Location, ETag and what older clients look for.
func TestRFC9725_4_2_Created(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live/", recorded(t, "obs.sdp"))
	require.Equal(t, http.StatusCreated, r.status)
	require.Equal(t, "application/sdp", r.header.Get("Content-Type"))
	require.Equal(t, "application/trickle-ice-sdpfrag", r.header.Get("Accept-Patch"))
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
	require.Regexp(t, `^"[A-Za-z0-9_-]{16}"$`, r.header.Get("ETag"), "strong and quoted")
	// an absolute path without a query: OBS joins it to the host
	require.Regexp(t, `^/whip/live/[A-Za-z0-9_-]{27}$`, r.header.Get("Location"))
	again := f.post("/whip/other", recorded(t, "obs.sdp"))
	require.NotEqual(t, r.header.Get("ETag"), again.header.Get("ETag"))
	require.NotEqual(t, r.header.Get("Location"), again.header.Get("Location"))
	require.Equal(t, http.StatusNoContent, f.do("GET", r.header.Get("Location"), "").status)
	require.Equal(t, http.StatusNoContent, f.do("HEAD", r.header.Get("Location")+"/", "").status)
	require.Equal(t, http.StatusNotFound, f.do("GET", strings.Replace(r.header.Get("Location"), "live", "other", 1), "").status)
	bad := f.do("PUT", r.header.Get("Location"), "")
	require.Equal(t, http.StatusMethodNotAllowed, bad.status)
	require.Equal(t, sessionMethods, bad.header.Get("Allow"))
}

// RFC 9725 4.1: OPTIONS and preflights carry no token and pass.
func TestRFC9725_4_1_Options(t *testing.T) {
	f := serve(t, Config{Authorize: only("secret")})
	for path, methods := range map[string]string{"/whip/live": endpointMethods, "/whip/live/any": sessionMethods} {
		r := f.do("OPTIONS", path, "", "Origin", "https://studio.example", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization,content-type")
		require.Equal(t, http.StatusOK, r.status)
		require.Empty(t, r.body)
		require.Equal(t, "*", r.header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, methods, r.header.Get("Access-Control-Allow-Methods"))
		for _, h := range []string{"Authorization", "Content-Type", "If-Match"} {
			require.Contains(t, r.header.Get("Access-Control-Allow-Headers"), h)
		}
		for _, h := range []string{"Location", "ETag", "Link", "Accept-Patch", "Accept-Post", "Retry-After", "Access-Control-Allow-Methods"} {
			require.Contains(t, r.header.Get("Access-Control-Expose-Headers"), h)
		}
		require.Empty(t, r.header.Get("Link"), "servers' credentials are not for everybody")
	}
	require.Equal(t, "application/sdp", f.do("OPTIONS", "/whip/live", "").header.Get("Accept-Post"))
	require.Equal(t, "application/trickle-ice-sdpfrag", f.do("OPTIONS", "/whip/live/x", "").header.Get("Accept-Patch"))
}

// RFC 9457: a problem is a document with a stable type, and nobody caches it.
func TestProblemDocument(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", recorded(t, "wrtc.sdp"))
	require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
	require.JSONEq(t, `{"type":"urn:whipsaw:problem:codec-not-supported","title":"No supported codec","status":422,
		"detail":"this offer has only VP8, AV1 and VP9 for video; enable H.264 in the encoder"}`, r.body)
}

// RFC 9725 4.7: Bearer tokens.
func TestRFC9725_4_7_Bearer(t *testing.T) {
	f := serve(t, Config{Authorize: only("secret")})
	for _, wrong := range []string{"", "Bearer wrong", "Bearer", "Bearer ", "Basic c2VjcmV0", "secret", "Bearer undefined", "Bearer secret2"} {
		r := f.post("/whip/live", plain, "Authorization", wrong)
		require.Equal(t, http.StatusUnauthorized, r.status, wrong)
		require.Contains(t, r.header.Get("WWW-Authenticate"), "Bearer")
		require.Equal(t, "unauthorized", r.kind())
	}
	require.Zero(t, f.server.Sessions())
	var last reply
	for i, right := range []string{"Bearer secret", "bearer secret", "BEARER  secret "} {
		last = f.post(fmt.Sprint("/whip/live", i), plain, "Authorization", right, "Origin", "https://studio.example", "Host", "whip.example")
		require.Equal(t, http.StatusCreated, last.status, right)
	}
	// the session URL is the permission; a wrong token is refused nevertheless
	loc := last.header.Get("Location")
	require.Equal(t, http.StatusUnauthorized, f.do("DELETE", loc, "", "Authorization", "Bearer wrong").status)
	require.Equal(t, http.StatusUnauthorized, f.do("PATCH", loc, "", "Authorization", "Bearer wrong").status)
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
	require.NotContains(t, f.logs.String(), "secret")
}

// Clients that were given no token send "undefined".
func TestBearerUndefinedWithoutAuth(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain, "Authorization", "Bearer undefined")
	require.Equal(t, http.StatusCreated, r.status)
	require.Equal(t, http.StatusOK, f.do("DELETE", r.header.Get("Location"), "", "Authorization", "Bearer undefined").status)
}

// Without a token no web page may publish, neither directly nor by DNS rebinding.
func TestSecureByDefault(t *testing.T) {
	f := serve(t, Config{})
	host := strings.TrimPrefix(f.http.URL, "http://")
	_, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	cases := []struct {
		host, origin string
		status       int
	}{
		{host, "", 201},
		{host, "http://" + host, 201},
		{"localhost:" + port, "http://localhost:" + port, 201},
		{"LOCALHOST.", "", 201},
		{"stream.localhost:" + port, "", 201},
		{"[::1]:" + port, "http://[::1]:" + port, 201},
		{"127.9.8.7", "http://127.9.8.7", 201},
		{"localhost", "https://localhost", 201},
		{host, "https://evil.example", 403},
		{host, "http://127.0.0.1:1", 403},
		{host, "http://localhost:" + port, 403},
		{host, "null", 403},
		{host, "%", 403},
		{"evil.example", "", 403},
		{"evil.example:" + port, "http://evil.example:" + port, 403},
		{"127.0.0.1.evil.example", "", 403},
		{"localhost.evil.example", "", 403},
		{"192.0.2.7", "", 403},
	}
	for i, c := range cases {
		headers := []string{"Host", c.host}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		r := f.post(fmt.Sprint("/whip/s", i), plain, headers...)
		require.Equal(t, c.status, r.status, "%+v %s", c, r.body)
		if c.status == 403 {
			require.Equal(t, "foreign-origin", r.kind())
			require.Contains(t, r.detail(), "token")
		}
	}
	open := serve(t, Config{OpenPublish: true})
	require.Equal(t, 201, open.post("/whip/live", plain, "Host", "whip.example", "Origin", "https://studio.example").status)
}

// The bound on requests from one address; others are let in meanwhile.
func TestRateLimit(t *testing.T) {
	f := serve(t, Config{RateBurst: 3, RateLimit: 0.1})
	for range 3 {
		require.Equal(t, http.StatusBadRequest, f.post("/whip/live", "x").status)
	}
	r := f.post("/whip/live", plain)
	require.Equal(t, http.StatusTooManyRequests, r.status)
	require.Equal(t, "rate", r.kind())
	require.Regexp(t, `^([1-9]|10)$`, r.header.Get("Retry-After"))
	require.Equal(t, http.StatusNoContent, f.do("GET", "/whip/live", "").status, "only POST is counted")
}

// The bound on sessions, and that their places come back.
func TestSessionCap(t *testing.T) {
	f := serve(t, Config{MaxSessions: 2})
	a := f.post("/whip/a", plain)
	require.Equal(t, http.StatusCreated, a.status)
	require.Equal(t, http.StatusCreated, f.post("/whip/b", plain).status)
	for range 3 { // refused offers take no place either
		r := f.post("/whip/c", plain)
		require.Equal(t, http.StatusServiceUnavailable, r.status)
		require.Equal(t, "overloaded", r.kind())
		require.Equal(t, "10", r.header.Get("Retry-After"))
	}
	require.Equal(t, http.StatusOK, f.do("DELETE", a.header.Get("Location"), "").status)
	require.Equal(t, http.StatusBadRequest, f.post("/whip/c", "x").status)
	require.Equal(t, http.StatusCreated, f.post("/whip/c", plain).status)
}

// A body that trickles in does not hold a place for ever.
func TestSlowBody(t *testing.T) {
	f := serve(t, Config{BodyTimeout: 50 * time.Millisecond, MaxSessions: 1})
	c, err := net.Dial("tcp", strings.TrimPrefix(f.http.URL, "http://"))
	require.NoError(t, err)
	defer c.Close()
	_, err = fmt.Fprint(c, "POST /whip/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nContent-Length: 100\r\n\r\nv=0\r\n")
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusRequestTimeout, res.StatusCode)
	require.Equal(t, http.StatusCreated, f.post("/whip/live", plain).status, "its place is free again")
}

// A closing server refuses and says when to come back.
func TestClosing(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain)
	require.NoError(t, f.server.Close(context.Background()))
	late := f.post("/whip/late", plain)
	require.Equal(t, http.StatusServiceUnavailable, late.status)
	require.Equal(t, "closing", late.kind())
	require.NotEmpty(t, late.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, f.do("DELETE", r.header.Get("Location"), "").status, "it ended, and has a tombstone")
	require.NoError(t, f.server.Close(context.Background()))
}

// What the registry says decides the status.
func TestPublishProblems(t *testing.T) {
	for err, want := range map[error]struct {
		status int
		kind   string
	}{
		segmenter.ErrBusy:    {409, "busy"},
		segmenter.ErrBlocked: {403, "blocked"},
		segmenter.ErrName:    {404, "no-such-stream"},
		segmenter.ErrTooMany: {503, "overloaded"}, segmenter.ErrMemory: {503, "memory"},
		segmenter.ErrClosed: {503, "closing"},
		segmenter.ErrTracks: {422, "sections"},
		net.ErrClosed:       {500, "internal"},
	} {
		p := publishProblem(fmt.Errorf("wrapped: %w", err))
		require.Equal(t, want.status, p.status, err)
		require.Equal(t, want.kind, p.kind)
		require.NotEmpty(t, p.detail)
		if p.status == 503 {
			require.NotZero(t, p.retryAfter)
		}
	}
}
