// Package server is the whole server in one function: main calls it, and so do the end-to-end tests.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/config"
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

	// Demo publishes the built-in clip to a WHIP URL until ctx ends; it runs beside the server if Serve.Demo is set.
	Demo func(ctx context.Context, whip, token string) error
}

// Addresses are where a running server is reached, with the real ports.
type Addresses struct {
	HTTP  net.Addr   // publishers, viewers, pages, API
	Admin net.Addr   // nil without
	Media []net.Addr // UDP
}

// URL is the base of all URLs as a program on the same machine reaches them, without a slash at its end.
func (a Addresses) URL() string { return "http://" + reachable(a.HTTP) }

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
	cfg    config.Serve
	opts   Options
	log    *slog.Logger
	reg    *segmenter.Registry
	whip   *signaling.Server
	gate   *access.Gate
	public *http.Server
	admin  *http.Server // nil without
	failed chan error   // of the listeners; room for all of them
	addrs  Addresses
	viewers
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
	s := &instance{cfg: cfg, opts: opts, log: opts.Log, failed: make(chan error, 2)}
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.stop())
	}
	if err := banner(opts.Out, cfg, s.addrs); err != nil {
		s.log.Warn("the addresses could not be printed", "err", err)
	}
	if opts.Started != nil {
		opts.Started(s.addrs)
	}
	demo := s.startDemo(ctx)
	var err error
	select {
	case <-ctx.Done():
		s.log.Info("ending", "sessions", s.whip.Sessions())
	case err = <-s.failed:
	}
	demo()
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
	s.gate = access.New(access.Config{WatchKeys: config.Reveal(s.cfg.WatchKeys)})
	s.reg = segmenter.NewRegistry(s.cfg.Segmenter, s.log)
	s.whip, err = signaling.New(signaling.Config{
		UDPAddress: s.cfg.WebRTCUDP, PublicIPs: s.cfg.PublicIPs,
		PublishToken: s.cfg.PublishToken.Reveal(), OpenPublish: s.cfg.OpenPublish,
	}, s.reg, s.log)
	if err != nil {
		return fmt.Errorf("--webrtc-udp %s: %w", s.cfg.WebRTCUDP, err)
	}
	s.addrs.Media = s.whip.MediaAddresses()
	public, err := listen(ctx, s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", s.cfg.Listen, err)
	}
	var admin net.Listener
	if s.cfg.Admin != "" {
		if admin, err = listen(ctx, s.cfg.Admin); err != nil {
			return errors.Join(fmt.Errorf("--admin %s: %w (another address, or none at all: --admin=)", s.cfg.Admin, err), public.Close())
		}
	}
	s.addrs.HTTP = public.Addr()
	s.public = newHTTPServer(s.routes(), s.log)
	s.serve(s.public, public)
	if admin != nil {
		s.addrs.Admin = admin.Addr()
		s.admin = newHTTPServer(s.adminRoutes(admin.Addr()), s.log)
		s.serve(s.admin, admin)
	}
	s.log.Info("serving", "listen", s.addrs.HTTP, "media", s.addrs.Media, "admin", s.addrs.Admin)
	return nil
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

func (s *instance) serve(h *http.Server, l net.Listener) {
	go func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("listener %s: %w", l.Addr(), err)
		}
	}()
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
		err := s.opts.Demo(ctx, s.addrs.URL()+"/whip/"+DemoStream, s.cfg.PublishToken.Reveal())
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
	}
	for _, h := range []*http.Server{s.public, s.admin} {
		if h == nil {
			continue
		}
		if err := h.Shutdown(ctx); err != nil {
			s.log.Warn("connections were cut", "err", err)
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}
