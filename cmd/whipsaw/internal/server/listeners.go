package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// doors are the sockets of a server. Those that are not wanted are nil.
type doors struct {
	public   net.Listener
	quic     net.PacketConn
	redirect net.Listener
	admin    net.Listener
}

// open opens all doors or none; an error names the setting.
func (s *instance) open(ctx context.Context) (d doors, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.public, err = listen(ctx, s.cfg.Listen); err != nil {
		return d, fmt.Errorf("--listen %s: %w", s.cfg.Listen, err)
	}
	if s.cfg.HTTP3 {
		at := s.quicAddress(d.public.Addr())
		var lc net.ListenConfig
		if d.quic, err = lc.ListenPacket(ctx, "udp", at); err != nil {
			return d, fmt.Errorf("--http3-listen %s: %w", at, err)
		}
	}
	if s.cfg.Redirect != "" {
		if d.redirect, err = listen(ctx, s.cfg.Redirect); err != nil {
			return d, fmt.Errorf("--http-redirect %s: %w", s.cfg.Redirect, err)
		}
	}
	if s.cfg.Admin != "" {
		if d.admin, err = listen(ctx, s.cfg.Admin); err != nil {
			return d, fmt.Errorf("--admin %s: %w (another address, or none at all: --admin=)", s.cfg.Admin, err)
		}
	}
	return d, nil
}

// quicAddress is where HTTP/3 listens: where TCP does, unless a setting says something else.
func (s *instance) quicAddress(tcp net.Addr) string {
	if s.cfg.HTTP3Listen != "" {
		return s.cfg.HTTP3Listen
	}
	// It has been listened on, so it is an address.
	host, _, _ := net.SplitHostPort(s.cfg.Listen)
	return net.JoinHostPort(host, fmt.Sprint(port(tcp)))
}

func (d doors) close() error {
	var errs []error
	for _, l := range []net.Listener{d.public, d.redirect, d.admin} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	if d.quic != nil {
		errs = append(errs, d.quic.Close())
	}
	return errors.Join(errs...)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

// port is the number of an address's port, 0 if it has none.
func port(a net.Addr) int {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.Port
	case *net.UDPAddr:
		return a.Port
	}
	return 0
}

// newHTTPServer bounds what a connection may cost. There is no WriteTimeout: it would cut requests that wait for a part;
// who answers sets a deadline for each write. headers is how long those of a request may take.
func newHTTPServer(h http.Handler, log *slog.Logger, headers time.Duration) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)            // over TLS
	protocols.SetUnencryptedHTTP2(true) // without, for proxies that know
	return &http.Server{
		Handler:   h,
		Protocols: &protocols,
		HTTP2: &http.HTTP2Config{
			// Nothing large is ever sent to us, on however many streams.
			MaxReceiveBufferPerConnection: 512 << 10,
			MaxReceiveBufferPerStream:     256 << 10,
			// A peer that is gone without a word is noticed while its requests wait, one that reads nothing is cut.
			SendPingTimeout:  30 * time.Second,
			PingTimeout:      15 * time.Second,
			WriteByteTimeout: 30 * time.Second,
		},
		ReadHeaderTimeout: headers, // of the TLS handshake as well
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ConnContext:       mark,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// ender is what stop ends: http.Server, and that of HTTP/3.
type ender interface {
	Shutdown(context.Context) error
	Close() error
}

// serve answers on l until the server is shut down; over TLS if h has settings for it.
func (s *instance) serve(h *http.Server, l net.Listener) {
	s.servers = append(s.servers, h)
	s.run(l.Addr(), func() error {
		if h.TLSConfig != nil {
			return h.ServeTLS(l, "", "")
		}
		return h.Serve(l)
	})
}

// run runs what serves at an address. That it ends by itself ends all.
func (s *instance) run(at net.Addr, serve func() error) {
	s.running.Go(func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("listener %s: %w", at, err)
		}
	})
}
