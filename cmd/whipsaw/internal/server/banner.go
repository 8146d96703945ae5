package server

import (
	"bytes"
	"fmt"
	"io"
	"net"

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
	base := addrs.URL()
	if t, ok := addrs.HTTP.(*net.TCPAddr); ok && t.IP.IsUnspecified() && len(cfg.PublicIPs) > 0 {
		base = "http://" + net.JoinHostPort(cfg.PublicIPs[0].String(), fmt.Sprint(t.Port))
	}
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("whipsaw: WHIP in, low-latency HLS out. \"%s\" stands for any stream name.", exampleStream)
	line("")
	line("  publish (WHIP)   %s/whip/%s", base, exampleStream)
	line("  publish (page)   %s/publish/%s", base, exampleStream)
	line("  watch (page)     %s/watch/%s", base, exampleStream)
	line("  watch (HLS)      %s/hls/%s/index.m3u8", base, exampleStream)
	if addrs.Admin != nil {
		line("  metrics          %s/metrics", addrs.AdminURL())
	}
	line("")
	line("  OBS, Settings > Stream:   Service       WHIP")
	line("                            Server        %s/whip/%s", base, exampleStream)
	line("                            Bearer Token  %s", tokenHint(cfg))
	line("       Settings > Output:   Keyframe Interval 2 s, encoder H.264, audio Opus")
	line("")
	if cfg.Demo {
		line("  demo: open       %s/watch/%s", base, DemoStream)
	} else {
		line("  no camera at hand?   whipsaw publish --demo %s/whip/%s", base, exampleStream)
	}
	line("  all flags:           whipsaw --help")
	line("")
	_, err := w.Write(b.Bytes())
	return err
}

// tokenHint says what to fill in without telling the token.
func tokenHint(cfg config.Serve) string {
	if cfg.PublishToken == "" {
		return "(leave empty)"
	}
	return "(what WHIPSAW_PUBLISH_TOKEN or --publish-token was set to)"
}
