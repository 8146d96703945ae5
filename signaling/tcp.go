package signaling

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// Bounds on connections to the TCP port. Until its first STUN message nobody knows whose a connection is.
const (
	maxConnections     = 4096             // in all
	maxConnectionsEach = 64               // from one address, as clientAddress counts them
	firstMessageTime   = 5 * time.Second  // for the first STUN message, and for the session that it names to appear
	tcpReadQueue       = 256              // packets of a session that wait to be read; then its connection is not read further
	tcpWriteQueue      = 256 << 10        // bytes of feedback that wait for a slow connection; what is more is dropped
	maxAcceptPause     = time.Second      // between attempts to accept where no file descriptor is left
	minAcceptPause     = time.Millisecond // the first time
)

// listenTCP opens the port for publishers whose network lets no UDP through (RFC 6544): they open the connection, over
// which the same packets go, each with its length before it (RFC 4571).
func (s *sockets) listenTCP(address string, log *libraryLog) error {
	network := "tcp"
	if a, err := net.ResolveTCPAddr("tcp", address); err == nil && a.IP.To4() != nil {
		network = "tcp4" // "0.0.0.0" is kept to
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return fmt.Errorf("signaling: TCP media port: %w", err)
	}
	s.bound = newBounded(l, maxConnections, maxConnectionsEach)
	s.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: s.bound, Logger: log.NewLogger("tcp"),
		ReadBufferSize: tcpReadQueue, WriteBufferSize: tcpWriteQueue,
		FirstStunBindTimeout: firstMessageTime, AliveDurationForConnFromStun: firstMessageTime,
	})
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
		s.loopback = true
	}
	return nil
}

// bounded is a listener that lets only so many connections in at a time, in all and from one address. One too many is
// closed at once. Accept returns an error only when the listener is closed, since who calls it gives up on any.
type bounded struct {
	net.Listener
	most, each int
	closed     chan struct{}
	closeOnce  sync.Once

	mu     sync.Mutex
	open   int
	byAddr map[netip.Prefix]int
}

func newBounded(l net.Listener, most, each int) *bounded {
	return &bounded{Listener: l, most: most, each: each, closed: make(chan struct{}), byAddr: map[netip.Prefix]int{}}
}

// Accept waits for the next connection that is within the bounds.
func (b *bounded) Accept() (net.Conn, error) {
	pause := minAcceptPause
	for {
		c, err := b.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil: // no file descriptor is left, say: that passes
			if !b.wait(pause) {
				return nil, net.ErrClosed
			}
			pause = min(2*pause, maxAcceptPause)
			continue
		}
		pause = minAcceptPause
		from := addressPrefix(c.RemoteAddr().String())
		if b.take(from) {
			return &counted{Conn: c, release: func() { b.give(from) }}, nil
		}
		_ = c.Close() // refused; there is nothing to be told
	}
}

func (b *bounded) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-b.closed:
		return false
	}
}

// Close closes the listener; connections that were let in stay.
func (b *bounded) Close() error {
	b.closeOnce.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

func (b *bounded) take(from netip.Prefix) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open >= b.most || b.byAddr[from] >= b.each {
		return false
	}
	b.open++
	b.byAddr[from]++
	return true
}

func (b *bounded) give(from netip.Prefix) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
	if b.byAddr[from]--; b.byAddr[from] <= 0 {
		delete(b.byAddr, from)
	}
}

// counted is a connection that gives its place back when it is closed.
type counted struct {
	net.Conn
	once    sync.Once
	release func()
}

// Close closes the connection; its place is free again.
func (c *counted) Close() error {
	c.once.Do(c.release)
	return c.Conn.Close()
}
