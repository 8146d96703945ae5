package signaling

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v5"
)

// sockets are the one UDP port that all sessions share, on one or several addresses, and a TCP port if there is one.
type sockets struct {
	mux      ice.UDPMux
	tcp      *ice.TCPMuxDefault // nil: none
	bound    *bounded           // the listener of tcp
	net      transport.Net      // lists the interfaces once, for all
	loopback bool               // loopback addresses are candidates
}

// socketBuffer holds what arrives while the reading goroutine waits for a core: half a second of 64 Mbit/s.
const socketBuffer = 4 << 20

// openSockets opens the media ports of a configuration on the machine's network.
func openSockets(c Config, n *mediaNet, log *libraryLog) (*sockets, error) {
	s := &sockets{net: n}
	if err := s.listenUDP(c.UDPAddress, log); err != nil || c.TCPAddress == "" {
		return s, err
	}
	if err := s.listenTCP(c.TCPAddress, log); err != nil {
		return nil, errors.Join(err, s.mux.Close())
	}
	return s, nil
}

// listenUDP opens address. With a host it is that one; without, every interface that a publisher could use.
func (s *sockets) listenUDP(address string, log *libraryLog) error {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return fmt.Errorf("%w: UDP address %q: %w", ErrConfig, address, err)
	}
	if len(a.IP) > 0 && !a.IP.IsUnspecified() {
		return s.listenOne(a, log)
	}
	return s.listenAll(a, log)
}

func (s *sockets) listenOne(a *net.UDPAddr, log *libraryLog) error {
	c, err := s.net.ListenUDP("udp", a)
	if err != nil {
		return fmt.Errorf("signaling: media port: %w", err)
	}
	growBuffers(c)
	s.loopback = a.IP.IsLoopback()
	s.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: log.NewLogger("udp"), UDPConn: c, Net: s.net})
	return nil
}

// growBuffers asks for bigger socket buffers; what the kernel does not grant is gone without.
func growBuffers(c transport.UDPConn) {
	_ = c.SetReadBuffer(socketBuffer)
	_ = c.SetWriteBuffer(socketBuffer)
}

// listenAll opens one socket per address rather than one for all: then an answer leaves from the address the question
// came to, also with several interfaces. An address family that was asked for by "0.0.0.0" is kept to.
func (s *sockets) listenAll(a *net.UDPAddr, log *libraryLog) error {
	families := []ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}
	if a.IP.To4() != nil {
		families = families[:1]
	}
	options := func(more ...ice.UDPMuxFromPortOption) []ice.UDPMuxFromPortOption {
		return append(more, ice.UDPMuxFromPortWithNet(s.net), ice.UDPMuxFromPortWithNetworks(families...),
			ice.UDPMuxFromPortWithInterfaceFilter(usableInterface), ice.UDPMuxFromPortWithIPFilter(usableAddress),
			ice.UDPMuxFromPortWithReadBufferSize(socketBuffer), ice.UDPMuxFromPortWithWriteBufferSize(socketBuffer),
			ice.UDPMuxFromPortWithLogger(log.NewLogger("udp")))
	}
	mux, err := ice.NewMultiUDPMuxFromPort(a.Port, options()...)
	if err == nil && len(mux.GetListenAddresses()) == 0 { // a machine without a network still has itself
		s.loopback = true
		mux, err = ice.NewMultiUDPMuxFromPort(a.Port, options(ice.UDPMuxFromPortWithLoopback())...)
	}
	if err != nil {
		return fmt.Errorf("signaling: media port: %w", err)
	}
	s.mux = mux
	return nil
}

// addresses lists where media is received.
func (s *sockets) addresses() []net.Addr {
	out := s.mux.GetListenAddresses()
	if s.tcp != nil {
		out = append(out, s.tcp.LocalAddr())
	}
	return out
}

func (s *sockets) close() error {
	err := s.mux.Close()
	if s.tcp != nil {
		err = errors.Join(err, s.tcp.Close())
	}
	return err
}

// bridges are name prefixes of interfaces that lead to containers and virtual machines of this host, not to publishers.
var bridges = []string{"docker", "br-", "veth", "virbr", "vnet", "cni", "flannel", "cali", "podman", "lxcbr", "lxdbr", "kube-"}

func usableInterface(name string) bool {
	for _, b := range bridges {
		if strings.HasPrefix(name, b) {
			return false
		}
	}
	return true
}

// usableAddress leaves out link-local addresses: they need a zone, which a candidate cannot carry (RFC 8839 5.1).
func usableAddress(ip net.IP) bool {
	return !ip.IsLinkLocalUnicast() && !ip.IsMulticast() && !ip.IsUnspecified()
}
