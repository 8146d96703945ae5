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

// Watch lets only signed requests through to what lies below /hls; the others it answers itself, and ok is false. The path
// is what was asked for below that, as it was sent; plain is the same without the signed segment: what is answered is the
// same for every link. Without a key all may watch, also by links that were signed before. Preflights carry no right of
// anybody and pass.
func (g *Gate) Watch(w http.ResponseWriter, r *http.Request, path string) (plain string, ok bool) {
	keys := g.rules.Load().WatchKeys
	if len(keys) == 0 && !strings.HasPrefix(path, "/~") {
		return path, true
	}
	p, ok := parseWatchPath(path)
	if ok && p.signature != "" {
		path = p.plain
	}
	if len(keys) > 0 && r.Method != http.MethodOptions {
		err := errUnsigned
		if ok {
			_, err = keys.check(p, time.Now())
		}
		if err != nil {
			refuseWatch(w, r, err)
			return "", false
		}
	}
	return path, true
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
