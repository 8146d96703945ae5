package signaling

import (
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/pion/transport/v5"
	"github.com/stretchr/testify/require"
)

func TestUsableInterfaces(t *testing.T) {
	for name, want := range map[string]bool{
		"eth0": true, "en0": true, "wlan0": true, "ens5": true, "wg0": true, "bridge0": true,
		"docker0": false, "br-4f1c": false, "veth12ab": false, "virbr0": false, "cni0": false, "flannel.1": false,
	} {
		require.Equal(t, want, usableInterface(name), name)
	}
	for ip, want := range map[string]bool{
		"192.0.2.1": true, "10.0.0.1": true, "fd00::1": true, "2001:db8::1": true,
		"169.254.1.1": false, "fe80::1": false, "0.0.0.0": false, "ff02::1": false,
	} {
		require.Equal(t, want, usableAddress(net.ParseIP(ip)), ip)
	}
}

// pretended is a network of several interfaces, whose sockets are on loopback in truth.
type pretended struct {
	*mediaNet
	interfaces []*transport.Interface
	opened     []string
}

func (n *pretended) Interfaces() ([]*transport.Interface, error) { return n.interfaces, nil }

func (n *pretended) add(name string, flags net.Flags, addrs ...string) {
	i := transport.NewInterface(net.Interface{Index: len(n.interfaces) + 1, MTU: 1500, Name: name, Flags: flags})
	for _, a := range addrs {
		ip, network, err := net.ParseCIDR(a)
		if err != nil {
			panic(err)
		}
		i.AddAddress(&net.IPNet{IP: ip, Mask: network.Mask})
	}
	n.interfaces = append(n.interfaces, i)
}

func (n *pretended) ListenUDP(network string, a *net.UDPAddr) (transport.UDPConn, error) {
	n.opened = append(n.opened, a.IP.String())
	return n.mediaNet.ListenUDP(network, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
}

// Media is received on the interfaces that lead to publishers: not on container bridges and virtual machines' networks,
// not on link-local addresses (RFC 8445 5.1.1.1), not on interfaces that are down.
func TestListenOnUsableInterfaces(t *testing.T) {
	for address, want := range map[string][]string{
		":0":        {"192.0.2.7", "2001:db8::7", "10.8.0.1"},
		"0.0.0.0:0": {"192.0.2.7", "10.8.0.1"},
	} {
		m, err := newMediaNet()
		require.NoError(t, err)
		n := &pretended{mediaNet: m}
		n.add("lo", net.FlagUp|net.FlagLoopback, "127.0.0.1/8", "::1/128")
		n.add("eth0", net.FlagUp, "192.0.2.7/24", "2001:db8::7/64", "fe80::7/64", "169.254.3.4/16")
		n.add("docker0", net.FlagUp, "172.17.0.1/16")
		n.add("br-4f1c2a", net.FlagUp, "172.18.0.1/16")
		n.add("veth12ab", net.FlagUp, "172.19.0.1/16")
		n.add("wg0", net.FlagUp, "10.8.0.1/24")
		n.add("eth1", 0, "198.51.100.1/24")
		s := &sockets{net: n}
		require.NoError(t, s.listenUDP(address, newLibraryLog(slog.New(slog.DiscardHandler))))
		slices.Sort(want)
		slices.Sort(n.opened)
		require.Equal(t, want, n.opened, address)
		require.False(t, s.loopback)
		require.NoError(t, s.close())
	}
	// a machine without a network has itself
	m, err := newMediaNet()
	require.NoError(t, err)
	n := &pretended{mediaNet: m}
	n.add("lo", net.FlagUp|net.FlagLoopback, "127.0.0.1/8")
	n.add("docker0", net.FlagUp, "172.17.0.1/16")
	s := &sockets{net: n}
	require.NoError(t, s.listenUDP(":0", newLibraryLog(slog.New(slog.DiscardHandler))))
	require.Equal(t, []string{"127.0.0.1"}, n.opened)
	require.True(t, s.loopback)
	require.NoError(t, s.close())
}

// Without a host all interfaces are used, on the one port, and none twice. A machine without a network has its loopback.
func TestListenEverywhere(t *testing.T) {
	probe, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(probe.LocalAddr().String())
	require.NoError(t, err)
	require.NoError(t, probe.Close())
	for _, host := range []string{"", "0.0.0.0", "[::]"} {
		f := testFactory(t, Config{UDPAddress: host + ":" + port})
		seen := map[string]bool{}
		for _, a := range f.sockets.addresses() {
			require.False(t, seen[a.String()])
			seen[a.String()] = true
			u := a.(*net.UDPAddr)
			require.Equal(t, port, a.String()[strings.LastIndexByte(a.String(), ':')+1:])
			require.False(t, u.IP.IsLinkLocalUnicast())
			if host == "0.0.0.0" {
				require.NotNil(t, u.IP.To4())
			}
		}
		require.NotEmpty(t, seen)
		o, p := parseOffer(plain)
		require.Nil(t, p)
		peer, answer, err := f.open(o, f.log.log)
		require.NoError(t, err)
		require.Equal(t, len(seen), strings.Count(answer, "a=candidate"))
		peer.close()
		require.NoError(t, f.close())
	}
}
