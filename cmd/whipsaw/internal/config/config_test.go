package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// env is an environment for tests.
type env map[string]string

func (e env) lookup(name string) (string, bool) {
	v, ok := e[name]
	return v, ok
}

func parseServe(t *testing.T, e env, args ...string) Serve {
	t.Helper()
	c, err := ParseServe(args, e.lookup)
	require.NoError(t, err)
	return c
}

func TestServeDefaults(t *testing.T) {
	c := parseServe(t, nil)
	require.Equal(t, Serve{
		Delivery: Delivery{
			Listen: "127.0.0.1:8080", HSTS: 30 * 24 * time.Hour,
			ACME: ACME{Server: "https://acme-v02.api.letsencrypt.org/directory"},
		},
		Ingest: Ingest{
			WebRTCUDP: "127.0.0.1:8189", TURNLifetime: 24 * time.Hour, OnConflict: "takeover", ConnectTimeout: 15 * time.Second,
		},
		Access:    Access{WatchFor: 4 * time.Hour},
		Operator:  Operator{Admin: "127.0.0.1:8081", WarnBitrate: 20000, LogFormat: "text", LogLevel: "info"},
		Segmenter: segmenter.DefaultConfig(),
	}, c)
	require.True(t, c.Loopback())
	require.True(t, c.Closed())
}

func TestServeFlags(t *testing.T) {
	c := parseServe(t, nil, "--listen=0.0.0.0:80", "-webrtc-udp", ":9000", "--public-ip", "192.0.2.1", "--public-ip=2001:db8::1,192.0.2.2",
		"--part", "100ms", "--segment", "1s", "--max-segment", "4s", "--window", "1m", "--resume", "0s",
		"--publish-token", "secret", "--admin=", "--log-format", "json", "--log-level", "debug", "--demo")
	require.Equal(t, "0.0.0.0:80", c.Listen)
	require.Equal(t, ":9000", c.WebRTCUDP)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.2")}, c.PublicIPs)
	s := c.Segmenter
	require.Equal(t, []time.Duration{100 * time.Millisecond, time.Second, 4 * time.Second, time.Minute, 0},
		[]time.Duration{s.Part, s.Segment, s.MaxSegment, s.Window, s.Resume})
	require.Equal(t, "secret", c.PublishToken.Reveal())
	require.Empty(t, c.Admin)
	require.Equal(t, "json", c.LogFormat)
	require.Equal(t, "debug", c.LogLevel)
	require.True(t, c.Demo)
	require.False(t, c.Loopback())
	require.False(t, c.Closed())
}

// Every definition of the server can be given as a variable, and a flag outdoes it.
func TestServePrecedence(t *testing.T) {
	for i, d := range ServeSettings(new(Serve)) {
		v, ok := twoValues[d.Name]
		require.True(t, ok, d.Name)
		var c Serve
		c.Segmenter = segmenter.DefaultConfig()
		show := func() string {
			one := fmt.Sprintf("%+v", c) + c.PublishToken.Reveal() + c.JWTSecret.Reveal() + c.AuthURL.Reveal() + c.TURNSecret.Reveal() + c.TURNPassword.Reveal() +
				c.APIToken.Reveal() + c.APIReadToken.Reveal() + c.Webhook.Reveal() + c.WebhookSecret.Reveal()
			return one
		}
		from := func(e env, args ...string) string {
			c = Serve{}
			_, _, err := parse(ServeSettings(&c)[i:i+1], args, e.lookup)
			require.NoError(t, err, d.Name)
			return show()
		}
		byVariable, byFlag := from(env{d.Env: v[0]}), from(nil, "--"+d.Name+"="+v[1])
		require.NotEqual(t, byVariable, byFlag, d.Name)
		require.Equal(t, byFlag, from(env{d.Env: v[0]}, "--"+d.Name+"="+v[1]), "%s: the flag wins", d.Name)
		if d.Default != "" {
			require.Equal(t, from(nil), from(nil, "--"+d.Name+"="+d.Default), "%s: the default is what it says", d.Name)
		}
		if !d.Empty {
			require.Equal(t, from(nil), from(env{d.Env: ""}), "%s: an empty variable is none", d.Name)
		}
	}
	require.Empty(t, parseServe(t, env{"WHIPSAW_ADMIN": ""}).Admin, "the admin listener is turned off by an empty variable as well")
}

func TestMediaStaysOnLoopback(t *testing.T) {
	for _, c := range []struct{ listen, udp, want string }{
		{"127.0.0.1:8080", "", "127.0.0.1:8189"},
		{"127.8.0.1:8080", "", "127.8.0.1:8189"},
		{"localhost:8080", "", "127.0.0.1:8189"},
		{"[::1]:8080", "", "[::1]:8189"},
		{"127.0.0.1:8080", ":8189", ":8189"}, // said explicitly
		{":8080", "", ":8189"},
	} {
		args := []string{"--listen", c.listen}
		if c.udp != "" {
			args = append(args, "--webrtc-udp", c.udp)
		}
		if !loopback(c.listen) {
			args = append(args, "--open-publish")
		}
		require.Equal(t, c.want, parseServe(t, nil, args...).WebRTCUDP, c.listen)
	}
}

