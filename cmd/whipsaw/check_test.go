package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/watch"
)

// A stream is checked over HTTP/3 alone where that is asked for.
func TestCheckHTTP3(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n")
	}))
	server.StartTLS()
	defer server.Close()
	quic := &http3.Server{Handler: server.Config.Handler, TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: server.TLS.Certificates})}
	media, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	over := "https://" + media.LocalAddr().String() + "/x.m3u8"
	ended := make(chan error, 1)
	go func() { ended <- quic.Serve(media) }()
	code, out, errs := say(t, "check", "--insecure", "--http3", "--json", over)
	require.Equal(t, exitOK, code, errs)
	require.Contains(t, out, `"protocol": "HTTP/3.0"`)
	code, _, errs = say(t, "check", "--http3", over)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "certificate")
	code, out, errs = say(t, "check", "--insecure", "--json", server.URL+"/x.m3u8")
	require.Equal(t, exitOK, code, errs)
	require.NotContains(t, out, "HTTP/3.0")
	require.NoError(t, quic.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
	require.NoError(t, media.Close())
}

// The exit code of whipsaw check tells scripts what its report tells people.
func TestCheckCommand(t *testing.T) {
	texts := map[string]string{
		"/good.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n",
		"/bad.m3u8":  "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:5,\na.ts\n#EXT-X-ENDLIST\n",
		"/page.html": "<html>",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if texts[r.URL.Path] == "" {
			w.WriteHeader(http.StatusNotFound)
		}
		io.WriteString(w, texts[r.URL.Path])
	}))
	defer server.Close()
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{server.URL + "/good.m3u8"}, exitOK, "no rule is violated", ""},
		{[]string{server.URL + "/bad.m3u8"}, exitError, "VIOLATED  target-duration ", ""},
		{[]string{server.URL + "/good.m3u8", "--strict"}, exitError, "VIOLATED  cors ", ""},
		{[]string{server.URL + "/none.m3u8"}, exitUsage, "", "status 404 Not Found"},
		{[]string{server.URL + "/page.html"}, exitUsage, "", "this is no playlist"},
		{[]string{"http://127.0.0.1:1/x.m3u8"}, exitUsage, "", "connection refused"},
		{[]string{"x.m3u8"}, exitUsage, "", "is no URL"},
		{nil, exitUsage, "", "check takes the URL of one playlist"},
	} {
		code, out, errs := say(t, append([]string{"check"}, c.args...)...)
		require.Equal(t, c.code, code, "%v: %s", c.args, errs)
		require.Contains(t, out, c.out, "%v", c.args)
		require.Contains(t, errs, c.errs, "%v", c.args)
		require.Equal(t, c.out == "", out == "", "%v: %s", c.args, out)
	}
	code, out, _ := say(t, "check", "--json", server.URL+"/bad.m3u8")
	require.Equal(t, exitError, code)
	var report watch.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Equal(t, watch.Violated, report.Verdict)
	require.Equal(t, server.URL+"/bad.m3u8", report.URL)
	require.NotEmpty(t, report.NotChecked, "the segment is no fragmented MP4")
}
