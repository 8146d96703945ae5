package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// Every address is answered by its room, and what is no address with 404 at once.
func TestRoutes(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html"},
		{"GET", "/watch/live", 200, "text/html"},
		{"HEAD", "/watch/live", 200, "text/html"},
		{"GET", "/publish/live", 200, "text/html"},
		{"GET", "/static/watch.js", 200, "javascript"},
		{"GET", "/api/streams", 200, "application/json"},
		{"GET", "/api/openapi.yaml", 200, "application/yaml"},
		{"GET", "/api/streams/live", 404, "application/problem+json"},
		{"DELETE", "/api/streams/live", 404, "application/problem+json"},
		{"GET", "/healthz", 200, "text/plain"},
		{"GET", "/whip/live", 204, ""},
		{"OPTIONS", "/whip/live", 200, ""},
		{"POST", "/whip/live", 415, "application/problem+json"},
		{"DELETE", "/whip/live/unknown", 404, "application/problem+json"},
		{"POST", "/whip/no%20name", 404, "application/problem+json"},
		{"GET", "/hls/unknown/index.m3u8", 404, ""},
		{"GET", "/hls/unknown/g/video/media.m3u8?_HLS_msn=1&_HLS_part=1", 404, ""},
		{"GET", "/hls/", 404, ""},
		{"GET", "/watch/no%20name", 404, ""},
		{"GET", "/watch/", 404, ""},
		{"GET", "/static/nothing.js", 404, ""},
		{"GET", "/static/../main.go", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/index.html", 404, ""},
		{"GET", "/metrics", 404, ""},
		{"GET", "/debug/pprof/", 404, ""},
		{"POST", "/", 405, ""},
	} {
		r, err := http.NewRequest(c.method, s.URL()+c.path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, c.status, answer.StatusCode, "%s %s", c.method, c.path)
		require.Contains(t, answer.Header.Get("Content-Type"), c.contentType, "%s %s", c.method, c.path)
		if c.status == 404 {
			require.Equal(t, "no-store", answer.Header.Get("Cache-Control"), "%s %s", c.method, c.path)
		}
	}
	for path, status := range map[string]int{"/metrics": 200, "/healthz": 200, "/debug/pprof/": 200, "/": 404, "/api/streams": 200, "/api/openapi.yaml": 200} {
		got, _, _ := fetch(t, s.AdminURL()+path)
		require.Equal(t, status, got, "admin %s", path)
	}
}

// withHost asks under a name of the caller's choice.
func withHost(t *testing.T, method, url, host, origin string) int {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	require.NoError(t, err)
	r.Host = host
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// Without a token no page of the internet gets anything through the browser of this machine; with one, or when the
// operator opened the server, all names are answered.
func TestForeignPages(t *testing.T) {
	const evil = "evil.example"
	paths := []string{"/", "/watch/live", "/publish/live", "/static/watch.js", "/api/streams", "/hls/live/index.m3u8"}
	closed := serve(t)
	for _, path := range paths {
		require.Equal(t, http.StatusForbidden, withHost(t, "GET", closed.URL()+path, evil, ""), path)
		require.Equal(t, http.StatusForbidden, withHost(t, "GET", closed.URL()+path, "localhost", "http://"+evil), path)
		require.NotEqual(t, http.StatusForbidden, withHost(t, "GET", closed.URL()+path, "localhost", ""), path)
	}
	require.Equal(t, http.StatusForbidden, withHost(t, "POST", closed.URL()+"/whip/live", evil, ""))
	require.Equal(t, http.StatusForbidden, withHost(t, "POST", closed.URL()+"/whip/live", "127.0.0.1", "http://"+evil))
	require.Equal(t, http.StatusOK, withHost(t, "GET", closed.URL()+"/healthz", evil, ""), "a prober may use any name")
	require.Equal(t, http.StatusForbidden, withHost(t, "GET", closed.AdminURL()+"/metrics", evil, ""))

	for _, flag := range []string{"--open-publish", "--publish-token=t0ken"} {
		open := serve(t, flag)
		for _, path := range paths {
			require.NotEqual(t, http.StatusForbidden, withHost(t, "GET", open.URL()+path, evil, "http://"+evil), path)
		}
		require.Equal(t, http.StatusForbidden, withHost(t, "GET", open.AdminURL()+"/metrics", evil, ""), "the operator's listener stays closed")
	}
}

// The token is asked for, and appears nowhere.
func TestToken(t *testing.T) {
	s := serve(t, "--publish-token=t0ken")
	post := func(authorization string) int {
		r, err := http.NewRequest(http.MethodPost, s.URL()+"/whip/live", strings.NewReader("v=0"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/sdp")
		r.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, post(""))
	require.Equal(t, http.StatusUnauthorized, post("Bearer wrong"))
	require.Equal(t, http.StatusUnprocessableEntity, post("Bearer t0ken"), "let in, and then the offer is found wanting")
	_, _, metrics := fetch(t, s.AdminURL()+"/metrics")
	require.NoError(t, s.stop())
	for what, text := range map[string]string{"log": s.log.String(), "output": s.out.String(), "metrics": string(metrics)} {
		require.NotContains(t, text, "t0ken", what)
		require.NotContains(t, text, "wrong", what)
	}
}

func TestProtocols(t *testing.T) {
	s := serve(t)
	for _, c := range []struct {
		name string
		set  func(*http.Protocols)
	}{
		{"HTTP/1.1", func(p *http.Protocols) { p.SetHTTP1(true) }},
		{"HTTP/2.0", func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
	} {
		var p http.Protocols
		c.set(&p)
		transport := &http.Transport{Protocols: &p}
		answer, err := (&http.Client{Transport: transport}).Get(s.URL() + "/healthz")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, c.name, answer.Proto)
		transport.CloseIdleConnections()
	}
}

// A header without end is cut off.
func TestHeaderTooLarge(t *testing.T) {
	s := serve(t)
	c, err := net.Dial("tcp", s.HTTP.String())
	require.NoError(t, err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.StatusCode)
}

// When the server ends, players that wait get the end of the playlist, the publisher its DELETE, and all is over soon.
func TestShutdownDrains(t *testing.T) {
	s := serve(t, "--demo")
	_, video, _ := s.multivariant("demo")
	require.NoError(t, video.follow(t.Context(), func() bool { return true }))
	msn, _ := video.next()
	waiting := make(chan []byte, 1)
	asked := make(chan struct{})
	go func() {
		trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(asked) }}
		body, err := video.get(httptrace.WithClientTrace(t.Context(), trace), fmt.Sprintf("%s?_HLS_msn=%d", video.base, msn))
		if err != nil {
			body = []byte(err.Error())
		}
		waiting <- body
	}()
	<-asked
	begun := time.Now()
	require.NoError(t, s.stop())
	require.Less(t, time.Since(begun), 10*time.Second)
	require.Contains(t, string(<-waiting), "#EXT-X-ENDLIST", "the playlist has its end")
	require.Contains(t, s.log.String(), "reason=deleted")
	_, err := http.Get(s.URL() + "/healthz")
	require.Error(t, err)
}

// What a server and its sessions started is gone when it has ended.
func TestNothingStays(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := serve(t, "--demo")
	s.multivariant("demo")
	require.NoError(t, s.stop())
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}
