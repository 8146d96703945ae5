package main

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crowd are viewers who watch one stream at one address.
type crowd struct {
	index string // of the multivariant playlist
	wake  sync.WaitGroup

	mu      sync.Mutex
	asked   int                          // requests that were answered with 200
	bytes   int64                        // of their bodies
	arrived map[string]map[int]time.Time // by URL that was waited for: when each viewer had it
	faults  map[string]int               // what went wrong, and how often
}

// gather lets n viewers come within a second and watch until the time is over.
func gather(t *testing.T, index string, n int, d time.Duration) *crowd {
	t.Helper()
	c := &crowd{index: index, arrived: make(map[string]map[int]time.Time), faults: make(map[string]int)}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for i := range n {
		c.wake.Go(func() {
			// Each viewer has a connection of its own.
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConnsPerHost: 8}
			defer transport.CloseIdleConnections()
			v := &onlooker{crowd: c, id: i, client: &http.Client{Transport: transport}}
			select {
			case <-ctx.Done():
			case <-time.After(rand.N(time.Second)):
				v.run(ctx)
			}
		})
	}
	c.wake.Wait()
	return c
}

// onlooker fetches what a low-latency player does, and looks at no more of it than it needs to go on.
type onlooker struct {
	*crowd
	id     int
	client *http.Client
}

func (v *onlooker) run(ctx context.Context) {
	var playlists []string
	for line := range strings.Lines(v.get(ctx, v.index, false)) {
		if _, after, ok := strings.Cut(line, `URI="`); ok {
			uri, _, _ := strings.Cut(after, `"`)
			playlists = append(playlists, uri)
		} else if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			playlists = append(playlists, line)
		}
	}
	var both sync.WaitGroup
	for _, p := range playlists {
		both.Go(func() { v.follow(ctx, v.index[:strings.LastIndex(v.index, "/")+1]+p) })
	}
	both.Wait()
}

var (
	hint   = regexp.MustCompile(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(part-\d+-(\d+)-(\d+)\.m4s)"`)
	listed = regexp.MustCompile(`#EXT-X-PART:[^\n]*URI="part-\d+-(\d+)-(\d+)\.m4s"`)
)

// follow asks for the part that is hinted at and for the playlist that has it, both at once, again and again. Where no part
// is, since nobody knows which it will be, it asks for the playlist alone.
func (v *onlooker) follow(ctx context.Context, playlist string) {
	text := v.get(ctx, playlist, false)
	for ctx.Err() == nil {
		msn, index := "", 0
		var part sync.WaitGroup
		if next := hint.FindStringSubmatch(text); next != nil {
			part.Go(func() { v.get(ctx, playlist[:strings.LastIndex(playlist, "/")+1]+next[1], true) })
			msn, index = next[2], digits(next[3])
		} else if all := listed.FindAllStringSubmatch(text, -1); all != nil {
			last := all[len(all)-1]
			msn, index = last[1], digits(last[2])+1
		} else {
			v.fault(ctx, "no part in a playlist")
			return
		}
		text = v.get(ctx, fmt.Sprintf("%s?_HLS_msn=%s&_HLS_part=%d&_HLS_skip=YES", playlist, msn, index), true)
		part.Wait()
	}
}

// digits is the number that they say.
func digits(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // they matched
	}
	return n
}

func (v *onlooker) fault(ctx context.Context, what string) {
	if ctx.Err() != nil {
		return // it is over
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults[what]++
}

// get returns the body of a URL, empty after a fault; media is read and dropped.
func (v *onlooker) get(ctx context.Context, u string, waited bool) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		v.fault(ctx, err.Error())
		return ""
	}
	// Browsers ask in different ways for the same.
	r.Header.Set("Accept-Encoding", []string{"gzip, deflate, br, zstd", "gzip, deflate, br", "gzip"}[v.id%3])
	answer, err := v.client.Do(r)
	if err != nil {
		v.fault(ctx, err.Error())
		return ""
	}
	defer answer.Body.Close()
	var body strings.Builder
	var to io.Writer = &body
	if strings.HasSuffix(r.URL.Path, ".m4s") {
		to = io.Discard
	}
	from := io.Reader(answer.Body)
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(answer.Body); err != nil {
			v.fault(ctx, err.Error())
			return ""
		}
	}
	n, err := io.Copy(to, from)
	// A part that is hinted at and then overtaken by the end of its segment is not found, by all at once.
	overtaken := answer.StatusCode == http.StatusNotFound && strings.HasPrefix(answer.Header.Get("Cache-Control"), "public, max-age=")
	if err != nil || answer.StatusCode != http.StatusOK && !overtaken {
		v.fault(ctx, fmt.Sprintf("%s: %d, %v", r.URL.RequestURI(), answer.StatusCode, err))
		return ""
	}
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	v.bytes += n
	if waited {
		at := v.arrived[r.URL.RequestURI()]
		if at == nil {
			at = make(map[int]time.Time)
			v.arrived[r.URL.RequestURI()] = at
		}
		at[v.id] = now
	}
	return body.String()
}

// late tells how long after the first viewer the others had what all waited for.
func (c *crowd) late() (median, p95, most time.Duration) {
	var all []time.Duration
	for _, at := range c.arrived {
		first := time.Time{}
		for _, when := range at {
			if first.IsZero() || when.Before(first) {
				first = when
			}
		}
		for _, when := range at {
			all = append(all, when.Sub(first))
		}
	}
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*95/100], all[len(all)-1]
}

// report logs what a crowd cost, and how fast it was served.
func (c *crowd) report(t *testing.T, viewers int, origin *counted) {
	t.Helper()
	median, p95, most := c.late()
	t.Logf("%d viewers made %d requests for %d MB; the server got %d requests for %d URLs; after the first viewer the others had a part or playlist within %v (median), %v (95%%), %v (all)",
		viewers, c.asked, c.bytes>>20, sum(origin.of("")), len(origin.of("")), median, p95, most)
	require.Greater(t, len(c.arrived), 20, "they watched")
}

func sum(counts map[string]int) int {
	n := 0
	for _, v := range counts {
		n += v
	}
	return n
}
