package signaling

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// stunInterval is the time between two questions. It keeps a NAT's mapping of the media port alive as well, for which
	// RFC 8489 and RFC 4787 REQ-5 know no less than two minutes, and many a NAT 30 s.
	stunInterval = 25 * time.Second
	// stunRound bounds one question with all its repetitions, and so the wait of the first publishers.
	stunRound = 2 * time.Second
)

// reflexive asks a STUN server under which address the media port is seen from outside, from the port itself: only so the
// answer is true of it, also where a NAT changes ports. What it learns is announced like a public address.
type reflexive struct {
	host    string
	port    uint16
	sockets []*mediaSocket
	log     *slog.Logger

	stop  context.CancelFunc
	done  chan struct{}
	first chan struct{} // closed when the first question has been answered, or has not

	mu    sync.Mutex
	known []netip.AddrPort // one for each socket that has an answer
}

// stunAddress takes a stun: URL apart; the port is 3478 unless it is given (RFC 7064 3.2).
func stunAddress(url string) (host string, port uint16, err error) {
	if err := CheckICEServer(url); err != nil {
		return "", 0, err
	}
	const scheme = "stun:"
	if len(url) < len(scheme) || url[:len(scheme)] != scheme {
		return "", 0, fmt.Errorf("%w %q: only stun: can be asked for the server's own address", errICEServer, url)
	}
	host, port, err = splitICEHost(url[len(scheme):])
	if port == 0 {
		port = 3478
	}
	return host, port, err
}

// CheckSTUN reports what is wrong with a URL for Config.STUN.
func CheckSTUN(url string) error {
	_, _, err := stunAddress(url)
	return err
}

// discover begins to ask, and goes on until close. The URL has been checked by stunAddress.
func discover(url string, sockets []*mediaSocket, log *slog.Logger) *reflexive {
	host, port, _ := stunAddress(url)
	ctx, cancel := context.WithCancel(context.Background())
	r := &reflexive{
		host: host, port: port, sockets: sockets, log: log,
		stop: cancel, done: make(chan struct{}), first: make(chan struct{}),
	}
	go r.run(ctx)
	return r
}

func (r *reflexive) run(ctx context.Context) {
	defer close(r.done)
	tick := time.NewTicker(stunInterval)
	defer tick.Stop()
	r.ask(ctx)
	close(r.first)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.ask(ctx)
		}
	}
}

// addresses returns what is known. It waits for the first answer, but not beyond the given time.
func (r *reflexive) addresses(wait time.Duration) []netip.AddrPort {
	if r == nil {
		return nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-r.first:
	case <-t.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.known)
}

func (r *reflexive) close() {
	if r != nil {
		r.stop()
		<-r.done
	}
}

// ask asks once from every socket. Without an answer what was known stays: it is the STUN server that is gone.
func (r *reflexive) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stunRound)
	defer cancel()
	servers, err := net.DefaultResolver.LookupNetIP(ctx, "ip", r.host)
	if err != nil {
		r.log.Warn("STUN server not found", "host", r.host, "err", err)
		return
	}
	found := make([]netip.AddrPort, len(r.sockets))
	var asking sync.WaitGroup
	for i, s := range r.sockets {
		at := slices.IndexFunc(servers, func(a netip.Addr) bool { return a.Unmap().Is4() == s.is4() })
		if at < 0 {
			continue // the server is not of this address family
		}
		asking.Go(func() {
			mapped, err := s.ask(ctx, netip.AddrPortFrom(servers[at].Unmap(), r.port))
			if err != nil {
				r.log.Debug("STUN server did not answer", "from", s.LocalAddr().String(), "err", err)
				return
			}
			found[i] = mapped
		})
	}
	asking.Wait()
	found = slices.DeleteFunc(found, func(a netip.AddrPort) bool { return !a.IsValid() })
	r.learned(found)
}

func (r *reflexive) learned(found []netip.AddrPort) {
	if len(found) == 0 {
		r.log.Warn("no answer from the STUN server", "host", r.host)
		return
	}
	r.mu.Lock()
	changed := !slices.Equal(r.known, found)
	r.known = found
	r.mu.Unlock()
	if changed {
		r.log.Info("the media port as seen from outside", "addresses", found)
	}
}
