package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// maxConnections is how many connections to one host a browser opens on HTTP/1.1.
const maxConnections = 6

// plain speaks HTTP/1.1 (RFC 9112), one request at a time on each connection. net/http would cost the bench about as much
// as its server: here a request is one write, and an answer as few reads as it comes in.
type plain struct {
	factory *Factory
	common  string // the end of every request's head
	request []byte
	idle    []*connection

	mu     sync.Mutex
	open   map[*connection]struct{}
	closed bool
}

func newPlain(f *Factory) *plain {
	return &plain{
		factory: f, open: make(map[*connection]struct{}),
		common: " HTTP/1.1\r\nHost: " + f.origin.Host + "\r\nUser-Agent: " + f.opts.UserAgent +
			"\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n",
	}
}

// Start takes the connection that was used last, since the server may have closed one that was idle for long.
func (p *plain) Start(ctx context.Context, target string, buf []byte) Pending {
	p.request = append(append(append(p.request[:0], "GET "...), target...), p.common...)
	for {
		c, fresh, err := p.connect(ctx)
		if err != nil {
			return failed{err}
		}
		if err = c.send(p.request, buf); err == nil {
			return c
		}
		p.drop(c)
		if fresh {
			return failed{fmt.Errorf("send a request: %w", err)}
		}
	}
}

// connect returns an idle connection or a new one.
func (p *plain) connect(ctx context.Context) (c *connection, fresh bool, err error) {
	if n := len(p.idle); n > 0 {
		c, p.idle = p.idle[n-1], p.idle[:n-1]
		return c, false, nil
	}
	p.mu.Lock()
	full, closed := len(p.open) >= maxConnections, p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return nil, false, ErrClosed
	case full:
		return nil, false, fmt.Errorf("bench: more than %d requests at a time", maxConnections)
	}
	dialer := net.Dialer{Timeout: p.factory.opts.Timeout}
	network, err := dialer.DialContext(ctx, "tcp", p.factory.address())
	if err != nil {
		return nil, false, err
	}
	if p.factory.tls != nil {
		network = tls.Client(network, p.factory.tls)
	}
	c = newConnection(p, network)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, closing(network)
	}
	p.open[c] = struct{}{}
	return c, true, nil
}

// closing closes a connection that nobody needs, and is the error that says why.
func closing(c net.Conn) error {
	_ = c.Close() // nothing was sent on it
	return ErrClosed
}

// release keeps a connection for the next request.
func (p *plain) release(c *connection) { p.idle = append(p.idle, c) }

func (p *plain) drop(c *connection) {
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
	_ = c.network.Close() // it has failed already, or the server is done with it
}

// Close ends all connections.
func (p *plain) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.open {
		_ = c.network.Close() // who waits on it gets the error
	}
	clear(p.open)
}

// deadline is set anew only when the old one comes near: setting one costs as much as all the rest of a request.
func (c *connection) extend(timeout time.Duration) error {
	now := time.Now()
	if c.until.Sub(now) >= timeout {
		return nil
	}
	c.until = now.Add(2 * timeout)
	return c.network.SetDeadline(c.until)
}
