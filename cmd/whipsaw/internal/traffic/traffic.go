// Package traffic counts what is answered over HTTP, by class of request.
package traffic

import (
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"whipsaw/segmenter"
)

// classes are what requests are told apart by; there are no others, whatever is asked for.
var classes = []string{"whip", "multivariant", "playlist", "part", "segment", "init", "api", "page", "other"}

// codes are the classes of statuses that end a request (RFC 9110 15). One that ends without any counts as 5xx.
var codes = []string{"2xx", "3xx", "4xx", "5xx"}

// Meter is a collector of metrics and the middleware that feeds it.
type Meter struct {
	prefix    string
	requests  *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	open      *prometheus.GaugeVec
	byClass   map[string]*class
	recorders sync.Pool
}

// class are the series of one class, looked up once.
type class struct {
	codes [4]prometheus.Counter
	bytes prometheus.Counter
	open  prometheus.Gauge
}

// New returns a Meter for paths below a prefix like /live; it may be empty.
func New(prefix string) *Meter {
	m := &Meter{
		prefix: prefix,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "whipsaw_http_requests_total",
			Help: "Requests answered, by what was asked for and class of status."}, []string{"class", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "whipsaw_http_response_bytes_total",
			Help: "Bytes of the bodies of answers."}, []string{"class"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "whipsaw_http_requests_in_flight",
			Help: "Requests not yet answered. Of playlists and parts most of them wait for what is to come."}, []string{"class"}),
		byClass: map[string]*class{},
	}
	m.recorders.New = func() any { return new(recorder) }
	for _, name := range classes {
		c := &class{bytes: m.bytes.WithLabelValues(name), open: m.open.WithLabelValues(name)}
		for i, code := range codes {
			c.codes[i] = m.requests.WithLabelValues(name, code)
		}
		m.byClass[name] = c
	}
	return m
}

// Describe sends the descriptions of all series (prometheus.Collector).
func (m *Meter) Describe(ch chan<- *prometheus.Desc) {
	m.requests.Describe(ch)
	m.bytes.Describe(ch)
	m.open.Describe(ch)
}

// Collect sends all series (prometheus.Collector).
func (m *Meter) Collect(ch chan<- prometheus.Metric) {
	m.requests.Collect(ch)
	m.bytes.Collect(ch)
	m.open.Collect(ch)
}

// Count is the middleware.
func (m *Meter) Count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := m.byClass[m.classify(r.URL.Path)]
		rec, _ := m.recorders.Get().(*recorder) // nothing else is in the pool
		*rec = recorder{ResponseWriter: w}
		c.open.Inc()
		defer func() {
			c.open.Dec()
			c.codes[outcome(rec.status)].Inc()
			c.bytes.Add(float64(rec.bytes))
			*rec = recorder{}
			m.recorders.Put(rec)
		}()
		next.ServeHTTP(rec, r)
		if rec.status == 0 {
			rec.status = http.StatusOK // net/http's own for a handler that wrote nothing
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
	case "", "watch", "publish", "static":
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

// recorder notes what is answered. All else, deadlines and flushing, goes on to the real writer by Unwrap.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status; only the last one, which is no 1xx, is the answer's.
func (r *recorder) WriteHeader(status int) {
	if r.status < 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status < 200 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
