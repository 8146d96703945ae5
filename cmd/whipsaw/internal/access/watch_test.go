package access

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
)

const (
	watchKey = "0123456789abcdef0123456789abcdef"
	oldKey   = "an older key that still verifies links"
)

// watched is a router as the server builds it; what stands behind the gate tells what it was asked for.
func watched(keys ...string) http.Handler {
	return watchedUnder("", keys...)
}

// watchedUnder is watched with a prefix of all paths.
func watchedUnder(prefix string, keys ...string) http.Handler {
	g, err := New(Config{WatchKeys: keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err) // there is nothing in it that could be wrong
	}
	root := chi.NewRouter()
	r := root
	if prefix != "" {
		r = chi.NewRouter()
		root.Mount(prefix, r)
	}
	r.HandleFunc("/hls/*", func(w http.ResponseWriter, r *http.Request) {
		path, ok := g.Watch(w, r, strings.TrimPrefix(cmp.Or(r.URL.RawPath, r.URL.Path), prefix+"/hls"))
		if !ok {
			return
		}
		stream, file, more := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !more {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"same"`)
		_, _ = io.WriteString(w, stream+" "+file)
	})
	g.Routes(r)
	return root
}

func ask(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSignIsWhatTheReadmeSays(t *testing.T) {
	// printf 'watch:1767225600:studio-1' | openssl dgst -sha256 -hmac KEY -binary | basenc --base64url | tr -d =
	require.Equal(t, "~1767225600~AR8FYpEusTAE5_RNw5zFK9QBaUYkLjz_xeyc1H4XEpw", WatchKeys{watchKey}.Sign("studio-1", time.Unix(1767225600, 0)))
}

func TestWatch(t *testing.T) {
	keys := WatchKeys{watchKey, oldKey}
	soon := time.Now().Add(time.Hour)
	good := keys.Sign("live", soon)
	expires, sig, _ := strings.Cut(good[1:], "~")
	past := keys.Sign("live", time.Now())
	for _, c := range []struct {
		path string
		want string // of the handler behind the gate; empty: refused
		says string // of the refusal
	}{
		{"/" + good + "/live/index.m3u8", "live index.m3u8", ""},
		{"/" + good + "/live/g/video/media.m3u8?_HLS_msn=3&_HLS_part=1", "live g/video/media.m3u8", ""},
		{"/" + WatchKeys{oldKey}.Sign("live", soon) + "/live/index.m3u8", "live index.m3u8", ""},
		{"/live/index.m3u8", "", "needs a signed link"},
		{"/" + good + "/other/index.m3u8", "", "not right for this stream"},
		{"/" + good + "/live2/index.m3u8", "", "not right"},
		{"/" + past + "/live/index.m3u8", "", "expired"},
		{"/" + (WatchKeys{"another key that is long enough, too"}).Sign("live", soon) + "/live/index.m3u8", "", "not right"},
		{"/~" + expires + "0~" + sig + "/live/index.m3u8", "", "not right"},
		{"/~0" + expires + "~" + sig + "/live/index.m3u8", "", "needs a signed link"},
		{"/~+" + expires + "~" + sig + "/live/index.m3u8", "", "needs"},
		{"/~~" + sig + "/live/index.m3u8", "", "needs"},
		{"/~" + expires + "~/live/index.m3u8", "", "needs"},
		{"/~" + expires + "~" + sig + "=/live/index.m3u8", "", "needs"},
		{"/~" + expires + "~" + sig[:42] + "/live/index.m3u8", "", "needs"},
		{"/%7E" + expires + "~" + sig + "/live/index.m3u8", "", "needs"},
		{"/" + good + "/live/../other/index.m3u8", "", "needs"},
		{"/" + good + "/live/./index.m3u8", "", "needs"},
		{"/" + good + "/live//index.m3u8", "", "needs"},
		{"/" + good + "//live/index.m3u8", "", "needs"},
		{"/" + good + "/live%2Findex.m3u8", "", "needs"},
		{"/" + good + "/live/%2e%2e/other/index.m3u8", "", "needs"},
		{"/" + good + "/" + good + "/live/index.m3u8", "", "needs"},
		{"/" + good + "/live/" + strings.Repeat("x", 600), "", "needs"},
		{"/" + good + "/", "", "needs"},
		{"/" + good, "", "needs"},
		{"/", "", "needs"},
	} {
		h := watched(keys...)
		w := ask(h, "GET", "/hls"+c.path)
		verdict := ask(h, "GET", "/auth/watch", "X-Original-URI", "/hls"+c.path)
		if c.want != "" {
			require.Equal(t, http.StatusOK, w.Code, c.path)
			require.Equal(t, c.want, w.Body.String(), c.path)
			require.Equal(t, `"same"`, w.Header().Get("ETag"))
			require.Equal(t, http.StatusNoContent, verdict.Code, c.path)
			require.Equal(t, "max-age=60", verdict.Header().Get("Cache-Control"))
			require.Equal(t, "X-Original-URI", verdict.Header().Get("Vary"))
			continue
		}
		for _, w := range []*httptest.ResponseRecorder{w, verdict} {
			require.Equal(t, http.StatusForbidden, w.Code, c.path)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
			require.Contains(t, w.Body.String(), c.says, c.path)
		}
	}
}

// Without a key everybody watches, by links of before as well.
func TestWatchIsOpenWithoutKey(t *testing.T) {
	h := watched()
	for _, path := range []string{"/hls/live/index.m3u8", "/hls/" + WatchKeys{watchKey}.Sign("live", time.Unix(1, 0)) + "/live/index.m3u8"} {
		require.Equal(t, "live index.m3u8", ask(h, "GET", path).Body.String())
		require.Equal(t, http.StatusNoContent, ask(h, "GET", "/auth/watch", "X-Original-URI", path).Code)
	}
	require.Equal(t, "live a b", ask(h, "GET", "/hls/live/a%20b").Body.String(), "what is no name of ours is for the handlers to refuse")
}

// Below a path prefix everything lies below it, also what a proxy asks about.
func TestWatchBelowPrefix(t *testing.T) {
	h := watchedUnder("/tv", watchKey)
	path := "/hls/" + WatchKeys{watchKey}.Sign("live", time.Now().Add(time.Hour)) + "/live/index.m3u8"
	require.Equal(t, "live index.m3u8", ask(h, "GET", "/tv"+path).Body.String())
	require.Equal(t, http.StatusNoContent, ask(h, "GET", "/tv/auth/watch", originalURI, "/tv"+path).Code)
	require.Equal(t, http.StatusForbidden, ask(h, "GET", "/tv/auth/watch", originalURI, path).Code)
}

func TestWatchMethods(t *testing.T) {
	h := watched(watchKey)
	require.Equal(t, http.StatusOK, ask(h, "OPTIONS", "/hls/live/index.m3u8").Code, "a preflight carries no right")
	require.Equal(t, http.StatusOK, ask(h, "OPTIONS", "/hls/~1~"+strings.Repeat("A", 43)+"/live/index.m3u8").Code)
	head := ask(h, "HEAD", "/hls/live/index.m3u8")
	require.Equal(t, http.StatusForbidden, head.Code)
	require.Empty(t, head.Body.String())
	require.Equal(t, http.StatusForbidden, ask(h, "POST", "/hls/live/index.m3u8").Code)
}

// A link ends on its second, and what a proxy may keep ends with it.
func TestWatchExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := watched(watchKey)
		path := "/hls/" + WatchKeys{watchKey}.Sign("live", time.Now().Add(90*time.Second)) + "/live/index.m3u8"
		age := func() string {
			w := ask(h, "GET", "/auth/watch", "X-Original-URI", path)
			require.Equal(t, http.StatusNoContent, w.Code)
			return w.Header().Get("Cache-Control")
		}
		require.Equal(t, "max-age=60", age())
		<-time.After(60500 * time.Millisecond) // virtual time
		require.Equal(t, "max-age=29", age(), "rounded down")
		<-time.After(29499 * time.Millisecond)
		require.Equal(t, "max-age=0", age())
		require.Equal(t, http.StatusOK, ask(h, "GET", path).Code)
		<-time.After(time.Millisecond)
		require.Equal(t, http.StatusForbidden, ask(h, "GET", path).Code)
		require.Equal(t, http.StatusForbidden, ask(h, "GET", "/auth/watch", "X-Original-URI", path).Code)
	})
}

// A proxy that forgets to say what it was asked for, or lets a client say so too, gets nothing.
func TestVerdictNeedsOneURI(t *testing.T) {
	h := watched(watchKey)
	good := "/hls/" + WatchKeys{watchKey}.Sign("live", time.Now().Add(time.Hour)) + "/live/index.m3u8"
	for _, headers := range [][]string{nil, {originalURI, ""}, {originalURI, good, originalURI, good}, {originalURI, "https://h" + good}, {originalURI, "/x" + good}, {originalURI, strings.TrimPrefix(good, "/hls")}} {
		w := ask(h, "GET", "/auth/watch", headers...)
		require.Equal(t, http.StatusForbidden, w.Code, "%v", headers)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
	require.Equal(t, http.StatusNoContent, ask(h, "HEAD", "/auth/watch", originalURI, good).Code)
}

// Whatever the path: it is refused, or its signature is one that we made for that stream, and what is left of it begins
// with that stream.
func FuzzWatchPath(f *testing.F) {
	now := time.Unix(1767225600, 0)
	keys := WatchKeys{watchKey}
	good := "/" + keys.Sign("live", now.Add(time.Hour)) + "/live/index.m3u8"
	for _, s := range []string{good, "/live/index.m3u8", "", "/", "//", "/~", "/~1~", good[1:], good + "/../x", strings.Replace(good, "live", "a%2fb", 1), "/~-1~" + strings.Repeat("A", 43) + "/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, ok := parseWatchPath(path)
		if !ok {
			return
		}
		require.True(t, strings.HasPrefix(p.plain+"/", "/"+p.stream+"/"))
		require.NotContains(t, p.plain, "//")
		require.NotContains(t, p.plain+"/", "/../")
		require.NotContains(t, p.plain, "%")
		if p.signature == "" {
			require.Equal(t, path, p.plain)
		} else {
			require.Equal(t, path, "/~"+p.seconds+"~"+p.signature+p.plain, "every part has one spelling")
		}
		until, err := keys.check(p, now)
		if err == nil {
			require.Equal(t, path, "/"+keys.Sign(p.stream, until)+p.plain)
		}
	})
}

func BenchmarkWatch(b *testing.B) {
	keys := WatchKeys{watchKey}
	path := "/hls/" + keys.Sign("live", time.Now().Add(time.Hour)) + "/live/generation/video/part-0-1-2.m4s"
	for name, h := range map[string]http.Handler{"signed": watched(watchKey), "open": watched()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("GET", path, nil)
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
