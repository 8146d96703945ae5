package server

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// DemoStream is the stream that the built-in clip is published as, and exampleStream the one that addresses are shown
// with: they differ, so that a first own try does not fight with the demo.
const (
	DemoStream    = "demo"
	exampleStream = "live"
)

// banner prints what a person needs to copy next.
func banner(w io.Writer, cfg config.Serve, addrs Addresses) error {
	base := publicBase(cfg, addrs)
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("whipsaw: WHIP in, low-latency HLS out. \"%s\" stands for any stream name.", exampleStream)
	line("")
	line("  publish (WHIP)   %s/whip/%s", base, exampleStream)
	line("  publish (page)   %s/publish/%s", base, exampleStream)
	if len(cfg.WatchKeys) == 0 {
		line("  watch (page)     %s/watch/%s", base, exampleStream)
		line("  watch (HLS)      %s/hls/%s/index.m3u8", base, exampleStream)
	} else {
		line("  watch            by signed links: whipsaw sign --url %s %s", base, exampleStream)
	}
	if addrs.Admin != nil {
		line("  metrics          %s/metrics", addrs.AdminURL())
	}
	line("  documentation    %s/docs, or in the terminal: whipsaw help", base)
	if addrs.Fingerprint != "" {
		line("  certificate      self-signed; browsers warn of it and show this SHA-256 fingerprint:")
		line("                   %s", addrs.Fingerprint[:48])
		line("                   %s", addrs.Fingerprint[48:])
	}
	line("")
	line("  OBS, Settings > Stream:   Service       WHIP")
	line("                            Server        %s/whip/%s", base, exampleStream)
	line("                            Bearer Token  %s", tokenHint(cfg))
	line("       Settings > Output:   Keyframe Interval 2 s, encoder H.264, audio Opus")
	line("")
	switch {
	case cfg.Demo:
		line("  demo: open       %s/watch/%s", base, DemoStream)
	case addrs.Fingerprint != "":
		line("  no camera at hand?   start with --demo, or publish the test picture of the page")
	default:
		line("  no camera at hand?   whipsaw publish --demo %s/whip/%s", base, exampleStream)
	}
	line("  all flags:           whipsaw --help")
	line("")
	_, err := w.Write(b.Bytes())
	return err
}

// publicBase is the URL that others reach the server by, as far as the settings tell.
func publicBase(cfg config.Serve, addrs Addresses) string {
	t, ok := addrs.HTTP.(*net.TCPAddr)
	if !ok || !t.IP.IsUnspecified() {
		return cmp.Or(cfg.Base(), addrs.URL())
	}
	host := ""
	switch {
	case len(cfg.ACME.Domains) > 0:
		host = cfg.ACME.Domains[0]
	case len(cfg.PublicIPs) > 0:
		host = cfg.PublicIPs[0].String()
	default:
		return cmp.Or(cfg.Base(), addrs.URL())
	}
	at := net.JoinHostPort(host, fmt.Sprint(t.Port))
	if addrs.Secure && t.Port == 443 {
		at = strings.TrimSuffix(at, ":443")
	}
	return cmp.Or(cfg.Base(), addrs.scheme()+at+addrs.Prefix)
}

// tokenHint says what to fill in without telling the token.
func tokenHint(cfg config.Serve) string {
	switch {
	case !cfg.Authenticated():
		return "(leave empty)"
	case cfg.PublishToken != "":
		return "(what WHIPSAW_PUBLISH_TOKEN or --publish-token was set to)"
	}
	return "(one with the right to publish)"
}
