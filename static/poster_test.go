package static

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only a frame gets pictures of another host, only of the one that its address names, and nothing else gets in with it.
func TestPosterOrigin(t *testing.T) {
	for poster, want := range map[string]string{
		"https://example.com/a.jpg": "https://example.com", "http://127.0.0.1:8000/a.png?x=1": "http://127.0.0.1:8000", "https://a-b.example/": "https://a-b.example",
		"": "", "a.jpg": "", "/a.jpg": "", "//example.com/a.jpg": "", "javascript:alert(1)": "", "data:image/png;base64,AA": "", "ftp://example.com/a": "",
		"https://*/a": "", "https://*.example.com/a": "", "https://a;script-src *": "", "https://a.b;c": "", "https://a b/": "", "https://a'b/": "", "https://[::1]/a": "",
		"https://u:p@example.com/a": "https://example.com", "https://-a/": "", "https:///a": "", "https://a\r\nb/": "", "https://a,b/": "",
	} {
		r := httptest.NewRequest("GET", "/watch/live?"+url.Values{"poster": {poster}}.Encode(), nil)
		require.Empty(t, posterOrigin(r), "not in a frame")
		r.Header.Set("Sec-Fetch-Dest", "iframe")
		require.Equal(t, want, posterOrigin(r), poster)
	}
}

func TestPosterIsInThePolicyOfItsFrameAlone(t *testing.T) {
	const target = "/watch/live?poster=https%3A%2F%2Fexample.com%2Fa.jpg"
	framed := ask(t, "GET", target, "Sec-Fetch-Dest", "iframe")
	require.Equal(t, "'self' https://example.com data: blob:", directives(framed.Header.Get("Content-Security-Policy"))["img-src"])
	require.Equal(t, directives(embeddablePolicy.content)["script-src"], directives(framed.Header.Get("Content-Security-Policy"))["script-src"])
	require.Contains(t, framed.Header.Values("Vary"), "Sec-Fetch-Dest")
	for _, r := range []*http.Response{ask(t, "GET", target, "Sec-Fetch-Dest", "document"), ask(t, "GET", target), ask(t, "GET", "/watch/live", "Sec-Fetch-Dest", "iframe")} {
		require.Equal(t, embeddablePolicy.content, r.Header.Get("Content-Security-Policy"))
	}
	require.Equal(t, 404, ask(t, "GET", strings.Replace(target, "live", ".no", 1), "Sec-Fetch-Dest", "iframe").StatusCode)
}

// The poster is shown where nothing is live, and the parameters of a frame do what they say.
func TestFrameParameters(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="90"><rect width="160" height="90" fill="teal"/></svg>`) // the page went away
	}))
	t.Cleanup(elsewhere.Close)
	framed := func(query string) *tab {
		p := open(t, browser, desktop, back.server.URL+"/frame?"+url.Values{"src": {"/watch/live?" + query}}.Encode())
		p.until(`window.inner = document.querySelector('iframe').contentDocument, inner?.documentElement.dataset.state && inner.documentElement.dataset.state !== 'loading'`)
		return p
	}
	p := framed("autoplay=0&stats=1")
	require.Equal(t, "ready", evaluate[string](p, `inner.documentElement.dataset.state`))
	require.True(t, evaluate[bool](p, `inner.getElementById('bigplay').checkVisibility() && inner.getElementById('overlay').checkVisibility()`))
	back.set(func(b *backend) { require.Empty(t, b.asked, "nothing is loaded before a click") })
	evaluate[bool](p, `(inner.getElementById('bigplay').click(), true)`)
	p.until(`inner.documentElement.dataset.state === 'offline'`)

	p = framed("muted=0&controls=0&poster=" + url.QueryEscape(elsewhere.URL+"/poster.svg"))
	p.until(`inner.querySelector('.cover')?.naturalWidth === 160`)
	p.keep("frame-offline")
	require.False(t, evaluate[bool](p, `inner.getElementById('controls').checkVisibility() || inner.querySelector('.top').checkVisibility()`))
	require.False(t, evaluate[bool](p, `inner.getElementById('video').muted`))

	p = open(t, browser, desktop, back.server.URL+"/watch/live?poster="+url.QueryEscape(elsewhere.URL+"/poster.svg"))
	p.until(`document.documentElement.dataset.state === 'offline'`)
	require.Nil(t, evaluate[any](p, `document.querySelector('.cover')`), "a link to the page alone shows no picture of others")
	p.healthy()
}
