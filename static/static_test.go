package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
)

func router() http.Handler {
	r := chi.NewRouter()
	Routes(r)
	return r
}

// ask sends one request through the real routes; headers come in pairs.
func ask(t *testing.T, method, target string, headers ...string) *http.Response {
	t.Helper()
	q := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	router().ServeHTTP(w, q)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func TestRoutes(t *testing.T) {
	long := "a" + strings.Repeat("b", 63)
	for _, c := range []struct {
		target, contentType, contains string
		status                        int
	}{
		{"/", "text/html; charset=utf-8", "Live streams", 200},
		{"/watch/live", "text/html; charset=utf-8", `id="video"`, 200},
		{"/watch/a.b_c-9", "text/html; charset=utf-8", `id="video"`, 200},
		{"/watch/" + long, "text/html; charset=utf-8", `id="video"`, 200},
		{"/watch/~1767225600~abc/live", "text/html; charset=utf-8", `id="video"`, 200},
		{"/publish/live", "text/html; charset=utf-8", `id="preview"`, 200},
		{"/static/style.css", "text/css; charset=utf-8", "--accent", 200},
		{"/static/watch.js", "text/javascript; charset=utf-8", "import", 200},
		{"/static/logo.svg", "image/svg+xml", "<svg", 200},
		{"/static/vendor/hls.min.js", "text/javascript; charset=utf-8", "Hls", 200},
		{"/static/vendor/hls.worker.js", "text/javascript; charset=utf-8", "use strict", 200},
		{"/static/vendor/LICENSE", "text/plain; charset=utf-8", "Dailymotion", 200},

		{"/watch/", "", "", 404},
		{"/watch/" + long + "c", "", "", 404},
		{"/watch/.hidden", "", "", 404},
		{"/watch/-dash", "", "", 404},
		{"/watch/a%20b", "", "", 404},
		{"/watch/a%2Fb", "", "", 404},
		{"/watch/%3Cscript%3E", "", "", 404},
		{"/watch/caf%C3%A9", "", "", 404},
		{"/watch/live/more", "", "", 404},
		{"/watch/~1~a/.hidden", "", "", 404},
		{"/watch/~1~a/live/more", "", "", 404},
		{"/watch/~1~a", "", "", 404},
		{"/publish/~1~a/live", "", "", 404},
		{"/publish/..", "", "", 404},
		{"/publish/a%0Ab", "", "", 404},
		{"/static/", "", "", 404},
		{"/static/none.js", "", "", 404},
		{"/static/../static.go", "", "", 404},
		{"/static/pages/index.html", "", "", 404},
		{"/static/assets/style.css", "", "", 404},
		{"/index.html", "", "", 404},
	} {
		t.Run(c.target, func(t *testing.T) {
			r := ask(t, "GET", c.target)
			require.Equal(t, c.status, r.StatusCode)
			text := body(t, r)
			if c.status != 200 {
				require.NotContains(t, r.Header.Get("Cache-Control"), "max-age")
				require.NotContains(t, text, "<script>")
				return
			}
			require.Equal(t, c.contentType, r.Header.Get("Content-Type"))
			require.Contains(t, text, c.contains)
			require.NotEmpty(t, r.Header.Get("ETag"))

			head := ask(t, "HEAD", c.target)
			require.Equal(t, 200, head.StatusCode)
			require.Empty(t, body(t, head))
			require.Equal(t, r.Header.Get("Content-Length"), head.Header.Get("Content-Length"))
		})
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	for _, target := range []string{"/", "/watch/live", "/publish/live", "/static/style.css"} {
		require.Equal(t, http.StatusMethodNotAllowed, ask(t, "POST", target).StatusCode, target)
	}
}

// directives splits a Content-Security-Policy.
func directives(field string) map[string]string {
	out := map[string]string{}
	for d := range strings.SplitSeq(field, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(d), " ")
		out[name] = value
	}
	return out
}

func TestSecurityHeaders(t *testing.T) {
	for target, frames := range map[string]string{"/": "'none'", "/watch/live": "*", "/publish/live": "'none'", "/watch/.no": "'none'"} {
		h := ask(t, "GET", target).Header
		csp := directives(h.Get("Content-Security-Policy"))
		require.Equal(t, frames, csp["frame-ancestors"], target)
		for name, want := range map[string]string{
			"default-src": "'self'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'", "worker-src": "'self'",
			"media-src": "'self' blob:", "img-src": "'self' data: blob:", "object-src": "'none'", "base-uri": "'none'", "form-action": "'none'",
		} {
			require.Equal(t, want, csp[name], "%s %s", target, name)
		}
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "same-origin", h.Get("Referrer-Policy"))
		require.Equal(t, frames != "*", h.Get("X-Frame-Options") == "DENY", target)
	}
	require.Contains(t, ask(t, "GET", "/publish/live").Header.Get("Permissions-Policy"), "camera=(self)")
	require.Contains(t, ask(t, "GET", "/watch/live").Header.Get("Permissions-Policy"), "camera=()")
	svg := ask(t, "GET", "/static/logo.svg").Header
	require.Equal(t, "'none'", directives(svg.Get("Content-Security-Policy"))["default-src"])
	require.Equal(t, "nosniff", svg.Get("X-Content-Type-Options"))
}

