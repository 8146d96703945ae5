package static

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation at both widths, light and dark; the copied commands have this server's address; the search finds texts.
func TestDocsInBrowser(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	for _, l := range []looks{desktop, phone} {
		l.dark = l.touch
		for _, page := range []string{"docs", "docs/start", "docs/troubleshooting", "docs/settings"} {
			p := open(t, browser, l, back.server.URL+"/"+page)
			p.until(`document.querySelector('.code .button, #find:not([hidden])') || !document.querySelector('.code, #find')`)
			if page == "docs" || page == "docs/start" { // pictures of the long ones take seconds
				p.keep(l.name + "-" + strings.ReplaceAll(page, "/", "-"))
			}
			require.Empty(t, evaluate[[]string](p, tooWide(l.width)), page)
			require.Empty(t, evaluate[[]string](p, nameless), page)
			require.Empty(t, evaluate[[]string](p, pale), page)
			p.healthy()
		}
	}
	p := open(t, browser, desktop, back.server.URL+"/docs/start")
	p.until(`document.querySelector('.prose').textContent.includes('` + back.server.URL + `/whip/live')`)
	require.False(t, evaluate[bool](p, `document.querySelector('.prose').textContent.includes('http://127.0.0.1:8080/')`))

	p = open(t, browser, desktop, back.server.URL+"/docs")
	p.until(`!document.getElementById('find').hidden`)
	seek := func(words string) []string {
		evaluate[bool](p, `(() => { const q = document.getElementById('query'); q.value = `+quoted(words)+`; return q.dispatchEvent(new Event('input')); })()`)
		p.until(`document.getElementById('found').textContent || !document.getElementById('query').value`)
		return evaluate[[]string](p, `[...document.querySelectorAll('[data-topic]')].filter(e => e.checkVisibility()).map(e => e.dataset.topic)`)
	}
	require.Equal(t, []string{"nat"}, seek("coturn static-auth-secret use-auth-secret"))
	require.Equal(t, "Where are the publishers?", evaluate[string](p, `document.querySelector('[data-topic=nat] .hits a').textContent`))
	require.Empty(t, seek("no such words anywhere"))
	require.Len(t, seek(""), len(Topics()))
	p.healthy()
}
