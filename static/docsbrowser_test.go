package static

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation at both widths, light and dark; what can be copied has this server's address; the search finds texts.
func TestDocsInBrowser(t *testing.T) {
	browser, back, axe := chromium(t), newBackend(t), axeCore(t)
	show := func(page string, l looks, dark bool) *tab {
		l.dark = dark
		p := open(t, browser, l, back.server.URL+"/"+page)
		p.until(`document.querySelector('.code .button, #find:not([hidden])')`)
		require.Empty(t, evaluate[[]string](p, tooWide(l.width)), page)
		require.Empty(t, evaluate[[]string](p, nameless), page)
		require.Empty(t, evaluate[[]string](p, pale), page)
		require.Empty(t, evaluate[[]string](p, axe+grave), page)
		p.healthy()
		return p
	}
	show("docs/troubleshooting", phone, false)
	start := show("docs/start", phone, true)
	start.keep("docs-start")
	text := evaluate[string](start, `document.querySelector('.prose').textContent`)
	require.Contains(t, text, back.server.URL+"/whip/live")
	require.NotContains(t, strings.ReplaceAll(text, back.server.URL, ""), "http://127.0.0.1:8080/")

	list := show("docs", desktop, true)
	list.keep("docs")
	seek := func(words string) []string {
		evaluate[bool](list, `(() => { const q = document.getElementById('query'); q.value = `+quoted(words)+`; return q.dispatchEvent(new Event('input')); })()`)
		list.until(`document.getElementById('found').textContent || !document.getElementById('query').value`)
		return evaluate[[]string](list, `[...document.querySelectorAll('[data-topic]')].filter(e => e.checkVisibility()).map(e => e.dataset.topic)`)
	}
	require.Equal(t, []string{"nat"}, seek("coturn static-auth-secret use-auth-secret"))
	require.Equal(t, "Where are the publishers?", evaluate[string](list, `document.querySelector('[data-topic=nat] .hits a').textContent`))
	require.Empty(t, seek("no such words anywhere"))
	require.Len(t, seek(""), len(Topics()))
	list.healthy()
}
