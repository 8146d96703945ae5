// Package cmcd takes what players tell of themselves in headers (CTA-5004, Common Media Client Data) and makes
// distributions of it, per stream. Only headers are read: in a query they would give every viewer a URL, and so a cache
// entry, of their own.
package cmcd

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"whipsaw/segmenter"
)

// headers are where CTA-5004 2 spreads its keys over; each may come in any of them.
var headers = []string{"Cmcd-Request", "Cmcd-Object", "Cmcd-Status", "Cmcd-Session"}

const (
	maxHeader = 2048             // bytes of a header that are read
	maxTime   = 10 * time.Minute // what is longer is no buffer and no latency
)

// Report is what one request tells.
type Report struct {
	Buffer  time.Duration // bl: what is buffered ahead; below 0: not told
	Latency time.Duration // ltc (version 2): behind the live edge's time; below 0: not told
	Starved bool          // bs: the buffer ran empty since the request before
}

// Parse reads the headers of a request; false if it tells nothing of what is looked for.
func Parse(h http.Header) (Report, bool) {
	r, any := Report{Buffer: -1, Latency: -1}, false
	for _, name := range headers {
		for _, line := range h[name] {
			for key, value := range pairs(line[:min(len(line), maxHeader)]) {
				any = r.take(key, value) || any
			}
		}
	}
	return r, any
}

// take keeps one pair, if it is one that is looked for.
func (r *Report) take(key, value string) bool {
	switch key {
	case "bl":
		return milliseconds(value, &r.Buffer)
	case "ltc":
		return milliseconds(value, &r.Latency)
	case "bs": // CTA-5004 3: a boolean that is true has no value
		if value == "" || value == "true" || value == "?1" {
			r.Starved = true
			return true
		}
	}
	return false
}

func milliseconds(value string, to *time.Duration) bool {
	n, err := strconv.ParseUint(value, 10, 32)
	if d := time.Duration(n) * time.Millisecond; err == nil && d <= maxTime {
		*to = d
		return true
	}
	return false
}

// pairs are the keys and values of a line: key=value, or a key alone, between commas; a string in quotes may hold commas,
// and a backslash in it takes the next character as it is.
func pairs(line string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for line != "" {
			n := end(line)
			key, value, _ := strings.Cut(strings.Trim(line[:n], " \t"), "=")
			if key != "" && !yield(key, value) {
				return
			}
			line = line[min(n+1, len(line)):]
		}
	}
}

// end is where the first pair of a line ends.
func end(line string) int {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i
		}
	}
	return len(line)
}

// Stats are the distributions of one stream, as its players told.
type Stats struct {
	Buffer  segmenter.Histogram `json:"buffer"`  // seconds
	Latency segmenter.Histogram `json:"latency"` // seconds
	Stalls  uint64              `json:"stalls"`  // requests that told of an empty buffer
}

// Bounds in seconds.
var (
	bufferBounds  = []float64{.1, .25, .5, 1, 2, 3, 5, 10, 20, 60}
	latencyBounds = []float64{.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 30, 60}
)

// Meter collects for all streams. Its methods are safe for any goroutine.
type Meter struct {
	exists func(stream string) bool

	mu      sync.Mutex
	streams map[string]*Stats
}

// New returns a Meter. exists says which names are streams: for others nothing is kept.
func New(exists func(stream string) bool) *Meter {
	return &Meter{exists: exists, streams: map[string]*Stats{}}
}

// Read takes what the headers of a request tell. The path begins with a stream's name: /{stream}/...
func (m *Meter) Read(h http.Header, path string) {
	if report, any := Parse(h); any {
		name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		m.note(name, report)
	}
}

func (m *Meter) note(name string, r Report) {
	if !m.exists(name) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streams[name]
	if s == nil {
		s = &Stats{
			Buffer:  segmenter.Histogram{Bounds: bufferBounds, Counts: make([]uint64, len(bufferBounds)+1)},
			Latency: segmenter.Histogram{Bounds: latencyBounds, Counts: make([]uint64, len(latencyBounds)+1)},
		}
		m.streams[name] = s
	}
	observe(&s.Buffer, r.Buffer)
	observe(&s.Latency, r.Latency)
	if r.Starved {
		s.Stalls++
	}
}

func observe(h *segmenter.Histogram, d time.Duration) {
	if d < 0 {
		return
	}
	i, _ := slices.BinarySearch(h.Bounds, d.Seconds())
	h.Counts[i]++
	h.Sum += d.Seconds()
}

// Stats returns a copy of what the players of a stream told; nil if none did.
func (m *Meter) Stats(name string) *Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streams[name]
	if s == nil {
		return nil
	}
	c := *s
	c.Buffer.Counts, c.Latency.Counts = slices.Clone(s.Buffer.Counts), slices.Clone(s.Latency.Counts)
	return &c
}

// Forget drops what is kept of streams that are no more.
func (m *Meter) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.streams {
		if !m.exists(name) {
			delete(m.streams, name)
		}
	}
}
