package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/certificate"
)

// pinned are a client's settings that trust the certificate with this fingerprint and no other.
func pinned(fingerprint string) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // compared instead
		VerifyConnection: func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if got := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":"); got != fingerprint {
				return errors.New("another certificate: " + got)
			}
			return nil
		},
	}
}

// over are clients for each protocol that a server with this certificate speaks.
func over(t *testing.T, settings *tls.Config) map[string]http.RoundTripper {
	t.Helper()
	var one, two http.Protocols
	one.SetHTTP1(true)
	two.SetHTTP2(true)
	h1 := &http.Transport{TLSClientConfig: settings.Clone(), Protocols: &one}
	h2 := &http.Transport{TLSClientConfig: settings.Clone(), Protocols: &two}
	h3 := &http3.Transport{TLSClientConfig: settings.Clone(), QUICConfig: &quic.Config{MaxIdleTimeout: patience}}
	t.Cleanup(func() {
		h1.CloseIdleConnections()
		h2.CloseIdleConnections()
		require.NoError(t, h3.Close())
	})
	return map[string]http.RoundTripper{"HTTP/1.1": h1, "HTTP/2.0": h2, "HTTP/3.0": h3}
}

// A trial server speaks all versions of HTTP over TLS, the demo goes in and comes out, and people are told https.
func TestSelfSigned(t *testing.T) {
	realTime(t, loadStream)
	state := t.TempDir()
	s := serve(t, "--tls-self-signed", "--http3", "--demo", "--state", state, "--public-ip", "127.0.0.2")
	require.True(t, strings.HasPrefix(s.URL(), "https://127.0.0.1:"), s.URL())
	require.Contains(t, s.out.String(), s.URL()+"/watch/demo")
	require.Contains(t, strings.Join(strings.Fields(s.out.String()), ""), s.Fingerprint, "the fingerprint is told")

	t.Run("over", func(t *testing.T) {
		for proto, transport := range over(t, pinned(s.Fingerprint)) {
			t.Run(proto, func(t *testing.T) {
				t.Parallel()
				playsOver(t, s, proto, &http.Client{Transport: transport, Timeout: patience})
			})
		}
	})
	require.NoError(t, s.stop())
	require.FileExists(t, filepath.Join(state, "tls", "self-signed.pem"))
}

// playsOver asks for the demo as players do, up to a reload that waits for the next segment.
func playsOver(t *testing.T, s *instance, proto string, client *http.Client) {
	get := func(url string) (*http.Response, []byte) {
		r, err := client.Get(url)
		require.NoError(t, err, url)
		return r, readAll(t, r)
	}
	index := s.URL() + "/hls/demo/index.m3u8"
	eventually(t, "the demo is there", func() bool {
		r, _ := get(index)
		return r.StatusCode == http.StatusOK
	})
	r, body := get(index)
	require.Equal(t, proto, r.Proto)
	require.Equal(t, fmt.Sprintf(`h3=":%d"; ma=86400`, s.HTTP3.(*net.UDPAddr).Port), r.Header.Get("Alt-Svc"))
	require.Empty(t, r.Header.Get("Strict-Transport-Security"), "not for a certificate that browsers warn of")
	playlist := firstURI(t, index, body)
	_, body = get(playlist)
	complete := bytes.Count(body, []byte("#EXTINF"))
	r, body = get(fmt.Sprintf("%s?_HLS_msn=%d", playlist, complete))
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Greater(t, bytes.Count(body, []byte("#EXTINF")), complete, "it waited for the segment")
}

// firstURI is the first line of a playlist that is no tag, made absolute.
func firstURI(t *testing.T, base string, playlist []byte) string {
	t.Helper()
	for line := range strings.Lines(string(playlist)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			u, err := url.Parse(base)
			require.NoError(t, err)
			u, err = u.Parse(line)
			require.NoError(t, err)
			return u.String()
		}
	}
	t.Fatalf("no URI in %s", playlist)
	return ""
}

