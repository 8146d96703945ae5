package config

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Ingest is how publishers reach the server and what is done with their sessions.
type Ingest struct {
	WebRTCUDP string       // UDP address of all media
	WebRTCTCP string       // TCP address of media for those who cannot send UDP; empty: none
	PublicIPs []netip.Addr // announced to publishers besides, or instead of, the machine's own
	STUN      string       // URL of a server that is asked for the public address; empty: none
	ICELite   bool         // the checks are left to the publishers

	ICEServers   []string // URLs of STUN and TURN servers that publishers are told
	TURNSecret   Secret   // shared with the TURN servers, for credentials of each session's own
	TURNUser     string   // credentials that are always the same
	TURNPassword Secret
	TURNLifetime time.Duration // of credentials made with TURNSecret

	OnConflict     string        // takeover or reject
	MaxPerAddress  int           // sessions at a time from one address (IPv6: one /64); 0: as many as there may be
	ConnectTimeout time.Duration // from the answer until ICE and DTLS are up
}

func ingestSettings(c *Ingest, s *segmenter.Config) []Setting {
	return []Setting{
		{Name: "webrtc-udp", Value: "HOST:PORT", Default: ":8189", set: address(&c.WebRTCUDP, false),
			Help: "UDP address for all media; its default stays on loopback as long as --listen does"},
		{Name: "webrtc-tcp", Value: "HOST:PORT", set: address(&c.WebRTCTCP, true),
			Help: "TCP address for media from publishers whose network lets no UDP through (ICE-TCP)"},
		{Name: "public-ip", Value: "IP", Repeat: true, set: addrs(&c.PublicIPs),
			Help: "IP address under which publishers reach this server, behind NAT or in a container; may be repeated"},
		{Name: "stun", Value: "URL", set: checked(&c.STUN, signaling.CheckSTUN),
			Help: "STUN server, like stun:stun.example.org:3478, that is asked under which address publishers reach --webrtc-udp"},
		{Name: "ice-lite", Default: "false", set: toggle(&c.ICELite),
			Help: "leave the connectivity checks to the publishers, for a server with a public address of its own"},
		{Name: "ice-server", Value: "URL", Repeat: true, set: iceServers(&c.ICEServers),
			Help: "STUN or TURN server that publishers are told to use, like turn:turn.example.org?transport=udp; may be repeated"},
		{Name: "turn-secret", Secret: true, Value: "SECRET", set: secret(&c.TURNSecret),
			Help: "secret shared with the TURN servers (coturn: static-auth-secret), of which each session gets credentials of its own"},
		{Name: "turn-user", Value: "USER", set: text(&c.TURNUser),
			Help: "user name for the TURN servers, in place of --turn-secret"},
		{Name: "turn-password", Secret: true, Value: "PASSWORD", set: secret(&c.TURNPassword),
			Help: "password for --turn-user; every publisher gets to know it"},
		{Name: "turn-lifetime", Value: "DURATION", Default: "24h", set: between(&c.TURNLifetime, time.Minute, 30*24*time.Hour),
			Help: "how long credentials made with --turn-secret are good"},
		{Name: "on-conflict", Value: "takeover|reject", Default: "takeover", set: choice(&c.OnConflict, "takeover", "reject"),
			Help: "a second publisher of a stream: takes over from one that is silent, and at most every 30 s from one that is not, or is always refused (409)"},
		{Name: "max-sessions-per-address", Value: "N", Default: "0", set: number(&c.MaxPerAddress),
			Help: "publishers at a time from one address, or one /64 of IPv6, more are refused with 503; 0 is as many as there may be"},
		{Name: "connect-timeout", Value: "DURATION", Default: "15s", set: between(&c.ConnectTimeout, time.Second, 5*time.Minute),
			Help: "how long a publisher may take to connect"},
		{Name: "media-timeout", Value: "DURATION", Default: "15s", set: between(&s.FirstMedia, time.Second, 5*time.Minute),
			Help: "how long a connected publisher may take to send something that can be shown or heard"},
		{Name: "silence-timeout", Value: "DURATION", Default: "5s", set: between(&s.Silence, 500*time.Millisecond, 5*time.Minute),
			Help: "after how long without media a publisher counts as lost, and --resume begins"},
	}
}

// Signaling is what the WHIP server is told, but for who may publish.
func (c Ingest) Signaling() signaling.Config {
	return signaling.Config{
		UDPAddress: c.WebRTCUDP, TCPAddress: c.WebRTCTCP, PublicIPs: c.PublicIPs, STUN: c.STUN, Lite: c.ICELite,
		ICEServers: signaling.ICEServers{
			URLs: c.ICEServers, Secret: c.TURNSecret.Reveal(), User: c.TURNUser, Password: c.TURNPassword.Reveal(), Lifetime: c.TURNLifetime,
		},
		NoTakeOver: c.OnConflict == "reject", ConnectTimeout: c.ConnectTimeout, MaxPerAddress: c.MaxPerAddress,
	}
}

// check finds what does not go together.
func (c Ingest) check() []error {
	err := c.Signaling().ICEServers.Check()
	switch {
	case errors.Is(err, signaling.ErrNoCredentials):
		return []error{fmt.Errorf("%w: --ice-server: %w; set --turn-secret, or --turn-user and --turn-password", ErrUsage, err)}
	case err != nil:
		return []error{fmt.Errorf("%w: --turn-secret, --turn-user, --turn-password: %w", ErrUsage, err)}
	}
	return nil
}

// checked takes a text that has to pass a check.
func checked(to *string, check func(string) error) func([]string) error {
	return func(v []string) error {
		*to = v[0]
		return check(v[0])
	}
}

func iceServers(to *[]string) func([]string) error {
	return func(v []string) error {
		*to = v
		for _, u := range v {
			if err := signaling.CheckICEServer(u); err != nil {
				return err
			}
		}
		return nil
	}
}

// between takes a duration within bounds.
func between(to *time.Duration, least, most time.Duration) func([]string) error {
	set := duration(to)
	return func(v []string) error {
		if err := set(v); err != nil {
			return err
		}
		if *to < least || *to > most {
			return fmt.Errorf("%v is not between %v and %v", *to, least, most)
		}
		return nil
	}
}
