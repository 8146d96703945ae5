package signaling

import (
	"container/list"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds the table of addresses that posted lately. When it is full, the one not seen for longest goes.
const maxAddresses = 4096

// missRate and missBurst bound requests for sessions that are not there: nobody may look for session URLs by trying
// (RFC 9725 5).
const (
	missRate  = 2
	missBurst = 60
)

// limiter counts requests per address, so that one that floods does not keep the others out.
type limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu     sync.Mutex
	recent *list.List // of *bucket, the one seen last in front
	byAddr map[netip.Prefix]*list.Element
}

type bucket struct {
	addr   netip.Prefix
	tokens *rate.Limiter
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{
		rate: rate.Limit(perSecond), burst: burst, now: time.Now,
		recent: list.New(), byAddr: map[netip.Prefix]*list.Element{},
	}
}

// allow takes one request of addr. If it is one too many, it returns the seconds after which the next will be let in.
func (l *limiter) allow(addr netip.Prefix) (retryAfter int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	e := l.byAddr[addr]
	if e == nil {
		if l.recent.Len() >= maxAddresses {
			old := l.recent.Back()
			delete(l.byAddr, l.recent.Remove(old).(*bucket).addr)
		}
		e = l.recent.PushFront(&bucket{addr: addr, tokens: rate.NewLimiter(l.rate, l.burst)})
		l.byAddr[addr] = e
	}
	l.recent.MoveToFront(e)
	tokens := e.Value.(*bucket).tokens
	if tokens.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - tokens.TokensAt(now)
	return max(1, int(math.Ceil(missing/float64(l.rate)))), false
}

// clientAddress is what requests are counted by.
func clientAddress(r *http.Request) netip.Prefix { return addressPrefix(r.RemoteAddr) }

func addressPrefix(address string) netip.Prefix { return Subscriber(Address(address)) }

// Subscriber is what clients are counted by: an IPv4 address, or the /64 that one IPv6 subscriber has whole. All without
// a valid address share one count.
func Subscriber(ip netip.Addr) netip.Prefix {
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil { // these are numbers of bits that addresses have
		return netip.Prefix{}
	}
	return p
}

// Address reads an IP address, with or without a port. What would hide it from a comparison is taken off: a zone, or
// IPv6 around IPv4. Of anything else it makes an invalid one.
func Address(s string) netip.Addr {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		host = s
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}
