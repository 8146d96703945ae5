package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// network is all that lies between one publisher and the server: its UDP goes through a relay, which may lose packets in
// either direction, retransmissions and checks of connectivity among them, and its HTTP may be refused.
type network struct {
	t      *testing.T
	front  *net.UDPConn // what the publisher takes for the server
	server atomic.Pointer[netip.AddrPort]
	loses  atomic.Pointer[func(packet []byte) bool]
	mute   atomic.Bool // HTTP does not get through
	work   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	backs  map[netip.AddrPort]*net.UDPConn // towards the server, by the publisher's address
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	front, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	n := &network{t: t, front: front, backs: make(map[netip.AddrPort]*net.UDPConn)}
	n.work.Add(1)
	go n.up()
	t.Cleanup(n.close)
	return n
}

func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	for _, c := range n.backs {
		_ = c.Close() // its reader ends, which is all that is wanted
	}
	n.mu.Unlock()
	_ = n.front.Close()
	n.work.Wait()
}

// lose makes a rule for what is lost from now on; nil: nothing.
func (n *network) lose(rule func(packet []byte) bool) {
	if rule == nil {
		n.loses.Store(nil)
		return
	}
	n.loses.Store(&rule)
}

// cut pulls the cable: nothing gets through any more, in no direction.
func (n *network) cut() {
	n.mute.Store(true)
	n.lose(func([]byte) bool { return true })
}

func (n *network) lost(packet []byte) bool {
	rule := n.loses.Load()
	return rule != nil && (*rule)(packet)
}

// up relays what the publisher sends.
func (n *network) up() {
	defer n.work.Done()
	buf := make([]byte, 1<<16)
	for {
		size, from, err := n.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n.lost(buf[:size]) {
			continue
		}
		if back := n.back(from); back != nil {
			_, _ = back.Write(buf[:size]) // UDP may lose it here, too
		}
	}
}

// back is the socket towards the server for one address of the publisher; nil when there is none any more.
func (n *network) back(from netip.AddrPort) *net.UDPConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.server.Load()
	if n.closed || to == nil {
		return nil
	}
	if c := n.backs[from]; c != nil {
		return c
	}
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(*to))
	if err != nil {
		return nil
	}
	n.backs[from] = c
	n.work.Add(1)
	go n.down(c, from)
	return c
}

// down relays what the server sends to one address of the publisher.
func (n *network) down(back *net.UDPConn, to netip.AddrPort) {
	defer n.work.Done()
	buf := make([]byte, 1<<16)
	for {
		size, err := back.Read(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n.lost(buf[:size]):
		default:
			_, _ = n.front.WriteToUDPAddrPort(buf[:size], to)
		}
	}
}

var (
	errCut           = errors.New("the cable is pulled")
	offeredCandidate = regexp.MustCompile(`a=candidate:[^\r\n]*\r\n`)
	answerCandidate  = regexp.MustCompile(`(?i)(a=candidate:\S+ 1 udp \d+ )(127\.0\.0\.1) (\d+)( typ host)`)
)

// RoundTrip carries the publisher's HTTP. Each side learns of the relay only: the offer loses its candidates, so that the
// server has to find the publisher by where its packets come from, and those of the answer become the relay's.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	if n.mute.Load() {
		return nil, errCut
	}
	if r.Method != http.MethodPost {
		return http.DefaultTransport.RoundTrip(r)
	}
	offer, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	offer = offeredCandidate.ReplaceAll(offer, nil)
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(offer)), int64(len(offer))
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	sdp, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if m := answerCandidate.FindSubmatch(sdp); m != nil {
		to, err := netip.ParseAddrPort(string(m[2]) + ":" + string(m[3]))
		if err != nil {
			return nil, err
		}
		n.server.Store(&to)
		port := n.front.LocalAddr().(*net.UDPAddr).Port
		sdp = answerCandidate.ReplaceAll(sdp, []byte("${1}127.0.0.1 "+strconv.Itoa(port)+"${4}"))
	}
	answer.Body = io.NopCloser(bytes.NewReader(sdp))
	return answer, nil
}

// share is a rule that loses that share of all packets, at random, in either direction.
func share(of float64) func([]byte) bool {
	return func([]byte) bool { return rand.Float64() < of }
}

// unrepaired is a rule that loses that share of the packets and every retransmission of pictures: what is lost stays lost.
func unrepaired(of float64) func([]byte) bool {
	const version2, payloadRTX = 0x80, 97
	return func(p []byte) bool {
		retransmission := len(p) > 12 && p[0]&0xc0 == version2 && p[1]&0x7f == payloadRTX
		return retransmission || rand.Float64() < of
	}
}
