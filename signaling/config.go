package signaling

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Config is what a Server may be told. Every zero field means its default.
type Config struct {
	// UDPAddress is where media arrives: one port for all sessions. An empty or unspecified host means every usable
	// interface (IPv4 and IPv6, without link-local addresses and container bridges). A server that listens on loopback
	// only gives a loopback address. Default "127.0.0.1:8189"; port 0 takes a free one.
	UDPAddress string
	// TCPAddress is where media arrives from publishers whose network lets no UDP through (ICE-TCP). Empty: nowhere.
	TCPAddress string
	// Lite leaves the connectivity checks to the publishers (RFC 8445 2.5): for a server that has a public address of its own.
	Lite bool
	// STUN is the URL (stun:host:port) of a server that is asked under which address the UDP port is seen from outside;
	// what it says is announced like PublicIPs. Empty: nobody is asked.
	STUN string
	// PublicIPs are announced before the interfaces' own addresses, with the port of UDPAddress: for a server behind 1:1
	// NAT or in a container. IPv4 is put first, since some publishers look at the first candidate only.
	PublicIPs []netip.Addr

	// ICEServers are told to publishers for their side of the connection.
	ICEServers ICEServers

	// Authorize decides who may publish what; nil in return lets a publisher in. It is called for each POST that shows a
	// token, at the same time for several, and has to end soon. Nil: no token is asked for, and unless OpenPublish is set
	// only requests for a loopback Host without a foreign Origin may publish, so that no web page can.
	Authorize func(context.Context, Attempt) *Refusal
	// OpenPublish lets everybody publish who reaches the server, from every web page. It has no meaning with Authorize.
	OpenPublish bool

	// Stream returns what a stream takes of its publishers. It is asked at each POST and must not block. Nil: all that can be
	// served.
	Stream func(stream string) StreamRules

	// NoTakeOver refuses a publisher with 409 as long as the stream has one. Otherwise it takes the place of one that is
	// silent, and now and then of one that is not (segmenter.Registry.Publish).
	NoTakeOver bool

	ConnectTimeout time.Duration // from the answer until ICE and DTLS are up; default 15 s
	GatherTimeout  time.Duration // the longest an answer waits for the server's own candidates; default 2 s
	BodyTimeout    time.Duration // the longest a request body may take; default 10 s
	TombstoneTime  time.Duration // how long DELETE of an ended session is answered with 200; default 5 min

	MaxBody       int64   // bytes of a request body; default 256 KiB
	MaxSessions   int     // sessions at a time; default 1000
	MaxPerAddress int     // sessions at a time from one address (IPv6: one /64); 0: as many as there may be
	RateLimit     float64 // POSTs a second from one address (IPv6: one /64) in the long run; default 2
	RateBurst     int     // POSTs at once from one address; default 30
}

// ErrConfig is wrapped by every error that a bad setting causes.
var ErrConfig = errors.New("signaling: bad setting")

// withDefaults returns c with every zero field filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	c.UDPAddress = cmp.Or(c.UDPAddress, "127.0.0.1:8189")
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 15*time.Second)
	c.GatherTimeout = cmp.Or(c.GatherTimeout, 2*time.Second)
	c.BodyTimeout = cmp.Or(c.BodyTimeout, 10*time.Second)
	c.TombstoneTime = cmp.Or(c.TombstoneTime, 5*time.Minute)
	c.MaxBody = cmp.Or(c.MaxBody, 256<<10)
	c.MaxSessions = cmp.Or(c.MaxSessions, 1000)
	c.RateLimit = cmp.Or(c.RateLimit, 2)
	c.RateBurst = cmp.Or(c.RateBurst, 30)
	c.ICEServers.Lifetime = cmp.Or(c.ICEServers.Lifetime, 24*time.Hour)
	return c, c.check()
}

// check reports the first setting that is wrong.
func (c Config) check() error {
	if err := c.ICEServers.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if min(c.ConnectTimeout, c.GatherTimeout, c.BodyTimeout, c.TombstoneTime) < 0 || c.MaxBody < 0 ||
		c.MaxSessions < 0 || c.MaxPerAddress < 0 || c.RateLimit < 0 || c.RateBurst < 0 {
		return fmt.Errorf("%w: a limit is negative", ErrConfig)
	}
	if _, err := net.ResolveUDPAddr("udp", c.UDPAddress); err != nil {
		return fmt.Errorf("%w: UDP address %q: %w", ErrConfig, c.UDPAddress, err)
	}
	if c.TCPAddress != "" {
		if _, err := net.ResolveTCPAddr("tcp", c.TCPAddress); err != nil {
			return fmt.Errorf("%w: TCP address %q: %w", ErrConfig, c.TCPAddress, err)
		}
	}
	if c.STUN != "" {
		if err := CheckSTUN(c.STUN); err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	for _, ip := range c.PublicIPs {
		if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			return fmt.Errorf("%w: public IP %q cannot be reached by anybody", ErrConfig, ip)
		}
	}
	return nil
}
