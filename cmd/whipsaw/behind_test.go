package main

import (
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// behind is a reverse proxy as nginx is one: it tells who asked for what, and leaves paths in place.
func behind(t *testing.T, s *instance) string {
	t.Helper()
	to, err := url.Parse(strings.TrimSuffix(s.URL(), s.Prefix))
	require.NoError(t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// Behind a proxy and below a prefix all works that works at the root: the pages publish and play, and what is told is what
// the world knows.
func TestBrowserBehindProxyBelowPrefix(t *testing.T) {
	realTime(t, loadEncoding+loadStream+loadPage)
	b := startBrowser(t)
	s := serve(t, "--path-prefix", "/a/b", "--trusted-proxy", "127.0.0.1")
	base := behind(t, s) + "/a/b"
	from := b.open(base + "/publish/live?source=canvas&size=640x360&fps=30&kbps=800")
	evaluate[chromedp.Void](from, "void whipsaw.start()")
	eventually(t, "the publish page is live", func() bool { return evaluate[string](from, "whipsaw.stats().state") == "live" })
	s.multivariant("live")
	to := b.open(base + "/watch/live")
	to.plays()
	require.Contains(t, evaluate[string](to, "document.querySelector('#share').innerHTML"), base+"/hls/live/index.m3u8")
	list := b.open(base)
	eventually(t, "the stream is listed", func() bool {
		return evaluate[bool](list, "!!document.querySelector('a[href=\"/a/b/watch/live\"]')")
	})
	require.True(t, evaluate[bool](list, "[...document.querySelectorAll('a[href],link[href],script[src],img[src]')].every(e => new URL(e.href || e.src).pathname.startsWith('/a/b'))"))
	evaluate[chromedp.Void](from, "whipsaw.stop()") // DELETE goes to Location
	eventually(t, "the session was deleted", func() bool {
		end := s.streams()[0].LastEnd
		return end != nil && end.Reason == "deleted"
	})
}
