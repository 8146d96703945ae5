package config

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/signaling"
)

// What is said about publishers reaches the WHIP server.
func TestIngestSettings(t *testing.T) {
	c := parseServe(t, env{"WHIPSAW_TURN_SECRET": "hunter2"}, "--webrtc-udp", "127.0.0.1:9", "--webrtc-tcp", "127.0.0.1:10",
		"--public-ip", "192.0.2.1", "--stun", "stun:stun.example.org", "--ice-lite", "--on-conflict", "reject", "--connect-timeout", "20s",
		"--ice-server", "stun:stun.example.org", "--ice-server", "turns:turn.example.org:443?transport=tcp", "--turn-lifetime", "1h",
		"--media-timeout", "25s", "--silence-timeout", "2s")
	require.Equal(t, signaling.Config{
		UDPAddress: "127.0.0.1:9", TCPAddress: "127.0.0.1:10", PublicIPs: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		STUN: "stun:stun.example.org", Lite: true, NoTakeOver: true, ConnectTimeout: 20 * time.Second,
		ICEServers: signaling.ICEServers{
			URLs: []string{"stun:stun.example.org", "turns:turn.example.org:443?transport=tcp"}, Secret: "hunter2", Lifetime: time.Hour,
		},
	}, c.Signaling())
	require.Equal(t, []time.Duration{25 * time.Second, 2 * time.Second}, []time.Duration{c.Segmenter.FirstMedia, c.Segmenter.Silence})
	require.NotContains(t, fmt.Sprintf("%v %+v", c, c), "hunter2")

	fixed := parseServe(t, nil, "--ice-server", "turn:t", "--turn-user", "u", "--turn-password", "p").Signaling().ICEServers
	require.Equal(t, []string{"u", "p"}, []string{fixed.User, fixed.Password})
	require.False(t, parseServe(t, nil).Signaling().NoTakeOver)
}

func TestIngestRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--webrtc-tcp", "8189"}, "--webrtc-tcp: "},
		{[]string{"--stun", "stun.example.org"}, `--stun: ICE server "stun.example.org"`},
		{[]string{"--stun", "turn:t"}, "--stun: "},
		{[]string{"--ice-server", "stun:a", "--ice-server", "http://b"}, `--ice-server: ICE server "http://b"`},
		{[]string{"--ice-server", "turn:t"}, "set --turn-secret, or --turn-user and --turn-password"},
		{[]string{"--ice-server", "turn:t", "--turn-user", "u"}, "--turn-user"},
		{[]string{"--ice-server", "turn:t", "--turn-user", "u", "--turn-password", "p", "--turn-secret", "s"}, "exclude each other"},
		{[]string{"--turn-secret", "s"}, "no turn: or turns: URL"},
		{[]string{"--on-conflict", "fight"}, `"fight" is none of takeover, reject`},
		{[]string{"--connect-timeout", "0s"}, "--connect-timeout: 0s is not between 1s and 5m0s"},
		{[]string{"--connect-timeout", "soon"}, "--connect-timeout: "},
		{[]string{"--media-timeout", "1h"}, "--media-timeout: "},
		{[]string{"--silence-timeout", "1ms"}, "--silence-timeout: "},
		{[]string{"--turn-lifetime", "1s"}, "--turn-lifetime: "},
	} {
		_, err := ParseServe(c.args, env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, "%v", c.args)
		require.ErrorContains(t, err, c.says)
	}
}
