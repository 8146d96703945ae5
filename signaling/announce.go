package signaling

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
)

// outside is how the media port is reached from outside, where that differs from the machine's own addresses.
type outside struct {
	public []netip.Addr     // the operator's word: the same ports on another address
	mapped []netip.AddrPort // a STUN server's word, of the UDP port
}

// announce returns all candidates of an answer: those of the sockets, and how they are reached from outside. They are
// ordered by how far they reach, since some publishers look at the first only, and all of UDP come before those of TCP.
// Addresses from outside are called host candidates, as behind 1:1 NAT they are as good, and some publishers want none
// but those.
func announce(local []candidate, out outside) []candidate {
	all := out.candidates(local)
	for _, c := range local {
		if !slices.ContainsFunc(all, c.same) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(compareTransport(a, b), cmp.Compare(out.reach(a), out.reach(b)), compareFamily(a, b))
	})
	for i := range all {
		all[i].priority = priority(all[i], i)
	}
	return all
}

// candidates are those of the addresses outside; without a socket there is no port.
func (o outside) candidates(local []candidate) []candidate {
	var out []candidate
	add := func(tcp bool, addr netip.AddrPort) {
		c := candidate{foundation: "public" + strconv.Itoa(len(out)), tcp: tcp, typ: "host", addr: addr}
		if !slices.ContainsFunc(out, c.same) {
			out = append(out, c)
		}
	}
	for _, tcp := range []bool{false, true} {
		i := slices.IndexFunc(local, func(c candidate) bool { return c.tcp == tcp })
		if i < 0 {
			continue
		}
		port := local[i].addr.Port()
		for _, ip := range o.public {
			add(tcp, netip.AddrPortFrom(ip.Unmap(), port))
		}
		for _, m := range o.mapped {
			switch {
			case !tcp:
				add(false, m)
			case m.Port() == local[0].addr.Port(): // a NAT that keeps the port of UDP is 1:1, and does so for TCP as well
				add(true, netip.AddrPortFrom(m.Addr(), port))
			}
		}
	}
	return out
}

// same reports whether two candidates are one to who sends to them.
func (c candidate) same(o candidate) bool { return c.addr == o.addr && c.tcp == o.tcp }

// priority is that of the candidate at this place of the order.
func priority(c candidate, place int) uint32 {
	if c.tcp {
		// RFC 6544 4.2: a type preference below that of UDP, and passive is 4 of 7 among TCP's directions
		const hostTCP, passive = 90, 4 << 13
		return hostTCP<<24 | (passive|uint32(0x1fff-place))<<8 | 0xff
	}
	// RFC 8445 5.1.2.1: type preference 126 for host candidates, 100 for server-reflexive ones
	preference := uint32(126)
	if c.typ != "host" {
		preference = 100
	}
	return preference<<24 | uint32(0xffff-place)<<8 | 0xff
}

// reach orders addresses from those that everybody can use to those that only this machine can.
func (o outside) reach(c candidate) int {
	ip := c.addr.Addr()
	switch {
	case slices.Contains(o.public, ip):
		return 0
	case slices.ContainsFunc(o.mapped, func(m netip.AddrPort) bool { return m.Addr() == ip }):
		return 1
	case ip.IsLoopback():
		return 3
	}
	return 2
}

func compareTransport(a, b candidate) int {
	switch {
	case a.tcp == b.tcp:
		return 0
	case b.tcp:
		return -1
	}
	return 1
}

func compareFamily(a, b candidate) int {
	return cmp.Compare(a.addr.Addr().BitLen(), b.addr.Addr().BitLen())
}
