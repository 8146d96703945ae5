package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/certificate"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
)

// configured is a server in a process of its own that goes by a file of settings.
type configured struct {
	*instance
	p    *process
	path string
}

func configure(t *testing.T, text string, flags ...string) *configured {
	t.Helper()
	path := settings(t, text)
	p := spawn(t, append([]string{"--listen", "127.0.0.1:0", "--webrtc-udp", "127.0.0.1:0", "--admin", "", "--config", path}, flags...)...)
	return &configured{instance: &instance{t: t, Addresses: addresses(t, p)}, p: p, path: path}
}

// hangUp changes the file, sends SIGHUP, and returns what is logged until a line that says says.
func (c *configured) hangUp(text, says string) string {
	c.t.Helper()
	require.NoError(c.t, os.WriteFile(c.path, []byte(text), 0o600))
	before := len(c.p.out.String())
	require.NoError(c.t, c.p.cmd.Process.Signal(syscall.SIGHUP))
	eventually(c.t, says, func() bool { return strings.Contains(c.p.out.String()[before:], says) })
	return c.p.out.String()[before:]
}

// sends publishes the clip until the test ends, and waits for its playlists.
func (c *configured) sends(stream, token string) {
	c.t.Helper()
	m, err := publish.Open(demo.Clip())
	require.NoError(c.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	c.t.Cleanup(func() {
		cancel()
		<-ended // it was told to
	})
	go func() {
		ended <- publish.Run(ctx, m, publish.Options{URL: c.URL() + "/whip/" + stream, Token: token, Loop: true, UserAgent: "test", Log: slog.New(slog.DiscardHandler)})
	}()
	c.multivariant(stream)
}

// video is the present media playlist of a stream's pictures.
func (c *configured) video(stream string) string {
	c.t.Helper()
	at := c.URL() + "/hls/" + stream + "/index.m3u8"
	status, _, body := fetch(c.t, at)
	require.Equal(c.t, http.StatusOK, status)
	status, _, body = fetch(c.t, firstURI(c.t, at, body))
	require.Equal(c.t, http.StatusOK, status)
	return string(body)
}

// lets tells the status of a POST that has nothing but a token.
func (c *configured) lets(stream, token string) int {
	c.t.Helper()
	answer, _ := c.bearer("POST", "/whip/"+stream, token)
	return answer.StatusCode
}

// SIGHUP changes what can change, says so, and touches no stream that is live; a broken file changes nothing.
func TestReload(t *testing.T) {
	realTime(t, 2*loadStream)
	const first = "publish-token: oldtoken\nstreams:\n  \"fast-*\": {part: 100ms, segment: 1s}\n"
	c := configure(t, first)
	c.sends("fast-1", "oldtoken")
	require.Contains(t, c.video("fast-1"), "PART-TARGET=0.100000")
	session := c.only().Publisher.Session

	const second = "api-token: operator\npublish-token: newtoken\ncors-origin: https://a.example\nlog-level: debug\nmax-streams: 7\nstreams:\n" +
		"  \"fast-*\": {part: 200ms, segment: 1s, publish-token: fasttoken}\n  fast-9: {codec: [h264]}\n"
	said := c.hangUp(second, "cannot change while the server runs")
	require.Contains(t, said, `changed="[cors-origin publish-token api-token log-level streams.fast-9 streams.fast-*]"`)
	require.Contains(t, said, "settings=[max-streams]")
	require.NotContains(t, c.p.out.String(), "oldtoken")
	require.NotContains(t, c.p.out.String(), "newtoken")

	require.Equal(t, http.StatusUnauthorized, c.lets("x", "oldtoken"))
	require.Equal(t, http.StatusUnsupportedMediaType, c.lets("x", "newtoken"), "it is let in, and has no offer")
	require.Equal(t, http.StatusUnsupportedMediaType, c.lets("fast-2", "fasttoken"))
	answer, _ := c.bearer("GET", "/api/streams/fast-1/snapshot", "operator")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, http.StatusForbidden, c.lets("fast-9", "fasttoken"), "it has a section of its own")
	c.sends("fast-2", "fasttoken")
	require.Contains(t, c.video("fast-2"), "PART-TARGET=0.200000")
	require.Contains(t, c.video("fast-1"), "PART-TARGET=0.100000", "what was announced holds")
	for _, s := range c.streams() {
		if s.Name == "fast-1" {
			require.Equal(t, session, s.Publisher.Session, "its token may be gone, the session goes on")
		}
	}
	answer, _ = c.bearer("GET", "/hls/fast-1/index.m3u8", "", "Origin", "https://b.example")
	require.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
	answer, _ = c.bearer("GET", "/hls/fast-1/index.m3u8", "", "Origin", "https://a.example")
	require.Equal(t, "https://a.example", answer.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, c.p.out.String(), "level=DEBUG")

	said = c.hangUp("publish-token: third\nsegmnt: 3s\npart: soon\n", "part: ")
	require.Contains(t, said, "level=ERROR")
	require.Contains(t, said, c.path+":2: segmnt: there is no such setting")
	require.Contains(t, said, c.path+":3: part: ")
	require.Equal(t, http.StatusUnauthorized, c.lets("x", "third"))
	require.Equal(t, http.StatusUnsupportedMediaType, c.lets("x", "newtoken"))

	said = c.hangUp("part: 100ms\n", "restart it")
	require.Contains(t, said, "whether publishers need a token cannot change")
	require.Equal(t, http.StatusUnauthorized, c.lets("x", "third"))
	require.Contains(t, c.hangUp(second, "settings read anew"), "changed=[]")
}

// SIGHUP takes certificates from the files that are named now; one that cannot be used leaves all as it was.
func TestReloadCertificates(t *testing.T) {
	made := func() (file, fingerprint string) {
		dir := t.TempDir()
		source, err := certificate.SelfSigned(dir, []string{"localhost", "127.0.0.1"})
		require.NoError(t, err)
		return filepath.Join(dir, "self-signed.pem"), source.Fingerprint
	}
	shown := func(c *configured, fingerprint string) {
		t.Helper()
		conn, err := tls.Dial("tcp", c.HTTP.String(), pinned(fingerprint))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	text := func(file string) string { return fmt.Sprintf("tls-cert: %s\ntls-key: %s\n", file, file) }
	a, first := made()
	b, second := made()
	c := configure(t, text(a))
	shown(c, first)
	require.Contains(t, c.hangUp(text(b), "settings read anew"), `changed="[tls-cert tls-key]"`)
	shown(c, second)
	require.Contains(t, c.hangUp(text("/nowhere.pem"), "cannot be used"), "/nowhere.pem")
	shown(c, second)
	require.Contains(t, c.hangUp("tls-self-signed: true\n", "cannot change while"), `settings="[tls-cert tls-key tls-self-signed]"`)
	shown(c, second)
}