// Another site's link or form must not start a publisher in the browser of a person who may publish here.
func TestForeignNavigationLosesItsQuery(t *testing.T) {
	const target = "/publish/live?source=canvas&autostart=1"
	for site, status := range map[string]int{"": 200, "none": 200, "same-origin": 200, "cross-site": 303, "same-site": 303} {
		r := ask(t, "GET", target, "Sec-Fetch-Site", site)
		require.Equal(t, status, r.StatusCode, site)
		if status == 303 {
			require.Equal(t, "/publish/live", r.Header.Get("Location"))
			require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		}
	}
	require.Equal(t, 200, ask(t, "GET", "/publish/live", "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 200, ask(t, "GET", "/watch/live?muted=0", "Sec-Fetch-Site", "cross-site").StatusCode)
	require.Equal(t, 404, ask(t, "GET", "/publish/.no?autostart=1", "Sec-Fetch-Site", "cross-site").StatusCode)
}

func TestCaching(t *testing.T) {
	version := embedded().version
	for target, want := range map[string]string{
		"/":                                "no-cache",
		"/watch/live":                      "no-cache",
		"/static/watch.js":                 "no-cache",
		"/static/" + version + "/watch.js": "public, max-age=31536000, immutable",
		"/static/" + version + "/vendor/hls.min.js": "public, max-age=31536000, immutable",
		"/static/0123456789ab/watch.js":             "no-cache",
		"/static/" + version + "/none.js":           "no-store",
	} {
		require.Equal(t, want, ask(t, "GET", target).Header.Get("Cache-Control"), target)
	}
}

func TestConditionalRequests(t *testing.T) {
	for _, target := range []string{"/", "/watch/live", "/publish/live", "/static/style.css", "/static/vendor/hls.min.js"} {
		for _, encoding := range []string{"", "gzip"} {
			first := ask(t, "GET", target, "Accept-Encoding", encoding)
			tag := first.Header.Get("ETag")
			require.Regexp(t, `^"[0-9a-f]{24}(-gzip)?"$`, tag)
			for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				again := ask(t, "GET", target, "Accept-Encoding", encoding, "If-None-Match", match)
				require.Equal(t, 304, again.StatusCode, "%s %s", target, match)
				require.Empty(t, body(t, again))
				require.Equal(t, tag, again.Header.Get("ETag"))
				require.NotEmpty(t, again.Header.Get("Cache-Control"))
			}
			require.Equal(t, 200, ask(t, "GET", target, "Accept-Encoding", encoding, "If-None-Match", `"other"`).StatusCode)
		}
	}
}

func TestGzip(t *testing.T) {
	plain := body(t, ask(t, "GET", "/static/vendor/hls.min.js"))
	r := ask(t, "GET", "/static/vendor/hls.min.js", "Accept-Encoding", "br, gzip;q=0.8")
	packed := body(t, r)
	require.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
	require.Contains(t, r.Header.Values("Vary"), "Accept-Encoding")
	require.Equal(t, r.Header.Get("Content-Length"), strconv.Itoa(len(packed)))
	require.Less(t, len(packed), len(plain)/2)
	z, err := gzip.NewReader(strings.NewReader(packed))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = io.Copy(&out, z)
	require.NoError(t, err)
	require.Equal(t, plain, out.String())
}

func TestAcceptEncoding(t *testing.T) {
	for field, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br": false, "br,gzip": true, "deflate , gzip ; q=0.5": true, "gzip;q=0": false, "gzip;q=0.000": false,
		"gzip;q=1": true, "gzip;q=x": false, "xgzip": false, "identity": false, "gzip;Q=0.1": true,
	} {
		require.Equal(t, want, acceptsGzip(field), field)
	}
}

func TestRangeIsOfThePlainBytes(t *testing.T) {
	plain := body(t, ask(t, "GET", "/static/style.css"))
	r := ask(t, "GET", "/static/style.css", "Range", "bytes=10-19", "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusPartialContent, r.StatusCode)
	require.Empty(t, r.Header.Get("Content-Encoding"))
	require.Equal(t, plain[10:20], body(t, r))
}

// Below a prefix every reference of a page begins with it.
func TestRoutesBelow(t *testing.T) {
	r := chi.NewRouter()
	r.Route("/a/b", func(r chi.Router) { RoutesBelow(r, "/a/b") })
	get := func(target string) (int, string) {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w.Code, w.Body.String()
	}
	reference := regexp.MustCompile(`(?:src|href)="([^"#]*)`)
	for _, page := range []string{"/a/b/", "/a/b", "/a/b/watch/live", "/a/b/publish/live", "/a/b/watch/-"} {
		_, text := get(page)
		found := 0
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			if m[1] == "" { // filled in by script
				continue
			}
			require.True(t, strings.HasPrefix(m[1], "/a/b/"), "%s refers to %s", page, m[1])
			status, _ := get(m[1])
			require.Equal(t, 200, status, "%s refers to %s", page, m[1])
			found++
		}
		require.Greater(t, found, 2, page)
	}
	status, _ := get("/watch/live")
	require.Equal(t, 404, status)
}
