// Package traffic counts what is answered over HTTP, by class of request.
package traffic

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/segmenter"
)

// classes are what requests are told apart by; there are no others, whatever is asked for.
var classes = []string{"whip", "multivariant", "playlist", "part", "segment", "init", "api", "page", "other"}

// codes are the classes of statuses that end a request (RFC 9110 15). One that ends without any counts as 5xx.
var codes = []string{"2xx", "3xx", "4xx", "5xx"}

// Meter is a collector of metrics and the middleware that feeds it.
type Meter struct {
	prefix    string
	byClass   map[string]*class
	recorders sync.Pool
}

// class are the series of one class, looked up once.
type class struct {
	codes [4]atomic.Uint64
	bytes atomic.Uint64
	open  atomic.Int64
}

var (
	descRequests = metrics.New(metrics.Counter, "whipsaw_http_requests_total", "Requests answered, by what was asked for and class of status.", "class", "code")
	descBytes    = metrics.New(metrics.Counter, "whipsaw_http_response_bytes_total", "Bytes of the bodies of answers.", "class")
	descOpen     = metrics.New(metrics.Gauge, "whipsaw_http_requests_in_flight",
		"Requests not yet answered. Of playlists and parts most of them wait for what is to come.", "class")
)

// New returns a Meter for paths below a prefix like /live; it may be empty.
func New(prefix string) *Meter {
	m := &Meter{prefix: prefix, byClass: map[string]*class{}}
	m.recorders.New = func() any { return new(Recorder) }
	for _, name := range classes {
		m.byClass[name] = new(class)
	}
	return m
}

// Collect tells of all classes (metrics.Collector).
func (m *Meter) Collect(p *metrics.Page) {
	for _, name := range classes {
		c := m.byClass[name]
		for i, code := range codes {
			p.Value(descRequests, float64(c.codes[i].Load()), name, code)
		}
		p.Value(descBytes, float64(c.bytes.Load()), name)
		p.Value(descOpen, float64(c.open.Load()), name)
	}
}

// Count is the middleware.
func (m *Meter) Count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := m.byClass[m.classify(r.URL.Path)]
		rec, _ := m.recorders.Get().(*Recorder) // nothing else is in the pool
		*rec = Recorder{ResponseWriter: w}
		c.open.Add(1)
		defer func() {
			c.open.Add(-1)
			c.codes[outcome(rec.Status)].Add(1)
			c.bytes.Add(uint64(rec.Bytes))
			*rec = Recorder{}
			m.recorders.Put(rec)
		}()
		next.ServeHTTP(rec, r)
		if rec.Status == 0 {
			rec.Status = http.StatusOK // net/http's own for a handler that wrote nothing
		}
	})
}

// outcome is the index in codes.
func outcome(status int) int {
	if status < 200 || status > 599 {
		return len(codes) - 1
	}
	return status/100 - 2
}

// classify tells what a path asks for.
func (m *Meter) classify(path string) string {
	path = strings.TrimPrefix(path, m.prefix)
	top, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch top {
	case "hls":
		return media(path)
	case "whip", "api":
		return top
	case "", "watch", "publish", "docs", "static":
		return "page"
	}
	return "other"
}

// media tells what a path below /hls asks for, by its last element.
func media(path string) string {
	file := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case file == "index.m3u8":
		return "multivariant"
	case file == segmenter.MediaPlaylistName:
		return "playlist"
	case strings.HasPrefix(file, "part-"):
		return "part"
	case strings.HasPrefix(file, "segment-"):
		return "segment"
	case strings.HasPrefix(file, "init-"):
		return "init"
	}
	return "other"
}

// Recorder notes what is answered. All else, deadlines and flushing, goes on to the real writer by Unwrap.
type Recorder struct {
	http.ResponseWriter
	Status int   // 0: nothing has been answered yet
	Bytes  int64 // of the body
}

// WriteHeader notes the status; only the last one, which is no 1xx, is the answer's.
func (r *Recorder) WriteHeader(status int) {
	if r.Status < 200 {
		r.Status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (r *Recorder) Write(b []byte) (int, error) {
	if r.Status < 200 {
		r.Status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.Bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
