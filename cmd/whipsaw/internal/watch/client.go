package watch

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// Bounds on what one answer may cost.
const (
	maxPlaylist  = 8 << 20
	maxMedia     = 64 << 20
	maxHint      = 16 << 20 // of what was asked for before it was listed
	maxRedirects = 5
	firstByte    = 15 * time.Second // of what is there already
)

// errBounds is wrapped when an answer is larger than anything of its kind.
var errBounds = errors.New("larger than anything of its kind")

// client fetches, and counts what that costs.
type client struct {
	http      *http.Client
	userAgent string
	origin    string // as a page elsewhere has it; empty: none is sent
	requests  atomic.Int64
	bytes     atomic.Int64 // of bodies, as they came
	proto     atomic.Pointer[string]
}

func newClient(o Options) *client {
	c := &client{userAgent: o.UserAgent, origin: "https://player.example", http: &http.Client{Transport: o.Transport, CheckRedirect: redirect}}
	if o.Transport == nil {
		c.http.Transport = network(o.Insecure, o.HTTP3)
	}
	return c
}

func network(insecure, quic bool) http.RoundTripper {
	if quic {
		return &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: insecure}, DisableCompression: true}
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: insecure}, // only where the user says so
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: firstByte,
		MaxIdleConnsPerHost: 16,
		DisableCompression:  true, // asked for and undone here, so that both sizes are known
	}
}

func redirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case r.URL.Scheme != "https" && (r.URL.Scheme != "http" || via[0].URL.Scheme == "https"):
		return fmt.Errorf("a redirect from %s to %s", via[0].URL.Scheme, r.URL.Scheme)
	}
	return nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// answer is what came of a request, with the moments between which it was made.
type answer struct {
	status         int
	header         http.Header
	body           []byte // decoded
	at             *url.URL
	major          int
	sent, received time.Time
}

// get fetches a URL within a time and a size; any status is an answer.
func (c *client) get(ctx context.Context, at *url.URL, within time.Duration, limit int64) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Accept-Encoding", "gzip")
	if c.origin != "" {
		r.Header.Set("Origin", c.origin)
	}
	c.requests.Add(1)
	a := &answer{sent: time.Now()}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer response.Body.Close()
	c.proto.Store(&response.Proto)
	a.status, a.header, a.at, a.major = response.StatusCode, response.Header, response.Request.URL, response.ProtoMajor
	if a.body, err = c.read(response, limit); err != nil {
		return nil, err
	}
	a.received = time.Now()
	return a, nil
}

// withoutURL is the error of a request without its method and URL, which who reads it knows.
func withoutURL(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// read takes a body, counts it as it comes and undoes gzip.
func (c *client) read(r *http.Response, limit int64) ([]byte, error) {
	counted := &counter{from: io.LimitReader(r.Body, limit+1), bytes: &c.bytes}
	var from io.Reader = counted
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(counted)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		from = io.LimitReader(z, limit+1)
	}
	b, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: over %d bytes", errBounds, limit)
	}
	return b, nil
}

type counter struct {
	from  io.Reader
	bytes *atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}
