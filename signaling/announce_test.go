package signaling

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed reads candidates that are good ones.
func parsed(t *testing.T, lines ...string) []candidate {
	t.Helper()
	var out []candidate
	for _, l := range lines {
		c, ok := parseCandidate(l)
		require.True(t, ok, l)
		out = append(out, c)
	}
	return out
}

func addrs(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// order is what announce makes of candidates, short: priorities must fall, or the order would mean nothing.
func order(t *testing.T, local []candidate, o outside) []string {
	t.Helper()
	var out []string
	last := uint32(1 << 31)
	for _, c := range announce(local, o) {
		require.Less(t, c.priority, last)
		require.Equal(t, "host", c.typ)
		last = c.priority
		s := c.addr.String()
		if c.tcp {
			s += " tcp"
		}
		out = append(out, s)
	}
	return out
}

// Public addresses first, IPv4 before IPv6, loopback last; priorities fall in that order (RFC 8445 5.1.2).
func TestAnnounce(t *testing.T) {
	local := parsed(t,
		"1 1 udp 9 ::1 8189 typ host", "2 1 udp 9 127.0.0.1 8189 typ host", "3 1 udp 9 fd00::2 8189 typ host",
		"4 1 udp 9 192.0.2.2 8189 typ host",
	)
	public := addrs("2001:db8::7", "203.0.113.7")
	require.Equal(t, []string{
		"203.0.113.7:8189", "[2001:db8::7]:8189", "192.0.2.2:8189", "[fd00::2]:8189", "127.0.0.1:8189", "[::1]:8189",
	}, order(t, local, outside{public: public}))
	require.Empty(t, announce(nil, outside{public: public}), "without a socket there is no port")
	require.Len(t, announce(local, outside{public: addrs("192.0.2.2")}), 4, "an address that is its own public one")
}

// What a STUN server says comes after what the operator says, with the port it was seen at, once.
func TestAnnounceMapped(t *testing.T) {
	local := parsed(t, "1 1 udp 9 10.0.0.2 8189 typ host", "2 1 udp 9 2001:db8::2 8189 typ host")
	mapped := func(list ...string) outside {
		var o outside
		for _, s := range list {
			o.mapped = append(o.mapped, netip.MustParseAddrPort(s))
		}
		return o
	}
	require.Equal(t, []string{"203.0.113.7:40000", "[2001:db8::2]:8189", "10.0.0.2:8189"},
		order(t, local, mapped("203.0.113.7:40000", "[2001:db8::2]:8189", "203.0.113.7:40000")))
	both := mapped("203.0.113.7:8189")
	both.public = addrs("203.0.113.9", "203.0.113.7")
	require.Equal(t, []string{"203.0.113.9:8189", "203.0.113.7:8189", "10.0.0.2:8189", "[2001:db8::2]:8189"}, order(t, local, both))
}

// RFC 6544 4.2: candidates of TCP come after all of UDP. A public address is good for both ports; one that a STUN server
// saw is good for TCP only if the NAT did not change the port.
func TestAnnounceTCP(t *testing.T) {
	local := parsed(t, "1 1 udp 9 10.0.0.2 8189 typ host", "2 1 tcp 9 10.0.0.2 8443 typ host tcptype passive")
	require.Equal(t, []string{"203.0.113.7:8189", "10.0.0.2:8189", "203.0.113.7:8443 tcp", "10.0.0.2:8443 tcp"},
		order(t, local, outside{public: addrs("203.0.113.7")}))
	at := func(port uint16) outside {
		return outside{mapped: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), port)}}
	}
	require.Equal(t, []string{"203.0.113.7:8189", "10.0.0.2:8189", "203.0.113.7:8443 tcp", "10.0.0.2:8443 tcp"}, order(t, local, at(8189)))
	require.Equal(t, []string{"203.0.113.7:40000", "10.0.0.2:8189", "10.0.0.2:8443 tcp"}, order(t, local, at(40000)))
	// RFC 6544 4.5: how it is written
	c := announce(local, outside{})[1]
	require.Equal(t, "candidate:2 1 tcp 1520434943 10.0.0.2 8443 typ host tcptype passive", c.String())
	require.EqualValues(t, 90<<24|(4<<13|0x1ffe)<<8|0xff, c.priority)
}
