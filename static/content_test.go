package static

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// own returns the embedded files that are not of others.
func own() map[string][]byte { return read("pages", "assets") }

func TestEveryFileHasAContentType(t *testing.T) {
	for name := range read("pages", "assets", "vendor", "docs") {
		require.NotEmpty(t, contentTypes[path.Ext(name)], name)
	}
}

func TestPagesReferOnlyToEmbeddedFiles(t *testing.T) {
	reference := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	for name, page := range embedded().pages {
		found := 0
		for _, m := range reference.FindAllStringSubmatch(string(page.body), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if !strings.HasPrefix(target, "/static/") {
				require.Regexp(t, `^(/|/(publish|watch)/[a-z]+(\?preview=1)?|/docs(/[a-z]+)?|https://.*|)$`, target, name)
				continue
			}
			version, asset := splitVersion(strings.TrimPrefix(target, "/static/"))
			require.Equal(t, embedded().version, version, "%s: %s", name, target)
			require.NotNil(t, embedded().assets[asset], "%s: %s", name, target)
			found++
		}
		require.Positive(t, found, name)
	}
}

func TestModulesImportOnlyEmbeddedFiles(t *testing.T) {
	reference := regexp.MustCompile(`(?:from |new URL\()'([^']*)'`)
	for name, text := range read("assets") {
		if path.Ext(name) != ".js" {
			continue
		}
		for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "." { // a folder of the stream's URLs, resolved at run time
				continue
			}
			require.True(t, strings.HasPrefix(m[1], "./"), "%s: %s is not relative, it would lose the version", name, m[1])
			require.NotNil(t, embedded().assets[path.Clean(m[1])], "%s: %s", name, m[1])
		}
	}
}

// Every module that a page's script needs is announced, so that the browser asks for all of them at once.
func TestPagesPreloadTheirModules(t *testing.T) {
	reference := regexp.MustCompile(`from '\./([^']*)'`)
	for _, page := range []string{"index", "watch", "publish"} {
		html, todo, seen := string(embedded().pages[page+".html"].body), []string{page + ".js"}, map[string]bool{}
		for len(todo) > 0 {
			name := todo[0]
			todo = todo[1:]
			if seen[name] {
				continue
			}
			seen[name] = true
			require.Contains(t, html, "/"+name+`"`, "%s needs %s", page, name)
			for _, m := range reference.FindAllStringSubmatch(string(embedded().assets[name].body), -1) {
				todo = append(todo, m[1])
			}
		}
		require.Greater(t, len(seen), 2)
		for _, m := range regexp.MustCompile(`modulepreload" href="/static/[0-9a-f]+/([^"]*)"`).FindAllStringSubmatch(html, -1) {
			require.True(t, seen[m[1]], "%s announces %s and does not need it", page, m[1])
		}
	}
}

func TestNothingInlineAndNothingFromElsewhere(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"a style attribute":     regexp.MustCompile(`\sstyle\s*=\s*["']`),
		"an event attribute":    regexp.MustCompile(`<[^>]*\son[a-z]+\s*=\s*["']`),
		"an inline script":      regexp.MustCompile(`<script(?:\s+(?:type|defer)[^>]*)?>\s*[^<\s]`),
		"an inline style sheet": regexp.MustCompile(`<style`),
		"a javascript: URL":     regexp.MustCompile(`(?i)javascript:`),
		"eval":                  regexp.MustCompile(`\beval\(|new Function\(`),
		"markup made of text":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`),
	}
	address := regexp.MustCompile(`(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}`)
	for name, text := range own() {
		for what, pattern := range forbidden {
			if path.Ext(name) == ".js" && what == "a style attribute" {
				continue
			}
			require.Empty(t, pattern.FindString(string(text)), "%s has %s", name, what)
		}
		for _, found := range address.FindAllString(string(text), -1) {
			require.Equal(t, "http://www.w3.org", found, "%s names another host", name) // the name of the SVG vocabulary
		}
	}
}

func TestTokensStayOutOfAddresses(t *testing.T) {
	for name, text := range own() {
		require.NotContains(t, string(text), "localStorage", name)
		require.NotRegexp(t, `[?&]token=|query\.get\('token'\)`, string(text), name)
	}
}

func TestPagesAreLabelled(t *testing.T) {
	for name, page := range embedded().pages {
		html := string(page.body)
		require.True(t, strings.HasPrefix(html, "<!doctype html>\n<html lang=\"en\""), name)
		require.Contains(t, html, `<meta name="viewport"`, name)
		require.Len(t, regexp.MustCompile(`<h1[ >]`).FindAllString(html, -1), 1, name)
		require.Len(t, regexp.MustCompile(`<main[ >]`).FindAllString(html, -1), 1, name)
		for _, image := range regexp.MustCompile(`<img [^>]*>`).FindAllString(html, -1) {
			require.Contains(t, image, "alt=", name)
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			require.False(t, ids[m[1]], "%s: two elements with the id %s", name, m[1])
			ids[m[1]] = true
		}
	}
}

// The scripts look elements up by id: each must be on a page.
func TestScriptsFindTheirElements(t *testing.T) {
	var pages strings.Builder
	for _, page := range embedded().pages {
		pages.Write(page.body)
	}
	for name, text := range read("assets") {
		for _, m := range regexp.MustCompile(`\$\('([a-z-]+)'\)`).FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, pages.String(), `id="`+m[1]+`"`, name)
		}
		for _, m := range regexp.MustCompile(`icons\.svg#([a-z]+)|icon\('([a-z]+)'\)`).FindAllStringSubmatch(pages.String()+string(text), -1) {
			require.Contains(t, string(embedded().assets["icons.svg"].body), `id="`+m[1]+m[2]+`"`, name)
		}
	}
}

