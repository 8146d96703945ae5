// Package server is the whole server in one function: main calls it, and so do the end-to-end tests.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/certificate"
	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/cmd/whipsaw/internal/state"
	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// drainTime is how long a server that was told to end takes at most: a container gets ten seconds.
const drainTime = 9 * time.Second

// Options are what a caller decides besides the settings. The zero value is usable.
type Options struct {
	Version string
	Out     io.Writer       // where the addresses are printed, ready to copy; nil: nowhere
	Log     *slog.Logger    // nil: none
	Started func(Addresses) // called once everything listens; nil: not called

	HeaderTime time.Duration // for the headers of a request and for a TLS handshake; 0: 10 s

	Reload *Reloading // nil: settings do not change

	// Demo publishes the built-in clip to a WHIP URL until ctx ends; it runs beside the server if Serve.Demo is set. The
	// client is the one to send requests with; nil: any.
	Demo func(ctx context.Context, whip, token string, client *http.Client) error
}

// Addresses are where a running server is reached, with the real ports.
type Addresses struct {
	HTTP     net.Addr   // publishers, viewers, pages, API
	HTTP3    net.Addr   // UDP, the same; nil without
	Redirect net.Addr   // leads to HTTPS; nil without
	Admin    net.Addr   // nil without
	Media    []net.Addr // UDP

	Secure      bool   // HTTP is HTTPS
	Prefix      string // of all paths, like /live
	Fingerprint string // of a certificate that was made here; empty for others
}

// URL is the base of all URLs as a program on the same machine reaches them, without a slash at its end.
func (a Addresses) URL() string { return a.scheme() + reachable(a.HTTP) + a.Prefix }

func (a Addresses) scheme() string {
	if a.Secure {
		return "https://"
	}
	return "http://"
}

// AdminURL is URL for the admin listener; there has to be one.
func (a Addresses) AdminURL() string { return "http://" + reachable(a.Admin) }

// reachable turns the address of a listener into one that can be connected to.
func reachable(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok || !t.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(t.Port))
}

// instance is one running server.
type instance struct {
	cfg     config.Serve                 // what it was started with
	present atomic.Pointer[config.Serve] // what holds now, of what can change while it runs
	opts    Options
	log     *slog.Logger
	reg     *segmenter.Registry
	whip    *signaling.Server
	gate    *access.Gate
	demo    string                             // token for the demo; empty: it needs none
	source  *certificate.Source                // nil without TLS
	files   atomic.Pointer[certificate.Source] // that source stands for, with certificates in files
	addrs   Addresses
	viewers

	insight  *insight.Insight
	watching <-chan struct{} // closed when insight runs no more
	blind    func()          // ends that

	connections connections
	servers     []ender        // in the order in which they end
	running     sync.WaitGroup // all that serves
	failed      chan error     // of the listeners; room for all of them
}

// Run serves until ctx ends, then drains and returns nil. What keeps it from starting, and a listener that fails later,
// is returned as an error.
func Run(ctx context.Context, cfg config.Serve, opts Options) error {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Out == nil {
		opts.Out = io.Discard
	}
	opts.HeaderTime = cmp.Or(opts.HeaderTime, headerTime)
	s := &instance{cfg: cfg, opts: opts, failed: make(chan error, 4)}
	s.present.Store(&cfg)
	s.insight = insight.New(s.insightConfig(), opts.Log)
	s.log = s.insight.Log
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.stop())
	}
	if err := banner(opts.Out, cfg, s.addrs); err != nil {
		s.log.Warn("the addresses could not be printed", "err", err)
	}
	if opts.Started != nil {
		opts.Started(s.addrs)
	}
	s.running.Go(func() { tuneHeap(ctx) })
	if opts.Reload != nil {
		s.running.Go(func() { s.reloading(ctx) })
	}
	demo := s.startDemo(ctx)
	var err error
	select {
	case <-ctx.Done():
		s.log.Info("ending", "sessions", s.whip.Sessions())
	case err = <-s.failed:
	}
	demo()
	cancel()
	return errors.Join(err, s.stop())
}

