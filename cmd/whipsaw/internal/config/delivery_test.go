package config

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDelivery(t *testing.T) {
	c := parseServe(t, nil, "--tls-cert", "a.pem", "--tls-key", "a.key", "--http3", "--trusted-proxy", "10.1.2.3/8", "--trusted-proxy=::1,192.0.2.7",
		"--public-url", "https://video.example/live/", "--path-prefix", "/live/", "--open-publish")
	require.True(t, c.TLS())
	require.Equal(t, []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.7/32"),
	}, c.Proxies)
	require.Equal(t, "/live", c.PathPrefix)
	require.Equal(t, "https://video.example/live", c.Base())

	require.Equal(t, []string{"live.example.com", "b.example"},
		parseServe(t, nil, "--acme-domain", "Live.Example.com.,b.example", "--acme-dir", "/var/acme").ACME.Domains)
	require.False(t, parseServe(t, nil).TLS())
	require.True(t, parseServe(t, nil, "--tls-self-signed").TLS())
}

// The public URL may be given with the prefix or without.
func TestBase(t *testing.T) {
	for _, c := range [][3]string{
		{"", "/live", ""},
		{"https://video.example", "", "https://video.example"},
		{"https://video.example:8443/", "/a/b", "https://video.example:8443/a/b"},
		{"https://video.example/a", "/a", "https://video.example/a"},
		{"https://live", "/live", "https://live/live"},
	} {
		flags := []string{"--open-publish"}
		if c[0] != "" {
			flags = append(flags, "--public-url="+c[0])
		}
		if c[1] != "" {
			flags = append(flags, "--path-prefix="+c[1])
		}
		require.Equal(t, c[2], parseServe(t, nil, flags...).Base(), "%v", c)
	}
}

// Nobody else may reach a server without a token, by whatever door.
func TestSecureByDefaultOnEveryDoor(t *testing.T) {
	for _, flags := range []string{
		"--tls-self-signed --http3 --http3-listen :8443",
		"--public-url https://video.example",
		"--public-url http://192.0.2.1:8080",
	} {
		_, err := ParseServe(strings.Fields(flags), env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, flags)
		require.ErrorContains(t, err, "WHIPSAW_PUBLISH_TOKEN")
		parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "x"}, strings.Fields(flags)...)
	}
	parseServe(t, nil, "--public-url", "http://localhost:9000")
	parseServe(t, nil, "--tls-self-signed", "--http3", "--http3-listen", "127.0.0.1:8443")
	require.False(t, parseServe(t, nil, "--listen=127.0.0.1:1", "--http3-listen=:2", "--open-publish").Loopback())
}

func TestDeliveryRefuses(t *testing.T) {
	for flags, says := range map[string]string{
		"--tls-cert a.pem":                           "--tls-cert and --tls-key belong together",
		"--tls-key a.key":                            "--tls-cert and --tls-key belong together",
		"--http3":                                    "--http3 needs HTTPS",
		"--http-redirect :80":                        "--http-redirect leads to HTTPS",
		"--acme-domain a.b":                          "--acme-domain needs --acme-dir or --state",
		"--acme-domain *.b.com":                      "no domain like live.example.com",
		"--acme-domain local":                        "no domain like live.example.com",
		"--acme-domain 1.2.3.4":                      "no domain like live.example.com",
		"--acme-domain a_b.com":                      "no domain like live.example.com",
		"--tls-self-signed --tls-cert a --tls-key b": "exclude each other",
		"--tls-self-signed --acme-domain a.example --acme-dir x": "exclude each other",
		"--max-connections -1":                                                 "no whole number",
		"--max-connections many":                                               "no whole number",
		"--trusted-proxy proxy.example":                                        "no network like 10.0.0.0/8",
		"--trusted-proxy 10.0.0.0/40":                                          "no network like 10.0.0.0/8",
		"--trusted-proxy ::ffff:10.0.0.0/104":                                  "no network like 10.0.0.0/8",
		"--trusted-proxy fe80::1%eth0":                                         "no network like 10.0.0.0/8",
		"--public-url video.example":                                           "no URL like https://",
		"--public-url ftp://video.example":                                     "no URL like https://",
		"--public-url https://user:hunter2@video.example":                      "without user, password",
		"--public-url user:hunter2@video.example":                              "without user, password",
		"--public-url https://video.example/?key=hunter2":                      "without user, password",
		"--acme-server https://user:hunter2@ca.example":                        "without user, password",
		"--ice-server turn:user:hunter2@turn.example":                          "user name",
		"--public-url https://video.example/live --open-publish":               "--path-prefix has to be the same",
		"--public-url https://video.example/x --path-prefix=/y --open-publish": "--path-prefix has to be the same",
		"--path-prefix live":                                                   "no path like /live",
		"--path-prefix /li{ve}":                                                "no path like /live",
		"--path-prefix /../x":                                                  "no path like /live",
		"--path-prefix /a//b":                                                  "no path like /live",
		"--path-prefix /*":                                                     "no path like /live",
		"--path-prefix /%2e":                                                   "no path like /live",
	} {
		_, err := ParseServe(strings.Fields(flags), env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, flags)
		require.ErrorContains(t, err, says, flags)
		require.NotContains(t, err.Error(), "hunter2", "no password in what goes to logs")
	}
}