// Whoever can be reached by others needs a token, or has to say that none is wanted.
func TestSecureByDefault(t *testing.T) {
	for _, listen := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.0.2.1:8080", "whipsaw.example:8080", "[fe80::1]:8080"} {
		_, err := ParseServe([]string{"--listen", listen}, env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, listen)
		require.ErrorContains(t, err, "--open-publish")
		require.ErrorContains(t, err, "WHIPSAW_PUBLISH_TOKEN")
		parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "x"}, "--listen", listen)
		for _, asks := range []string{"--stream-token=a=b", "--jwt-secret=" + strings.Repeat("x", 32), "--jwt-jwks=keys.json", "--auth-url=https://example.com/"} {
			c := parseServe(t, nil, "--listen", listen, asks)
			require.False(t, c.Closed(), asks)
		}
		_, err = ParseServe([]string{"--listen", listen, "--watch-token", "a=b", "--watch-key", strings.Repeat("x", 32)}, env{}.lookup)
		require.ErrorContains(t, err, "--open-publish", "who asks viewers has not asked publishers")
		parseServe(t, nil, "--listen", listen, "--open-publish")
	}
}

func TestServeRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string // the setting and what is allowed
	}{
		{[]string{"--listen", "8080"}, `--listen: "8080" is no address like 127.0.0.1:8080`},
		{[]string{"--listen", "127.0.0.1:http"}, "no port from 0 to 65535"},
		{[]string{"--listen", "127.0.0.1:65536"}, "no port from 0 to 65535"},
		{[]string{"--listen", ""}, "--listen"},
		{[]string{"--listen", "http://127.0.0.1:80"}, "--listen"},
		{[]string{"--public-ip", "example.com"}, `--public-ip: "example.com" is no IP address`},
		{[]string{"--public-ip", "0.0.0.0"}, "--public-ip"},
		{[]string{"--part", "222"}, `--part: "222" is no duration like 500ms`},
		{[]string{"--part", "-1s"}, "--part"},
		{[]string{"--part", "2s"}, "--part 2s is not between 50ms and 1s"},
		{[]string{"--segment", "100ms"}, "--segment 100ms is not between"},
		{[]string{"--max-segment", "1s"}, "--max-segment 1s is not between"},
		{[]string{"--window", "1h"}, "--window 1h0m0s is not between"},
		{[]string{"--resume", "1h"}, "--resume"},
		{[]string{"--on-loss", "pray"}, `--on-loss: "pray" is none of freeze, show`},
		{[]string{"--log-format", "xml"}, `--log-format: "xml" is none of text, json`},
		{[]string{"--log-level", "loud"}, "--log-level"},
		{[]string{"--demo=maybe"}, "--demo"},
		{[]string{"--webhook", "example.com"}, "--webhook: this is no URL"},
		{[]string{"--webhook-secret", "x"}, "what --webhook is told, which is not set"},
		{[]string{"--api-token", "x", "--api-read-token", "x"}, "are the same"},
		{[]string{"--api-token", "secret", "--api-read-token", "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"}, "are the same"},
		{[]string{"--api-token", "sha256:2bb8"}, "a hashed token has 64 hexadecimal digits"},
		{[]string{"--api-read-token", "sha256:"}, "a hashed token has 64 hexadecimal digits"},
		{[]string{"--warn-bitrate", "20M"}, "no bit rate in kbit/s"},
		{[]string{"--publish-token", "two words"}, "--publish-token: a token has"},
		{[]string{"--watch-key", strings.Repeat("x", 31)}, "--watch-key: a key has at least 32 characters"},
		{[]string{"--watch-key", strings.Repeat("x ", 20)}, "without spaces"},
		{[]string{"--publish-token", "x", "--open-publish"}, "exclude each other"},
		{[]string{"--publish-token", "sha256:abc"}, "--publish-token: after sha256:"},
		{[]string{"--stream-token", "studio"}, "--stream-token: a token for some streams is given as PATTERN=TOKEN"},
		{[]string{"--stream-token", "a=x", "--stream-token", "=x"}, "--stream-token: a pattern is a stream's name"},
		{[]string{"--stream-token", "a="}, "PATTERN=TOKEN"},
		{[]string{"--stream-token", "a b=x"}, "a pattern is"},
		{[]string{"--stream-token", "a=two words"}, "without spaces"},
		{[]string{"--watch-token", "a=sha256:x", "--watch-key", strings.Repeat("x", 32)}, "--watch-token: after sha256:"},
		{[]string{"--watch-token", "a=b"}, "--watch-token gives signed links, which need --watch-key"},
		{[]string{"--jwt-secret", strings.Repeat("x", 31)}, "--jwt-secret: a key has at least 32 characters"},
		{[]string{"--jwt-jwks", "ftp://example.com/"}, "--jwt-jwks: this is neither a file nor a URL"},
		{[]string{"--jwt-jwks", "https://user:pass@example.com/"}, "--jwt-jwks"},
		{[]string{"--jwt-issuer", "x"}, "need --jwt-secret or --jwt-jwks"},
		{[]string{"--auth-url", "example.com"}, "--auth-url: this is no URL"},
		{[]string{"--auth-url", "https://example.com/#x"}, "--auth-url"},
		{[]string{"--auth-url", "https://example.com/", "--open-publish"}, "exclude each other"},
		{[]string{"--watch-for", "0s"}, "--watch-for 0s"},
		{[]string{"--no-such"}, "no-such"},
		{[]string{"--part"}, "part"},
		{[]string{"serve"}, `"serve" is no command; the commands are: publish, check, bench, sign, config, completion, man, version, help`},
	} {
		_, err := ParseServe(c.args, env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, "%v", c.args)
		require.ErrorContains(t, err, c.says)
	}
	_, err := ParseServe(nil, env{"WHIPSAW_PART": "x"}.lookup)
	require.ErrorContains(t, err, "WHIPSAW_PART: ", "an error names the variable that it is about")
	_, err = ParseServe([]string{"--help"}, env{}.lookup)
	require.ErrorIs(t, err, ErrHelp)
}

