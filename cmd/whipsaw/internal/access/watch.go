package access

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// maxVerdict bounds how long a proxy may keep the answer that a link is good.
const maxVerdict = time.Minute

// Watch lets only signed requests through to the handlers of /hls, and takes the signed segment out of their way: what
// they answer is the same for every link. Without a key all may watch, also by links that were signed before.
// Preflights carry no right of anybody and pass. It has to be used on the router that is mounted at /hls.
func (g *Gate) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := chi.RouteContext(r.Context())
		keys := g.rules.Load().WatchKeys
		if len(keys) == 0 && !strings.HasPrefix(route.RoutePath, "/~") {
			next.ServeHTTP(w, r)
			return
		}
		p, ok := parseWatchPath(route.RoutePath)
		if ok && p.signature != "" {
			route.RoutePath = p.plain
		}
		if len(keys) > 0 && r.Method != http.MethodOptions {
			err := errUnsigned
			if ok {
				_, err = keys.check(p, time.Now())
			}
			if err != nil {
				refuseWatch(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// refuseWatch answers 403, which no cache may keep and scripts of every origin may read.
func refuseWatch(w http.ResponseWriter, r *http.Request, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusForbidden)
	if r.Method != http.MethodHead {
		// The client left: there is nobody to tell.
		_, _ = w.Write([]byte(err.Error() + "\n"))
	}
}

// Routes mounts GET and HEAD /auth/watch on r, for proxies.
func (g *Gate) Routes(r chi.Router) {
	r.Get(verdictPath, g.verdict)
	r.Head(verdictPath, g.verdict)
}

const verdictPath = "/auth/watch"

// originalURI is the header in which a proxy tells what it was asked for.
const originalURI = "X-Original-URI"

var errNoURI = errors.New("the proxy has to send the path and query that it was asked for, /hls/..., as " + originalURI)

// verdict answers GET /auth/watch, which a caching proxy asks before it answers from its store: 204 if the request in
// X-Original-URI may be answered, else 403. 204 tells how long that holds.
func (g *Gate) verdict(w http.ResponseWriter, r *http.Request) {
	path, _, _ := strings.Cut(r.Header.Get(originalURI), "?")
	prefix := strings.TrimSuffix(r.URL.Path, verdictPath) // of all paths of this server
	below, ok := strings.CutPrefix(path, prefix+"/hls")
	if !ok || len(r.Header.Values(originalURI)) != 1 {
		refuseWatch(w, r, errNoURI)
		return
	}
	p, ok := parseWatchPath(below)
	if !ok {
		refuseWatch(w, r, errUnsigned)
		return
	}
	now := time.Now()
	until, err := g.rules.Load().WatchKeys.check(p, now)
	if err != nil {
		refuseWatch(w, r, err)
		return
	}
	keep := maxVerdict
	if !until.IsZero() {
		keep = min(keep, until.Sub(now))
	}
	w.Header().Set("Cache-Control", "max-age="+strconv.Itoa(int(keep/time.Second)))
	w.Header().Set("Vary", originalURI)
	w.WriteHeader(http.StatusNoContent)
}
