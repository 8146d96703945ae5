// Package wire is how the viewers of a bench fetch: as little work for the client as the protocol allows, and the moment
// at which the last byte of an answer came. One Client is one viewer: its connections are its own, as in a browser.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// Reply is an answer whose body has been received whole.
type Reply struct {
	Status   int
	Location string    // of a redirect
	Gzip     bool      // the body is compressed
	Body     []byte    // in the buffer that Start was given; nil if it was given none
	Size     int64     // bytes of the body
	Last     time.Time // when its last byte came, on the wall clock
}

// Pending is a request that is under way. Wait is to be called once, by the goroutine that started it.
type Pending interface {
	Wait() (Reply, error)
}

// Client sends the requests of one viewer. Its methods are for one goroutine at a time, Close excepted.
type Client interface {
	// Start sends a GET for a path with its query. The body is appended to buf[:0] if that is not nil, and passed over
	// otherwise. What keeps the request from being sent is what Wait returns.
	Start(ctx context.Context, target string, buf []byte) Pending
	// Close ends all connections and all requests on them.
	Close()
}

// The versions of HTTP.
const (
	HTTP1 = "1.1"
	HTTP2 = "2"
	HTTP3 = "3"
)

// Options say how viewers connect.
type Options struct {
	Version   string        // HTTP1, HTTP2 or HTTP3
	Insecure  bool          // any certificate will do
	Timeout   time.Duration // of one request, blocking ones included
	UserAgent string
}

// Errors of Wait, beside those of the network.
var (
	ErrProtocol = errors.New("bench: the answer is no HTTP")
	ErrTooLarge = errors.New("bench: the answer is too large")
	ErrClosed   = errors.New("bench: the client is closed")
)

// Bounds on what is read of one answer.
const (
	maxHeader = 16 << 10
	maxBody   = 256 << 20 // passed over
	maxKept   = 16 << 20
)

// Factory makes clients for one server.
type Factory struct {
	opts   Options
	origin *url.URL
	tls    *tls.Config // nil on http
}

// NewFactory returns a factory for the server that at names; only its scheme and host count.
func NewFactory(at *url.URL, o Options) (*Factory, error) {
	f := &Factory{opts: o, origin: at}
	if at.Scheme == "https" {
		f.tls = &tls.Config{
			ServerName: at.Hostname(), InsecureSkipVerify: o.Insecure,
			ClientSessionCache: tls.NewLRUClientSessionCache(16), // as a browser has
		}
	}
	switch {
	case o.Version != HTTP1 && o.Version != HTTP2 && o.Version != HTTP3:
		return nil, fmt.Errorf("bench: HTTP/%s is not known", o.Version)
	case o.Version == HTTP3 && f.tls == nil:
		return nil, errors.New("bench: HTTP/3 needs an https URL")
	}
	return f, nil
}

// New returns a client without a connection yet.
func (f *Factory) New() Client {
	if f.opts.Version == HTTP1 {
		return newPlain(f)
	}
	return newStandard(f)
}

// address is host and port to connect to.
func (f *Factory) address() string {
	port := f.origin.Port()
	if port == "" {
		port = "80"
		if f.tls != nil {
			port = "443"
		}
	}
	return net.JoinHostPort(f.origin.Hostname(), port)
}

// failed is a request that could not be sent.
type failed struct{ err error }

func (f failed) Wait() (Reply, error) { return Reply{}, f.err }