func TestSecretIsNeverShown(t *testing.T) {
	c := parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "hunter2"})
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "cfg", c, "token", c.PublishToken)
	asJSON, err := json.Marshal(c.PublishToken)
	require.NoError(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c.PublishToken, c.PublishToken) + log.String() + string(asJSON)
	require.NotContains(t, all, "hunter2")
	require.Contains(t, all, hidden)
	require.Empty(t, Secret("").String())
	_, err = ParseServe([]string{"--publish-token", "hunter2 "}, env{}.lookup)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestPublish(t *testing.T) {
	for _, c := range []struct {
		args string
		want Publish
	}{
		{"a.mp4 http://h/whip/x", Publish{File: "a.mp4", URL: "http://h/whip/x", Reconnect: time.Minute}},
		{"a.mp4 https://h/whip/x --loop --token t", Publish{File: "a.mp4", URL: "https://h/whip/x", Token: "t", Loop: true, Reconnect: time.Minute}},
		{"--token t a.mp4 --reconnect 0s http://h/x --loop", Publish{File: "a.mp4", URL: "http://h/x", Token: "t", Loop: true}},
		{"--demo http://h/x", Publish{URL: "http://h/x", Demo: true, Loop: true, Reconnect: time.Minute}},
		{"http://h/x --demo", Publish{URL: "http://h/x", Demo: true, Loop: true, Reconnect: time.Minute}},
		{"--loop -- --odd.mp4 http://h/x", Publish{File: "--odd.mp4", URL: "http://h/x", Loop: true, Reconnect: time.Minute}},
		{"odd.mp4 --loop -- http://h/x", Publish{File: "odd.mp4", URL: "http://h/x", Loop: true, Reconnect: time.Minute}},
	} {
		got, err := ParsePublish(strings.Fields(c.args), env{}.lookup)
		require.NoError(t, err, c.args)
		require.Equal(t, c.want, got, c.args)
	}
	got, err := ParsePublish([]string{"a", "http://h/x"}, env{"WHIPSAW_PUBLISH_TOKEN": "t"}.lookup)
	require.NoError(t, err)
	require.Equal(t, "t", got.Token.Reveal())
}

func TestPublishRefuses(t *testing.T) {
	for args, says := range map[string]string{
		"":                       "publish takes FILE.mp4 WHIP_URL",
		"a.mp4":                  "publish takes FILE.mp4 WHIP_URL, and got 1",
		"--demo":                 "publish takes WHIP_URL",
		"--demo a.mp4 http://h/": "publish takes WHIP_URL, and got 2",
		"a.mp4 127.0.0.1:8080/x": "is no WHIP URL like http://",
		"a.mp4 live":             "is no WHIP URL",
		"a.mp4 rtmp://h/x":       "is no WHIP URL",
		"a.mp4 http:///x":        "is no WHIP URL",
		"a.mp4 http://h/ --fast": "fast",
	} {
		_, err := ParsePublish(strings.Fields(args), env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, args)
		require.ErrorContains(t, err, says, args)
	}
}

// Help names every flag, its variable and its default.
func TestHelp(t *testing.T) {
	for name, defs := range map[string][]Setting{"": ServeSettings(new(Serve)), "publish": PublishSettings(new(Publish)), "check": CheckSettings(new(Check)), "sign": SignSettings(new(Sign))} {
		var out bytes.Buffer
		require.NoError(t, WriteHelp(&out, name))
		for _, d := range defs {
			require.Contains(t, out.String(), "--"+d.Name)
			require.Contains(t, out.String(), d.Env)
			require.Contains(t, out.String(), d.Default)
			require.Contains(t, out.String(), d.Help)
			require.False(t, strings.HasSuffix(d.Help, "."))
			require.NotContains(t, out.String(), "[]")
		}
	}
	var out bytes.Buffer
	require.NoError(t, WriteHelp(&out, ""))
	for _, c := range commands() {
		require.Contains(t, out.String(), c.help)
	}
	require.ErrorIs(t, WriteHelp(&out, "serve"), ErrUsage)
	require.NoError(t, WriteHelp(&out, "version"))
}
