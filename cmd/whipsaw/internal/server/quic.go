package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/time/rate"
)

// Handshakes a second from addresses that have not proved to be theirs; more of them cost another round trip each.
const unprovedMost = 100

var errExcess = errors.New("too many connections")

// http3Server answers over QUIC what http.Server does over TCP, within the same bounds.
type http3Server struct {
	*http3.Server
	transport *quic.Transport
	listener  *quic.EarlyListener
}

// newHTTP3 listens on a socket, which is the server's own from then on.
func newHTTP3(h http.Handler, conn net.PacketConn, settings *tls.Config, count *connections) (*http3Server, error) {
	unproved := rate.NewLimiter(unprovedMost, 2*unprovedMost)
	t := &quic.Transport{
		Conn:                count.counted(conn),
		VerifySourceAddress: func(net.Addr) bool { return !unproved.Allow() },
		ConnContext:         count.admit,
	}
	l, err := t.ListenEarly(http3.ConfigureTLSConfig(settings), &quic.Config{
		// A request may wait longer than a connection may be silent.
		MaxIdleTimeout: 30 * time.Second, KeepAlivePeriod: 10 * time.Second,
		MaxIncomingStreams:    128,
		MaxIncomingUniStreams: 8, // HTTP/3 uses three
		// Nothing large is ever sent to us.
		InitialStreamReceiveWindow: 64 << 10, MaxStreamReceiveWindow: 256 << 10,
		InitialConnectionReceiveWindow: 128 << 10, MaxConnectionReceiveWindow: 512 << 10,
	})
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &http3Server{
		Server:    &http3.Server{Handler: h, MaxHeaderBytes: 32 << 10, IdleTimeout: 2 * time.Minute},
		transport: t, listener: l,
	}, nil
}

// Serve answers until the server is shut down, and then returns http.ErrServerClosed.
func (s *http3Server) Serve() error { return s.ServeListener(s.listener) }

// Shutdown lets requests come to their end, and then closes the socket.
func (s *http3Server) Shutdown(ctx context.Context) error {
	return errors.Join(s.Server.Shutdown(ctx), s.close())
}

// Close cuts all connections.
func (s *http3Server) Close() error { return errors.Join(s.Server.Close(), s.close()) }

func (s *http3Server) close() error {
	return errors.Join(s.listener.Close(), s.transport.Close(), s.transport.Conn.Close())
}

// admit counts a connection of QUIC until it ends, or refuses it; its client will come by TCP and be told why.
func (c *connections) admit(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	if n := c.open.Add(1); c.most > 0 && n > c.most {
		c.open.Add(-1)
		c.refused.Add(1)
		return nil, errExcess
	}
	context.AfterFunc(ctx, func() { c.open.Add(-1) })
	return newcomer(ctx), nil
}
