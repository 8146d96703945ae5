package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cacheFor is how long a crowd watches through a cache: -cache-for 60s for a thorough run.
var cacheFor = flag.Duration("cache-for", 3*time.Second, "how long a crowd watches through a cache")

// counted stands between a cache and the server, and counts what the cache asks for.
type counted struct {
	*httptest.Server
	mu     sync.Mutex
	counts map[string]int  // by URL with the query, and the coding that was asked for
	absent map[string]bool // of these, those that were answered with 404
	faults map[string]int  // by path: how often it is answered with 503 yet
}

func newCounted(t *testing.T, s *instance) *counted {
	t.Helper()
	to, err := url.Parse(s.URL())
	require.NoError(t, err)
	c := &counted{counts: make(map[string]int), absent: make(map[string]bool), faults: make(map[string]int)}
	proxy := &httputil.ReverseProxy{ErrorLog: log.New(io.Discard, "", 0), Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	}, ModifyResponse: func(r *http.Response) error {
		if r.StatusCode == http.StatusNotFound {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.absent[r.Request.Header.Get("Accept-Encoding")+" "+r.Request.URL.RequestURI()] = true
		}
		return nil
	}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.counts[r.Header.Get("Accept-Encoding")+" "+r.URL.RequestURI()]++
		fault := c.faults[r.URL.Path] > 0
		c.faults[r.URL.Path]--
		c.mu.Unlock()
		if fault {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// of returns how often each URL was asked for that matches.
func (c *counted) of(pattern string) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[string]int)
	for u, n := range c.counts {
		if regexp.MustCompile(pattern).MatchString(u) {
			out[u] = n
		}
	}
	return out
}

// once wants everything that never changes to have been asked for once, but for what was asked for early. Of a part that
// was overtaken by the end of its segment a cache knows so for two seconds.
func (c *counted) once(t *testing.T, early map[string]bool) {
	t.Helper()
	for u, n := range c.of(`\.m4s$|\.mp4$|_HLS_msn=`) {
		if _, uri, _ := strings.Cut(u, " "); early[uri] {
			continue
		}
		most := 1
		if c.absent[u] {
			most = 3
		}
		require.LessOrEqual(t, n, most, "%s was asked for more than once", u)
	}
}

// rendition is the path of the folder of a stream's first rendition, and the number of the segment and the name of the
// part that its playlist hints at.
func (s *instance) rendition(stream string) (folder string, msn int, part string) {
	s.t.Helper()
	index := s.URL() + "/hls/" + stream + "/index.m3u8"
	_, _, body := fetch(s.t, index)
	playlist := firstURI(s.t, index, body)
	var m []string
	eventually(s.t, "a part is announced", func() bool {
		_, _, body = fetch(s.t, playlist)
		m = hint.FindStringSubmatch(string(body))
		return m != nil
	})
	msn, err := strconv.Atoi(m[2])
	require.NoError(s.t, err)
	return strings.TrimPrefix(playlist[:strings.LastIndex(playlist, "/")+1], s.URL()), msn, m[1]
}

// tooEarly asks through a cache for what will be there soon but is not yet, and returns for what.
func tooEarly(t *testing.T, s *instance, base string) map[string]bool {
	t.Helper()
	folder, msn, part := s.rendition("demo")
	epoch := strings.Split(part, "-")[1]
	out := make(map[string]bool)
	for uri, status := range map[string]int{
		fmt.Sprintf("%spart-%s-%d-1.m4s", folder, epoch, msn+1):       http.StatusNotFound,
		fmt.Sprintf("%ssegment-%d.m4s", folder, msn+1):                http.StatusNotFound,
		fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d", folder, msn+3):        http.StatusBadRequest,
		fmt.Sprintf("%smedia.m3u8?_HLS_part=2", folder):               http.StatusBadRequest, // for ever
		fmt.Sprintf("%spart-%s-%d-1.m4s?again", folder, epoch, msn+1): http.StatusNotFound,
	} {
		for range 2 { // also not for a moment
			r, body := ask(t, "GET", base+uri, "Accept-Encoding", "gzip")
			require.Equal(t, status, r.StatusCode, "%s: %s", uri, body)
			require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		}
		if !strings.HasSuffix(uri, "?_HLS_part=2") {
			out[uri] = true
		}
	}
	return out
}

// stillMissing asks for all until each has been there, and returns what never was.
func stillMissing(base string, uris map[string]bool) map[string]bool {
	left := maps.Clone(uris)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); len(left) > 0 && time.Since(begun) < patience; <-tick.C {
		for uri := range left {
			r, err := insecure.Get(base + uri)
			if err != nil {
				continue
			}
			_ = r.Body.Close() // it is not read
			if r.StatusCode == http.StatusOK {
				delete(left, uri)
			}
		}
	}
	return left
}

// sameThroughCache asks for the same things through a cache and past it.
func sameThroughCache(t *testing.T, s *instance, origin *counted, base string) {
	t.Helper()
	folder, msn, _ := s.rendition("demo")
	segment := fmt.Sprintf("%ssegment-%d.m4s", folder, msn-2)
	_, direct, body := s.get(segment)
	r, text := ask(t, "GET", base+segment)
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, string(body), text)
	for _, name := range []string{"Cache-Control", "Content-Type", "Etag", "Access-Control-Allow-Origin", "Content-Length", "X-Content-Type-Options"} {
		require.Equal(t, direct.Get(name), r.Header.Get(name), name)
	}
	r, _ = ask(t, "HEAD", base+segment)
	require.Equal(t, fmt.Sprint(len(body)), r.Header.Get("Content-Length"))
	r, text = ask(t, "GET", base+segment, "Range", "bytes=10-19")
	require.Equal(t, http.StatusPartialContent, r.StatusCode)
	require.Equal(t, string(body[10:20]), text)
	r, _ = ask(t, "GET", base+segment, "If-None-Match", direct.Get("ETag"))
	require.Equal(t, http.StatusNotModified, r.StatusCode)
	require.Equal(t, 1, sum(origin.of(regexp.QuoteMeta(segment)+"$")), "all that from one request")

	// Both forms of a playlist, each by its own name.
	playlist := fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d&_HLS_part=0", folder, msn-1)
	for _, c := range []struct{ accept, coding string }{
		{"gzip, br", "gzip"}, {"", ""}, {"br;q=1.0, gzip;q=0.8", "gzip"}, {"identity", ""}, {"gzip;q=0", ""}, {"deflate, gzip", "gzip"},
	} {
		r, text := ask(t, "GET", base+playlist, "Accept-Encoding", c.accept)
		require.Equal(t, http.StatusOK, r.StatusCode)
		require.Equal(t, c.coding, r.Header.Get("Content-Encoding"), c.accept)
		require.Contains(t, r.Header.Values("Vary"), "Accept-Encoding")
		require.Equal(t, c.coding == "", strings.HasPrefix(text, "#EXTM3U"))
	}
	for form, n := range origin.of(regexp.QuoteMeta(playlist) + "$") {
		require.Equal(t, 1, n, "one request for each form, %q", form)
	}

	// An answer that the server could not give in time is not kept.
	origin.mu.Lock()
	origin.faults[folder+"media.m3u8"] = 1
	origin.mu.Unlock()
	late := fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d", folder, msn-2)
	r, _ = ask(t, "GET", base+late, "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
	r, _ = ask(t, "GET", base+late, "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusOK, r.StatusCode)
}
