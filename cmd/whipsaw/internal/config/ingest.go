package config

import "net/netip"

// Ingest is how publishers reach the server and what is done with their sessions.
type Ingest struct {
	WebRTCUDP string       // UDP address of all media
	PublicIPs []netip.Addr // announced to publishers besides, or instead of, the machine's own
}

func ingestSettings(c *Ingest) []Setting {
	return []Setting{
		{Name: "webrtc-udp", Value: "HOST:PORT", Default: ":8189", set: address(&c.WebRTCUDP, false),
			Help: "UDP address for all media; its default stays on loopback as long as --listen does"},
		{Name: "public-ip", Value: "IP", Repeat: true, set: addrs(&c.PublicIPs),
			Help: "IP address under which publishers reach this server, behind NAT or in a container; may be repeated"},
	}
}
