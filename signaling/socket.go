package signaling

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// mediaSocket is the media port on one address. Answers to its own questions to a STUN server are taken out of what
// arrives; the rest is the multiplexer's.
type mediaSocket struct {
	*net.UDPConn
	packets *batch
	asking  atomic.Bool

	mu      sync.Mutex
	pending map[[stun.TransactionIDSize]byte]question
}

type question struct {
	to     netip.AddrPort
	answer chan netip.AddrPort // of one element
}

func newMediaSocket(c *net.UDPConn) (*mediaSocket, error) {
	packets, err := newBatch(c)
	if err != nil {
		return nil, err
	}
	return &mediaSocket{UDPConn: c, packets: packets, pending: map[[stun.TransactionIDSize]byte]question{}}, nil
}

func (s *mediaSocket) is4() bool {
	a, ok := s.LocalAddr().(*net.UDPAddr)
	return ok && a.IP.To4() != nil
}

// ReadFromAddrPort and WriteToAddrPort are how the multiplexer uses the socket. It reads with one goroutine.
func (s *mediaSocket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := s.packets.readFrom(b)
		if err != nil || !s.asking.Load() || !s.take(b[:n], from) {
			return n, from, err
		}
	}
}

// WriteToAddrPort sends a packet.
func (s *mediaSocket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.WriteToUDPAddrPort(b, to)
}

// stunRepeat is the time between repetitions of a question (RFC 8489 6.2.1).
const stunRepeat = 500 * time.Millisecond

// errNoAnswer means that a STUN server did not answer, or not as it should.
var errNoAnswer = errors.New("signaling: no answer")

// ask sends a Binding request until it is answered or ctx ends (RFC 8489 6.2.1).
func (s *mediaSocket) ask(ctx context.Context, server netip.AddrPort) (netip.AddrPort, error) {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("signaling: STUN request: %w", err)
	}
	q := question{to: server, answer: make(chan netip.AddrPort, 1)}
	s.expect(request.TransactionID, &q)
	defer s.expect(request.TransactionID, nil)
	repeat := time.NewTicker(stunRepeat)
	defer repeat.Stop()
	for {
		if _, err := s.WriteToUDPAddrPort(request.Raw, server); err != nil {
			return netip.AddrPort{}, fmt.Errorf("signaling: STUN request: %w", err)
		}
		select {
		case mapped := <-q.answer:
			if !mapped.IsValid() {
				return netip.AddrPort{}, errNoAnswer
			}
			return mapped, nil
		case <-repeat.C:
		case <-ctx.Done():
			return netip.AddrPort{}, errNoAnswer
		}
	}
}

// expect notes a question, or with nil that no answer to it is wanted any more.
func (s *mediaSocket) expect(id [stun.TransactionIDSize]byte, q *question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q == nil {
		delete(s.pending, id)
	} else {
		s.pending[id] = *q
	}
	s.asking.Store(len(s.pending) > 0)
}

// take reports whether a packet is the answer to a question of ours, and hands its address to who asked. The transaction
// cannot be guessed (RFC 8489 6.2.1), and the answer has to come from where the question went.
func (s *mediaSocket) take(b []byte, from netip.AddrPort) bool {
	if !stun.IsMessage(b) {
		return false
	}
	m := stun.Message{Raw: slices.Clone(b)}
	if m.Decode() != nil || m.Type.Method != stun.MethodBinding {
		return false
	}
	s.mu.Lock()
	q, ok := s.pending[m.TransactionID]
	s.mu.Unlock()
	if !ok || q.to != netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) {
		return false
	}
	var mapped netip.AddrPort
	var x stun.XORMappedAddress
	if m.Type.Class == stun.ClassSuccessResponse && x.GetFrom(&m) == nil && x.Port > 0 && x.Port <= 0xffff {
		if ip, ok := netip.AddrFromSlice(x.IP); ok && reachable(ip.Unmap()) {
			mapped = netip.AddrPortFrom(ip.Unmap(), uint16(x.Port))
		}
	}
	select {
	case q.answer <- mapped:
	default: // answered before
	}
	return true
}

// mediaNet is the machine's network, whose UDP sockets are media sockets.
type mediaNet struct {
	*stdnet.Net
	sockets []*mediaSocket
}

func newMediaNet() (*mediaNet, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("signaling: list interfaces: %w", err)
	}
	return &mediaNet{Net: n}, nil
}

// ListenUDP opens a media socket.
func (n *mediaNet) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	c, err := net.ListenUDP(network, a)
	if err != nil {
		return nil, err
	}
	s, err := newMediaSocket(c)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	n.sockets = append(n.sockets, s)
	return s, nil
}
