package server

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
)

func show(t *testing.T, cfg config.Serve, address string) string {
	t.Helper()
	tcp, err := net.ResolveTCPAddr("tcp", address)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, banner(&out, cfg, Addresses{HTTP: tcp, Admin: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}}))
	return out.String()
}

func TestBanner(t *testing.T) {
	require.Equal(t, `whipsaw: WHIP in, low-latency HLS out. "live" stands for any stream name.

  publish (WHIP)   http://127.0.0.1:8080/whip/live
  publish (page)   http://127.0.0.1:8080/publish/live
  watch (page)     http://127.0.0.1:8080/watch/live
  watch (HLS)      http://127.0.0.1:8080/hls/live/index.m3u8
  metrics          http://127.0.0.1:8081/metrics
  documentation    http://127.0.0.1:8080/docs, or in the terminal: whipsaw help

  OBS, Settings > Stream:   Service       WHIP
                            Server        http://127.0.0.1:8080/whip/live
                            Bearer Token  (leave empty)
       Settings > Output:   Keyframe Interval 2 s, encoder H.264, audio Opus

  no camera at hand?   whipsaw publish --demo http://127.0.0.1:8080/whip/live
  all flags:           whipsaw --help

`, show(t, config.Serve{}, "127.0.0.1:8080"))
}

func TestBannerAddresses(t *testing.T) {
	require.Contains(t, show(t, config.Serve{Demo: true}, "127.0.0.1:8080"), "http://127.0.0.1:8080/watch/demo")
	require.Contains(t, show(t, config.Serve{}, "[::1]:8080"), "http://[::1]:8080/whip/live")
	require.Contains(t, show(t, config.Serve{}, "0.0.0.0:8080"), "http://127.0.0.1:8080/whip/live")
	public := config.Serve{Ingest: config.Ingest{PublicIPs: []netip.Addr{netip.MustParseAddr("2001:db8::1")}}}
	require.Contains(t, show(t, public, "[::]:8080"), "http://[2001:db8::1]:8080/whip/live")
	secret := show(t, config.Serve{Access: config.Access{PublishToken: "hunter2"}}, "127.0.0.1:8080")
	require.NotContains(t, secret, "hunter2")
	require.Contains(t, secret, "WHIPSAW_PUBLISH_TOKEN")
}