// start opens the listeners, media first: nobody is answered before all is there.
func (s *instance) start(ctx context.Context) error {
	var err error
	if s.cfg.State != "" {
		if s.cfg.Segmenter.Store, err = state.Open(s.cfg.State); err != nil {
			return fmt.Errorf("--state %s: %w", s.cfg.State, err)
		}
	}
	if s.gate, err = s.access(); err != nil {
		return err
	}
	s.cfg.Segmenter.Observe = s.insight.Observe
	s.cfg.Segmenter.Stream = func(name string) segmenter.StreamConfig { return s.present.Load().Stream(name).StreamConfig }
	s.reg = segmenter.NewRegistry(s.cfg.Segmenter, s.log)
	s.insight.Attach(s.reg)
	s.watching, s.blind = watching(s.insight)
	whip := s.cfg.Signaling()
	whip.Authorize, whip.OpenPublish = s.authorize(), s.cfg.OpenPublish
	whip.Stream = func(name string) signaling.StreamRules { return s.present.Load().Stream(name).Rules }
	s.whip, err = signaling.New(whip, s.reg, s.log)
	if err != nil {
		ports := "--webrtc-udp " + s.cfg.WebRTCUDP
		if s.cfg.WebRTCTCP != "" {
			ports += ", --webrtc-tcp " + s.cfg.WebRTCTCP
		}
		return fmt.Errorf("%s: %w", ports, err)
	}
	s.addrs.Media = s.whip.MediaAddresses()
	if s.source, err = s.certificates(ctx); err != nil {
		return err
	}
	d, err := s.open(ctx)
	if err != nil {
		return err
	}
	return s.answer(ctx, d)
}

// answer serves at all doors.
func (s *instance) answer(ctx context.Context, d doors) error {
	s.addrs.HTTP, s.addrs.Prefix = d.public.Addr(), s.cfg.PathPrefix
	s.connections.most = mostConnections(s.cfg.MaxConnections)
	s.connections.limit = s.cfg.MaxEgress / 8
	quicPort := 0
	if d.quic != nil {
		s.addrs.HTTP3, quicPort = d.quic.LocalAddr(), port(d.quic.LocalAddr())
	}
	handler := secured(quicPort, s.hsts())(s.routes())
	public := newHTTPServer(handler, s.log, s.opts.HeaderTime)
	if s.source != nil {
		s.addrs.Secure, s.addrs.Fingerprint = true, s.source.Fingerprint
		public.TLSConfig = s.source.TLS()
	}
	if d.quic != nil {
		q, err := newHTTP3(handler, d.quic, public.TLSConfig, &s.connections)
		if err != nil {
			return errors.Join(fmt.Errorf("HTTP/3 at %s: %w", s.addrs.HTTP3, err), d.close())
		}
		s.servers = append(s.servers, q)
		s.run(s.addrs.HTTP3, q.Serve)
	}
	s.serve(public, s.connections.bound(d.public))
	if d.redirect != nil {
		s.addrs.Redirect = d.redirect.Addr()
		s.serve(newHTTPServer(s.redirect(), s.log, s.opts.HeaderTime), (&connections{most: redirectMost}).bound(d.redirect))
	}
	if d.admin != nil {
		s.addrs.Admin = d.admin.Addr()
		s.serve(newHTTPServer(s.adminRoutes(d.admin.Addr()), s.log, s.opts.HeaderTime), d.admin)
	}
	s.running.Go(func() { s.connections.measure(ctx) })
	if domains := s.cfg.ACME.Domains; len(domains) > 0 {
		s.running.Go(func() { certificate.Fetch(ctx, s.source, domains, s.log) })
	}
	if asRoot(os.Geteuid(), exists, os.Getenv) {
		s.log.Warn("this runs as root, which it does not need: start it as another user")
	}
	s.log.Info("serving", "listen", s.addrs.HTTP, "tls", s.addrs.Secure, "http3", s.addrs.HTTP3, "media", s.addrs.Media, "admin", s.addrs.Admin)
	return nil
}

// startDemo publishes the built-in clip beside the server, if that is wanted. The function it returns waits for its end.
func (s *instance) startDemo(ctx context.Context) (wait func()) {
	if !s.cfg.Demo || s.opts.Demo == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := s.opts.Demo(ctx, s.addrs.URL()+"/whip/"+DemoStream, s.demo, s.ownClient())
		if err != nil && ctx.Err() == nil {
			s.log.Error("the demo ended", "err", err)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// stop ends what was started, those who send first and those who watch last: publishers see their session closed,
// playlists get their end, requests that wait for it are answered, and players have a moment to fetch the last parts.
func (s *instance) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var errs []error
	if s.whip != nil {
		errs = append(errs, s.whip.Close(ctx))
	}
	if s.reg != nil {
		s.reg.Close()
		s.linger(ctx)
		s.stopWatching(ctx)
	}
	for _, h := range s.servers {
		if err := h.Shutdown(ctx); err != nil {
			s.log.Warn("connections were cut", "err", err)
			errs = append(errs, h.Close())
		}
	}
	s.running.Wait()
	if s.gate != nil {
		s.gate.Close()
	}
	return errors.Join(errs...)
}
