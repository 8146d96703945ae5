package admin

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
)

// longestProfile bounds how long is looked at the processors, or at what goroutines do.
const longestProfile = 10 * time.Minute

// profiles mounts what `go tool pprof` and `go tool trace` fetch, at the addresses that they know. net/http/pprof would
// register itself on a router of its own as well, and bring 200 kB to the binary.
func profiles(r chi.Router) {
	r.Get("/", listProfiles)
	r.Get("/cmdline", http.NotFound) // a token may stand on the command line
	r.Get("/profile", during(30*time.Second, func(w http.ResponseWriter) (stop func(), err error) {
		return pprof.StopCPUProfile, pprof.StartCPUProfile(w)
	}))
	r.Get("/trace", during(time.Second, func(w http.ResponseWriter) (stop func(), err error) {
		return trace.Stop, trace.Start(w)
	}))
	r.Get("/{profile}", namedProfile)
}

func listProfiles(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	all := pprof.Profiles()
	slices.SortFunc(all, func(a, b *pprof.Profile) int { return len(a.Name()) - len(b.Name()) })
	for _, p := range all {
		fmt.Fprintf(w, "%8d %s\n", p.Count(), p.Name()) // who asked may have left
	}
	fmt.Fprint(w, "         profile?seconds=30\n         trace?seconds=1\n") // as above
}

// namedProfile writes a profile of what has been since the start: packed, or as text with ?debug=1 or 2. With ?gc=1 the
// heap is collected first.
func namedProfile(w http.ResponseWriter, r *http.Request) {
	p := pprof.Lookup(chi.URLParam(r, "profile"))
	if p == nil {
		http.NotFound(w, r)
		return
	}
	if gc, _ := strconv.Atoi(r.FormValue("gc")); gc > 0 && p.Name() == "heap" { // anything else is no
		runtime.GC()
	}
	debug, _ := strconv.Atoi(r.FormValue("debug")) // anything else is 0
	contentType := "application/octet-stream"
	if debug > 0 {
		contentType = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	_ = p.WriteTo(w, debug) // who asked may have left
}

// during answers with what is recorded for ?seconds, or for a default time, or until who asked has left. One recording of
// a kind runs at a time.
func during(byDefault time.Duration, start func(http.ResponseWriter) (stop func(), err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		length := byDefault
		if s, err := strconv.ParseFloat(r.FormValue("seconds"), 64); err == nil && s > 0 {
			length = time.Duration(min(s, longestProfile.Seconds()) * float64(time.Second))
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "no-store")
		stop, err := start(w)
		if err != nil {
			w.Header().Set("Retry-After", "30")
			http.Error(w, "this is being recorded for somebody else: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), length)
		defer cancel()
		<-ctx.Done()
		stop()
	}
}