func TestVendoredFilesAreThoseOfTheReadme(t *testing.T) {
	readme := string(embedded().assets["vendor/README.md"].body)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` .* `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(readme, -1)
	listed := map[string]bool{"vendor/README.md": true}
	for _, row := range rows {
		f := embedded().assets["vendor/"+row[1]]
		require.NotNil(t, f, row[1])
		sum := sha256.Sum256(f.body)
		require.Equal(t, row[2], hex.EncodeToString(sum[:]), row[1])
		listed["vendor/"+row[1]] = true
	}
	for name := range embedded().assets {
		require.True(t, listed[name] || !strings.HasPrefix(name, "vendor/"), name)
	}
	require.Contains(t, readme, "hls.js 1.7.4")
}

func TestSplitVersion(t *testing.T) {
	for in, want := range map[string][2]string{
		"a.js": {"", "a.js"}, "0123456789ab/a.js": {"0123456789ab", "a.js"}, "vendor/a.js": {"", "vendor/a.js"},
		"0123456789ab/vendor/a.js": {"0123456789ab", "vendor/a.js"}, "0123456789a/a.js": {"", "0123456789a/a.js"}, "": {"", ""},
	} {
		version, name := splitVersion(in)
		require.Equal(t, want, [2]string{version, name}, in)
	}
}

func TestOneCompressorIsWorthIt(t *testing.T) {
	require.Nil(t, compress([]byte("short")))
	require.Less(t, len(compress([]byte(strings.Repeat("saw ", 1000)))), 100)
}

// The pages and the server must agree on what a stream may be called.
func TestOneRuleForNames(t *testing.T) {
	const rule = `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`
	require.Contains(t, string(embedded().assets["format.js"].body), "/^"+rule+"$/")
	// In an HTML pattern the dash is escaped, as the v flag of regular expressions asks.
	require.Contains(t, string(embedded().pages["index.html"].body), `pattern="`+strings.Replace(rule, "_-", `_\-`, 1)+`"`)
	pattern := regexp.MustCompile("^" + rule + "$")
	for _, name := range []string{"a", "live", "A-1.b_c", strings.Repeat("x", 64), strings.Repeat("x", 65), "", ".a", "-a", "_a", "a b", "a/b", "\u00e9", "a\n"} {
		require.Equal(t, pattern.MatchString(name), segmenter.ValidName(name), "%q", name)
	}
}

func TestEveryEndHasWords(t *testing.T) {
	for _, reason := range []segmenter.Reason{
		segmenter.ReasonDeleted, segmenter.ReasonPeerClosed, segmenter.ReasonICEFailed, segmenter.ReasonNotConnected, segmenter.ReasonShutdown,
		segmenter.ReasonKicked, segmenter.ReasonReplaced, segmenter.ReasonNoMedia, segmenter.ReasonNoParameters, segmenter.ReasonNoRandomAccess,
		segmenter.ReasonSilent, segmenter.ReasonTooLarge, segmenter.ReasonTooFast, segmenter.ReasonInternal,
	} {
		require.Contains(t, string(embedded().assets["format.js"].body), "'"+string(reason)+"': '")
	}
}
