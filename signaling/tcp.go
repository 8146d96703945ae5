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
		ReadBufferSize:       tcpReadQueue, // and no write buffer: what is in it when a session ends, close_notify above all, is lost
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
	let        sync.WaitGroup // one for each connection that is open

	mu     sync.Mutex
	shut   bool
	open   map[*stream]netip.Prefix // and where each is from
	byAddr map[netip.Prefix]int
}

func newBounded(l net.Listener, most, each int) *bounded {
	return &bounded{
		Listener: l, most: most, each: each, closed: make(chan struct{}),
		open: map[*stream]netip.Prefix{}, byAddr: map[netip.Prefix]int{},
	}
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
		if t, ok := c.(*net.TCPConn); ok {
			if in := b.take(t); in != nil {
				return in, nil
			}
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

// Close closes the listener and all connections, and returns when they are gone.
func (b *bounded) Close() error {
	b.closeOnce.Do(func() { close(b.closed) })
	err := b.Listener.Close()
	b.mu.Lock()
	b.shut = true
	for s := range b.open {
		_ = s.Close() // never fails
	}
	b.mu.Unlock()
	b.let.Wait()
	return err
}

// take lets a connection in; nil is one too many.
func (b *bounded) take(c *net.TCPConn) *stream {
	from := addressPrefix(c.RemoteAddr().String())
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut || len(b.open) >= b.most || b.byAddr[from] >= b.each {
		return nil
	}
	s := &stream{TCPConn: c}
	s.over = func() { b.give(s) }
	b.let.Add(1)
	b.open[s] = from
	b.byAddr[from]++
	return s
}

func (b *bounded) give(s *stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	from := b.open[s]
	delete(b.open, s)
	if b.byAddr[from]--; b.byAddr[from] <= 0 {
		delete(b.byAddr, from)
	}
	b.let.Done()
}
