package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is an exchange with a server that answers as told.
func answering(t *testing.T, h http.HandlerFunc) *exchange {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	x, err := newExchange(Options{URL: s.URL + "/whip/live", Token: "secret"})
	require.NoError(t, err)
	return x
}

func reply(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// A refusal becomes a sentence.
func TestResponseErrors(t *testing.T) {
	problem := map[string]string{"Content-Type": "application/problem+json", "Retry-After": "7"}
	for _, c := range []struct {
		h    http.HandlerFunc
		want *ResponseError
		text string
	}{
		{
			reply(422, problem, `{"type":"urn:x","title":"T","status":422,"detail":"enable H.264 in the encoder"}`),
			&ResponseError{Status: 422, Type: "urn:x", Title: "T", Detail: "enable H.264 in the encoder", RetryAfter: 7 * time.Second},
			"whip: the server answered 422: enable H.264 in the encoder",
		},
		{reply(503, problem, `{"title":"Full"}`), &ResponseError{Status: 503, Title: "Full", RetryAfter: 7 * time.Second}, "whip: the server answered 503: Full"},
		{reply(409, problem, `{`), &ResponseError{Status: 409, RetryAfter: 7 * time.Second}, "whip: the server answered 409: Conflict"},
		{reply(404, nil, "<html>"), &ResponseError{Status: 404}, "whip: the server answered 404: Not Found"},
		{reply(200, map[string]string{"Content-Type": "application/sdp", "Location": "/x"}, "v=0"), &ResponseError{Status: 200}, "whip: the server answered 200: OK"},
		// RFC 9725 4.6: only 307 is followed
		{reply(302, map[string]string{"Location": "/other"}, ""), &ResponseError{Status: 302}, "whip: the server answered 302: Found"},
		{reply(301, map[string]string{"Location": "/other"}, ""), &ResponseError{Status: 301}, "whip: the server answered 301: Moved Permanently"},
		{reply(308, map[string]string{"Location": "/other"}, ""), &ResponseError{Status: 308}, "whip: the server answered 308: Permanent Redirect"},
	} {
		_, err := answering(t, c.h).post(context.Background(), "v=0")
		var got *ResponseError
		require.ErrorAs(t, err, &got)
		require.Equal(t, c.want, got)
		require.EqualError(t, err, c.text)
	}
}

// A 201 that lacks something is told as what it lacks.
func TestIncompleteAnswers(t *testing.T) {
	for _, c := range []struct {
		header map[string]string
		want   string
	}{
		{map[string]string{"Content-Type": "application/sdp"}, "no session URL"},
		{map[string]string{"Content-Type": "application/sdp", "Location": "http://%"}, "no session URL"},
		{map[string]string{"Content-Type": "text/html", "Location": "/s"}, "not SDP"},
		{map[string]string{"Location": "/s"}, "not SDP"},
	} {
		_, err := answering(t, reply(201, c.header, "v=0")).post(context.Background(), "v=0")
		require.ErrorContains(t, err, c.want)
	}
}

// RFC 9725 4.6: a 307 is followed with method and body; the session URL is relative to where it led. The token stays with
// the host it was given for.
func TestRedirect(t *testing.T) {
	var seen []string
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		reply(201, map[string]string{"Content-Type": "application/sdp; charset=utf-8", "Location": "s/1", "ETag": `"e"`}, "answer")(w, r)
	}))
	defer target.Close()
	x := answering(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		to := "/second"
		if r.URL.Path == to {
			to = target.URL + "/third/"
		}
		reply(307, map[string]string{"Location": to}, "")(w, r)
	})
	answer, err := x.post(context.Background(), "v=0")
	require.NoError(t, err)
	require.Equal(t, "answer", answer)
	require.Equal(t, target.URL+"/third/s/1", x.session.String())
	require.Equal(t, []string{"POST /whip/live Bearer secret", "POST /second Bearer secret", "POST /third/ "}, seen)
}

func TestRedirectLoop(t *testing.T) {
	n := 0
	x := answering(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		reply(307, map[string]string{"Location": r.URL.Path}, "")(w, r)
	})
	_, err := x.post(context.Background(), "v=0")
	require.ErrorContains(t, err, "too often")
	require.Equal(t, 5, n)
	x = answering(t, reply(307, nil, ""))
	_, err = x.post(context.Background(), "v=0")
	require.ErrorContains(t, err, "nowhere")
}

// A session that has ended already is as good as deleted.
func TestDelete(t *testing.T) {
	for status, fine := range map[int]bool{200: true, 204: true, 404: true, 410: true, 401: false, 500: false} {
		x := answering(t, reply(status, nil, ""))
		require.NoError(t, x.delete(context.Background()), "there is no session yet")
		x.session = x.endpoint.JoinPath("s")
		err := x.delete(context.Background())
		var refused *ResponseError
		require.Equal(t, fine, !errors.As(err, &refused), status)
	}
}

// A huge answer is cut off, not read to its end.
func TestBodyBound(t *testing.T) {
	x := answering(t, reply(201, map[string]string{"Content-Type": "application/sdp", "Location": "/s"}, strings.Repeat("x", 2*maxBody)))
	answer, err := x.post(context.Background(), "v=0")
	require.NoError(t, err)
	require.Len(t, answer, maxBody)
}

// Media times become ticks to the nearest, however long the stream.
func TestTimestamp(t *testing.T) {
	video, audio := &track{clock: 90000, base: 5}, &track{clock: 48000, base: 0xffffffff}
	for _, n := range []int64{0, 1, 2, 3003, 90000, 90000*3600*30 + 1, 1 << 40} {
		pts := time.Duration(float64(n) * 1e9 / 90000)
		if n < 1<<32 {
			require.Equal(t, uint32(n)+5, video.timestamp(pts), n)
		}
		require.Equal(t, uint32(n)-1, audio.timestamp(time.Duration(n*125000/6)), n) // 20833 ns and a third a tick
	}
}

// RFC 5905 6: seconds since 1900 and a binary fraction.
func TestNTP(t *testing.T) {
	require.EqualValues(t, uint64(2208988800)<<32, ntp(time.Unix(0, 0)))
	require.EqualValues(t, uint64(2208988801)<<32|1<<31, ntp(time.Unix(1, 500_000_000)))
}
