package static

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

var update = flag.Bool("update", false, "write what the tests compare with")

// polish is what is changed in the HTML of goldmark, which knows nothing of our pages.
var polish = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`<a href="http://127\.0\.0\.1:8080/`), `<a href="/`}, // of the server that shows the page
	{regexp.MustCompile(`<a href="([a-z]+)\.md(#[^"]*)?">`), `<a href="/docs/$1$2">`},
	{regexp.MustCompile(`<(h[23]) id="([^"]*)">(.*?)</h[23]>`), `<$1 id="$2">$3<a class="anchor" href="#$2" aria-label="Link to this section">#</a></$1>`},
	{regexp.MustCompile(`<pre>`), `<div class="code"><pre tabindex="0">`},
	{regexp.MustCompile(`</pre>`), `</pre></div>`},
	{regexp.MustCompile(`<code class="language-[a-z]+">`), `<code>`},
	{regexp.MustCompile(`<table>`), `<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>`},
	{regexp.MustCompile(`</table>`), `</table></div>`},
}

// render makes a topic's HTML.
func render(t *testing.T, topic Topic) string {
	t.Helper()
	var b bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	require.NoError(t, markdown.Convert([]byte(topic.Text), &b))
	out := b.String()
	for _, p := range polish {
		out = p.from.ReplaceAllString(out, p.to)
	}
	return out
}

// The HTML beside each text is what it gives. It is made when the text is written, so that the binary needs no renderer.
func TestDocsAreRendered(t *testing.T) {
	for _, topic := range Topics() {
		got, name := render(t, topic), filepath.Join("docs", topic.Name+".html")
		require.NotContains(t, got, "raw HTML omitted", topic.Name)
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
			continue
		}
		require.Equal(t, got, string(read("docs")[name]), "%s is not what its text gives: go generate ./static", name)
	}
}

// Every file belongs to a topic, and every topic has what lists show.
func TestDocsAreWhole(t *testing.T) {
	known := map[string]bool{}
	for _, topic := range Topics() {
		require.Regexp(t, `^[a-z]+$`, topic.Name)
		require.False(t, known["docs/"+topic.Name+".md"], topic.Name)
		require.Regexp(t, "^[^#`*<>\\[\\]]{3,40}$", topic.Title, "the title of %s is plain text", topic.Name)
		require.Regexp(t, "^[^#`*<>\\[\\]]{20,220}[.?]$", topic.Lead, "the lead of %s is plain text", topic.Name)
		require.Greater(t, len(topic.Text), 300, topic.Name)
		known["docs/"+topic.Name+".md"], known["docs/"+topic.Name+".html"] = true, true
	}
	for name := range read("docs") {
		require.True(t, known[name], "%s is in no group", name)
	}
}

// What the renderer understands, the terminal understands too: nothing else is used.
func TestDocsUseLittleMarkdown(t *testing.T) {
	for _, topic := range Topics() {
		fenced := false
		for line := range strings.Lines(topic.Text) {
			line = strings.TrimRight(line, "\n")
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
				continue
			}
			if fenced {
				continue
			}
			require.NotRegexp(t, `^(#|####+) |^(    |\t)[^ ]*[^-\d ]|^> |!\[|^\s*[*+] |__|~~`, line, topic.Name)
		}
		require.False(t, fenced, topic.Name)
	}
}

var ownPage = regexp.MustCompile(`^/(watch|publish)/[a-z]+$`)

// Every link leads to something: a topic, one of its headings, a page of the server or a site.
func TestDocsLinks(t *testing.T) {
	link := regexp.MustCompile(`<a (?:class="anchor" )?href="([^"]*)"`)
	ids := map[string]bool{}
	for _, topic := range Topics() {
		ids["/docs/"+topic.Name] = true
		for _, m := range regexp.MustCompile(`<h[23] id="([^"]*)"`).FindAllStringSubmatch(render(t, topic), -1) {
			ids["/docs/"+topic.Name+"#"+m[1]] = true
		}
	}
	for _, topic := range Topics() {
		for _, m := range link.FindAllStringSubmatch(render(t, topic), -1) {
			target := m[1]
			switch {
			case strings.HasPrefix(target, "https://"):
				continue
			case strings.HasPrefix(target, "#"):
				target = "/docs/" + topic.Name + target
			}
			require.True(t, ids[target] || ownPage.MatchString(target), "%s: %s leads nowhere", topic.Name, m[1])
		}
	}
}

func TestDocsRoutes(t *testing.T) {
	require.Equal(t, 200, ask(t, "GET", "/docs").StatusCode)
	again := ask(t, "GET", "/docs/")
	require.Equal(t, 308, again.StatusCode)
	require.Equal(t, "/docs", again.Header.Get("Location"))
	list := body(t, ask(t, "GET", "/docs"))
	for _, topic := range Topics() {
		require.Contains(t, list, `href="/docs/`+topic.Name+`"`)
		page := ask(t, "GET", "/docs/"+topic.Name)
		require.Equal(t, 200, page.StatusCode, topic.Name)
		require.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "script-src 'self'")
		require.NotContains(t, body(t, page), "<!--", "no placeholder is left")
		source := ask(t, "GET", "/docs/"+topic.Name+".md")
		require.Equal(t, "text/plain; charset=utf-8", source.Header.Get("Content-Type"))
		require.Contains(t, body(t, source), topic.Text)
	}
	for _, path := range []string{"/docs/none", "/docs/none.md", "/docs/start.html", "/docs/start/more", "/docs/.md"} {
		require.Equal(t, 404, ask(t, "GET", path).StatusCode, path)
	}
}

// Below a prefix all links carry it.
func TestDocsBelowAPrefix(t *testing.T) {
	s := embedded().below("/tv")
	for _, name := range []string{"docs", "docs/start", "docs/nat"} {
		for _, m := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(string(s.pages[name].body), -1) {
			require.True(t, strings.HasPrefix(m[1], "/tv/"), "%s: %s", name, m[1])
		}
	}
}
