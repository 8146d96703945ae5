package signaling

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCandidate(t *testing.T) {
	for in, want := range map[string]string{
		// as browsers, GStreamer, werift and libdatachannel write them
		"candidate:1757348731 1 udp 2122194687 127.0.0.1 37237 typ host generation 0 network-id 3": "candidate:1757348731 1 udp 2122194687 127.0.0.1 37237 typ host",
		"candidate:1 1 UDP 2015363327 192.0.2.2 54260 typ host":                                    "candidate:1 1 udp 2015363327 192.0.2.2 54260 typ host",
		"2 1 UDP 2116026111 fd00::2 50642 typ host":                                                "candidate:2 1 udp 2116026111 fd00::2 50642 typ host",
		"candidate:3 1 udp 1 192.0.2.2 9 typ srflx raddr 10.0.0.1 rport 8":                         "candidate:3 1 udp 1 192.0.2.2 9 typ srflx",
		"candidate:4 1 udp 1 192.0.2.2 9 typ relay raddr 0.0.0.0 rport 0":                          "candidate:4 1 udp 1 192.0.2.2 9 typ relay",
		"candidate:5 1 udp 1 ::ffff:192.0.2.2 9 typ host":                                          "candidate:5 1 udp 1 192.0.2.2 9 typ host",
		"candidate:6 1 TCP 5 192.0.2.2 9 typ host tcptype passive":                                 "candidate:6 1 tcp 5 192.0.2.2 9 typ host tcptype passive",
		// and what cannot be used
		"candidate:1 1 tcp 5 192.0.2.2 9 typ host tcptype so":                       "",
		"candidate:1 1 tcp 5 192.0.2.2 9 typ host":                                  "",
		"candidate:1 1 sctp 5 192.0.2.2 9 typ host":                                 "",
		"candidate:1 1 tcp 1518214911 127.0.0.1 9 typ host tcptype active":          "",
		"candidate:1 1 UDP 1 0fa2b8f1-6a3c-4a0b-9d0e-3b8f4f1f2a3c.local 9 typ host": "",
		"candidate:0 2 UDP 2122187006 192.0.2.2 48716 typ host":                     "",
		"candidate:0 0 UDP 2122187006 192.0.2.2 48716 typ host":                     "",
		"candidate:7 1 UDP 1 fe80::fc:ff:fe00:1 58289 typ host":                     "",
		"candidate:7 1 UDP 1 fe80::1%eth0 58289 typ host":                           "",
		"candidate:7 1 UDP 1 0.0.0.0 58289 typ host":                                "",
		"candidate:7 1 UDP 1 224.0.0.1 58289 typ host":                              "",
		"candidate:7 1 UDP 1 192.0.2.2 0 typ host":                                  "",
		"candidate:7 1 UDP 1 192.0.2.2 65536 typ host":                              "",
		"candidate:7 1 UDP 4294967296 192.0.2.2 9 typ host":                         "",
		"candidate:7 1 UDP -1 192.0.2.2 9 typ host":                                 "",
		"candidate:7 1 UDP 1 192.0.2.2 9 typ other":                                 "",
		"candidate:7 1 UDP 1 192.0.2.2 9 host typ":                                  "",
		"candidate:" + strings.Repeat("a", 33) + " 1 UDP 1 192.0.2.2 9 typ host":    "",
		"candidate:": "", "": "", "candidate:1 1 udp": "",
	} {
		c, ok := parseCandidate(in)
		require.Equal(t, want != "", ok, in)
		if !ok {
			continue
		}
		require.Equal(t, want, c.String())
		again, ok := parseCandidate(c.String())
		require.True(t, ok)
		require.Equal(t, c, again)
	}
}

func TestUsableCandidates(t *testing.T) {
	lines := []string{
		"1 1 udp 1 192.0.2.1 1000 typ host",
		"2 1 udp 1 192.0.2.1 1000 typ srflx", // the same address
		"3 1 udp 1 192.0.2.1 1001 typ host ufrag old",
		"4 1 udp 1 192.0.2.1 1002 typ host ufrag new",
		"5 1 tcp 1 192.0.2.1 1003 typ host tcptype passive", // the publisher would have to be connected to
	}
	require.Len(t, usableCandidates(lines, "new"), 2)
	require.Len(t, usableCandidates(lines, ""), 3)
}

func TestCredentialsValid(t *testing.T) {
	pwd := strings.Repeat("p", 22)
	for c, want := range map[credentials]bool{
		{"abcd", pwd}: true, {"sB2/", "y9A4zKIWRmaswQ3l3AIcOn"}: true,
		{"abc", pwd}: false, {"abcd", pwd[1:]}: false, {"", ""}: false, {"ab\tcd", pwd}: false, {"ab\x80cd", pwd}: false,
		{strings.Repeat("u", 256), strings.Repeat("p", 256)}: true, {"abcd", strings.Repeat("p", 257)}: false,
	} {
		require.Equal(t, want, c.valid(), c)
	}
}

// Behind 1:1 NAT the public address stands first in the answer, for publishers that take only the first.
func TestPublicAddressInAnswer(t *testing.T) {
	f := serve(t, Config{PublicIPs: []netip.Addr{netip.MustParseAddr("203.0.113.7")}})
	r := f.post("/whip/live", recorded(t, "ffmpeg9.sdp"))
	lines := strings.Split(strings.TrimSpace(with(r.body, "a=candidate")), "\r\n")
	require.Len(t, lines, 2)
	_, port, err := net.SplitHostPort(f.server.MediaAddresses()[0].String())
	require.NoError(t, err)
	require.Contains(t, lines[0], " 203.0.113.7 "+port+" typ host")
	require.Contains(t, lines[1], " 127.0.0.1 "+port+" typ host")
}

func TestListenErrors(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = New(Config{UDPAddress: taken.LocalAddr().String()}, nil, testFactory(t, Config{UDPAddress: "127.0.0.1:0"}).log.log)
	require.ErrorContains(t, err, "media port")
}