// A certificate from files: browsers are told to stay with HTTPS, and who comes over HTTP is sent there, unless it is a
// publisher, who would send its token in the clear.
func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	made, err := certificate.SelfSigned(dir, []string{"localhost", "127.0.0.1"})
	require.NoError(t, err)
	file := filepath.Join(dir, "self-signed.pem") // holds both
	s := serve(t, "--tls-cert", file, "--tls-key", file, "--http-redirect", "127.0.0.1:0", "--publish-token=t0ken")
	require.Nil(t, s.HTTP3)
	client := &http.Client{
		Transport:     over(t, pinned(made.Fingerprint))["HTTP/2.0"],
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r, err := client.Get(s.URL() + "/healthz")
	require.NoError(t, err)
	require.Equal(t, "ok\n", string(readAll(t, r)))
	require.Equal(t, "max-age=2592000", r.Header.Get("Strict-Transport-Security"))
	require.Empty(t, r.Header.Get("Alt-Svc"))

	plain := "http://" + s.Redirect.String()
	ask := func(method, path, host string) *http.Response {
		q, err := http.NewRequest(method, plain+path, nil)
		require.NoError(t, err)
		q.Host = host
		r, err := http.DefaultTransport.RoundTrip(q)
		require.NoError(t, err)
		readAll(t, r)
		return r
	}
	port := s.HTTP.(*net.TCPAddr).Port
	r = ask("GET", "/watch/live?muted=0", "video.example:80")
	require.Equal(t, http.StatusPermanentRedirect, r.StatusCode)
	require.Equal(t, fmt.Sprintf("https://video.example:%d/watch/live?muted=0", port), r.Header.Get("Location"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	require.Empty(t, r.Header.Get("Strict-Transport-Security"), "RFC 6797 7.2")
	require.Equal(t, http.StatusForbidden, ask("POST", "/whip/live", "video.example").StatusCode)
	require.Equal(t, http.StatusBadRequest, ask("GET", "/", "user@evil.example").StatusCode)

	// What is no HTTPS gets an answer that tells, and does no harm.
	c, err := net.Dial("tcp", s.HTTP.String())
	require.NoError(t, err)
	defer c.Close()
	_, err = fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	b := make([]byte, 12)
	_, err = c.Read(b)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.0 400", string(b))
}

func TestCertificatesThatCannotBeUsed(t *testing.T) {
	noise := filepath.Join(t.TempDir(), "noise.pem")
	require.NoError(t, os.WriteFile(noise, []byte("no certificate"), 0o600))
	free := []string{"--listen=127.0.0.1:0", "--webrtc-udp=127.0.0.1:0", "--admin="}
	for _, flags := range [][]string{
		{"--tls-cert=" + noise, "--tls-key=" + noise},
		{"--acme-domain=a.example", "--acme-dir=" + t.TempDir(), "--acme-ca=" + noise},
		{"--acme-domain=a.example", "--acme-dir=" + filepath.Join(noise, "below")},
		{"--tls-self-signed", "--state=" + t.TempDir(), "--http3", "--http3-listen=192.0.2.1:1", "--open-publish"},
	} {
		code, _, errs := say(t, append(free, flags...)...)
		require.Equal(t, exitError, code, "%v", flags)
		name, _, _ := strings.Cut(flags[0], "=")
		if strings.Contains(errs, "--http3-listen") {
			name = "--http3-listen"
		}
		require.Contains(t, errs, name)
	}
}

// Behind a proxy that is trusted each client is counted by its own address; one that is not cannot choose one.
func TestRateLimitBehindProxy(t *testing.T) {
	post := func(s *instance, client netip.Addr) int {
		r, err := http.NewRequest(http.MethodPost, s.URL()+"/whip/live", nil)
		require.NoError(t, err)
		r.Header.Set("X-Forwarded-For", client.String())
		answer, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		readAll(t, answer)
		return answer.StatusCode
	}
	flood := func(s *instance) (refused int) {
		client := netip.MustParseAddr("198.51.100.1")
		for range 60 {
			if post(s, client) == http.StatusTooManyRequests {
				refused++
			}
			client = client.Next()
		}
		return refused
	}
	require.Zero(t, flood(serve(t, "--publish-token=t0ken", "--trusted-proxy=127.0.0.1")))
	require.NotZero(t, flood(serve(t, "--publish-token=t0ken", "--trusted-proxy=192.0.2.1")))

	closed := serve(t, "--trusted-proxy=127.0.0.1")
	require.Equal(t, http.StatusForbidden, post(closed, netip.MustParseAddr("198.51.100.1")))
	require.Equal(t, http.StatusUnsupportedMediaType, post(closed, netip.MustParseAddr("127.0.0.1")))
}

// readAll returns the body of an answer, and closes it.
func readAll(t *testing.T, r *http.Response) []byte {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return body
}

// Who is one too many is told so over TCP, and sent there by QUIC; the operator sees it.
func TestMaxConnections(t *testing.T) {
	s := serve(t, "--max-connections=2", "--tls-self-signed", "--http3")
	settings := pinned(s.Fingerprint)
	for range 2 { // they stay
		transport := over(t, settings)["HTTP/1.1"]
		r, err := (&http.Client{Transport: transport}).Get(s.URL() + "/healthz")
		require.NoError(t, err)
		readAll(t, r)
		require.Equal(t, http.StatusOK, r.StatusCode)
	}
	clients := over(t, settings)
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		r, err := (&http.Client{Transport: clients[proto]}).Get(s.URL() + "/healthz")
		require.NoError(t, err)
		require.Equal(t, "too many connections\n", string(readAll(t, r)))
		require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
		require.Equal(t, "5", r.Header.Get("Retry-After"))
	}
	_, err := (&http.Client{Transport: clients["HTTP/3.0"]}).Get(s.URL() + "/healthz")
	require.Error(t, err)
	_, _, metrics := fetch(t, s.AdminURL()+"/metrics")
	require.Contains(t, string(metrics), "\nwhipsaw_connections_max 2\n")
	require.Regexp(t, `\nwhipsaw_connections_refused_total [3-9]\n`, string(metrics))
}
