package signaling

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// express takes the media of one peer as it comes from the socket, on the goroutine that ICE reads with, and decrypts it
// there: through the library it would go through three more goroutines, each with a copy. What it cannot take goes that
// way, and so does everything before the handshake is over, and where its secrets are not known.
type express struct {
	source func(ssrc uint32) *tap

	mu      sync.Mutex
	context *srtp.Context // nil: nothing is taken
	header  rtp.Header
	plain   [receiveMTU]byte
}

// showEvery is how often a packet of each source goes both ways: ICE has to see that the publisher is there, and the
// library how far the sequence numbers have come, should it have to take over.
const showEvery = time.Second

// begin lets packets be taken. The handshake has to be over: only then it is known whose the keys are.
func (x *express) begin(s *secrets) error {
	c, err := s.inbound()
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.context = c
	return nil
}

// isMedia reports whether a packet is one of SRTP, and not of STUN, DTLS or SRTCP (RFC 7983 7, RFC 5761 4).
func isMedia(packet []byte) bool {
	return len(packet) >= rtpHeader && packet[0]>>6 == 2 && (packet[1] < 192 || packet[1] > 223)
}

// take reports whether a packet is done with. It stays as it is in any case.
func (x *express) take(packet []byte, now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.context == nil || len(packet) > len(x.plain) {
		return false
	}
	t := x.source(binary.BigEndian.Uint32(packet[8:]))
	if t == nil { // the library finds out what it is
		return false
	}
	plain, err := x.context.DecryptRTP(x.plain[:], packet, &x.header)
	if err != nil {
		return false
	}
	return !t.express(plain, now)
}

// hurry lets the peer's media take the short way, where that can be.
func (p *peer) hurry() {
	if err := p.express.begin(&p.secrets); err != nil {
		p.log.Debug("media goes the library's way", "err", err)
	}
}

// route makes the peer known by its fragment of the current ICE generation, which stands in its answer; unroute forgets
// all of them.
func (p *peer) route(answer string) {
	_, after, found := strings.Cut(answer, "a=ice-ufrag:") // the same in all sections, which are bundled
	ufrag, _, ended := strings.Cut(after, "\r\n")
	if !found || !ended { // then its media goes the library's way
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.factory.routes.byUfrag.Store(ufrag, &p.express)
		p.ufrags = append(p.ufrags, ufrag)
	}
}

func (p *peer) unroute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.ufrags {
		p.factory.routes.byUfrag.Delete(u)
	}
}

// routes knows the peers by the user name fragments of ours that they send to.
type routes struct{ byUfrag sync.Map } // string -> *express

func (r *routes) find(ufrag string) *express {
	if x, ok := r.byUfrag.Load(ufrag); ok {
		return x.(*express)
	}
	return nil
}

// expressMux is a UDP multiplexer whose connections leave out what is taken before.
type expressMux struct {
	ice.UDPMux
	routes *routes
}

// addrPortConn is what the multiplexer's connections are.
type addrPortConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

// GetConn is the multiplexer's, for ICE.
func (m expressMux) GetConn(ufrag string, local net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMux.GetConn(ufrag, local)
	if a, ok := c.(addrPortConn); ok && err == nil {
		return &expressConn{addrPortConn: a, ufrag: ufrag, routes: m.routes}, nil
	}
	return c, err
}

// expressConn is one connection of the multiplexer. One goroutine reads it.
type expressConn struct {
	addrPortConn
	ufrag  string
	routes *routes
	to     *express
}

// ReadFromAddrPort returns the next packet that was not taken.
func (c *expressConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := c.addrPortConn.ReadFromAddrPort(b)
		if err != nil || !isMedia(b[:n]) {
			return n, from, err
		}
		if c.to == nil {
			c.to = c.routes.find(c.ufrag)
		}
		if c.to == nil || !c.to.take(b[:n], time.Now()) {
			return n, from, nil
		}
	}
}
