package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"whipsaw/segmenter"
)

// Serve is what the server is told.
type Serve struct {
	Listen    string       // TCP address of everything for publishers and viewers
	WebRTCUDP string       // UDP address of all media
	PublicIPs []netip.Addr // announced to publishers besides, or instead of, the machine's own
	Admin     string       // TCP address of metrics and profiles; empty: none

	Segmenter segmenter.Config

	State string // directory of what survives a restart; empty: nothing does

	PublishToken Secret // what publishers have to show; empty: none is asked for
	OpenPublish  bool   // without a token, everybody who reaches the server may publish

	LogFormat string // text or json
	LogLevel  string // debug, info, warn or error
	Demo      bool   // publish the built-in clip as well
}

// ServeSettings are the definitions for the server; what they are given goes to c.
func ServeSettings(c *Serve) []Setting {
	s := &c.Segmenter
	return []Setting{
		{Name: "listen", Env: "WHIPSAW_LISTEN", Value: "HOST:PORT", Default: "127.0.0.1:8080", set: address(&c.Listen, false),
			Help: "TCP address for publishers (WHIP), viewers (HLS), pages and API"},
		{Name: "webrtc-udp", Env: "WHIPSAW_WEBRTC_UDP", Value: "HOST:PORT", Default: ":8189", set: address(&c.WebRTCUDP, false),
			Help: "UDP address for all media; its default stays on loopback as long as --listen does"},
		{Name: "public-ip", Env: "WHIPSAW_PUBLIC_IP", Value: "IP", Repeat: true, set: addrs(&c.PublicIPs),
			Help: "IP address under which publishers reach this server, behind NAT or in a container; may be repeated"},
		{Name: "part", Env: "WHIPSAW_PART", Value: "DURATION", Default: "222ms", set: duration(&s.Part),
			Help: "longest part (PART-TARGET)"},
		{Name: "segment", Env: "WHIPSAW_SEGMENT", Value: "DURATION", Default: "2s", set: duration(&s.Segment),
			Help: "length of a segment, as far as the publisher's keyframes allow it"},
		{Name: "max-segment", Env: "WHIPSAW_MAX_SEGMENT", Value: "DURATION", Default: "0s", set: duration(&s.MaxSegment),
			Help: "longest segment (TARGETDURATION); 0s is the same as --segment"},
		{Name: "window", Env: "WHIPSAW_WINDOW", Value: "DURATION", Default: "30s", set: duration(&s.Window),
			Help: "how much of the past a live playlist shows"},
		{Name: "resume", Env: "WHIPSAW_RESUME", Value: "DURATION", Default: "30s", set: duration(&s.Resume),
			Help: "how long a stream stays live for a publisher that was lost to come back"},
		{Name: "state", Env: "WHIPSAW_STATE", Value: "DIR", set: text(&c.State),
			Help: "directory where streams keep what they need to go on after a restart; without it a restart begins new playlists"},
		{Name: "on-loss", Env: "WHIPSAW_ON_LOSS", Value: "freeze|show", Default: "freeze", set: choice((*string)(&s.OnLoss), "freeze", "show"),
			Help: "after lost packets: freeze until the next keyframe, or show damaged pictures, for publishers that give none when asked"},
		{Name: "recovery-points", Env: "WHIPSAW_RECOVERY_POINTS", Default: "false", set: toggle(&s.RecoveryPoints),
			Help: "take intra pictures with a recovery point for keyframes, for encoders that send no IDR"},
		{Name: "publish-token", Env: "WHIPSAW_PUBLISH_TOKEN", Value: "TOKEN", set: secret(&c.PublishToken),
			Help: "Bearer token that publishers must send; better in the variable, where other users do not see it"},
		{Name: "open-publish", Env: "WHIPSAW_OPEN_PUBLISH", Default: "false", set: toggle(&c.OpenPublish),
			Help: "let everybody publish who reaches the server, without a token"},
		{Name: "admin", Env: "WHIPSAW_ADMIN", Value: "HOST:PORT", Default: "127.0.0.1:8081", Empty: true, set: address(&c.Admin, true),
			Help: "TCP address for /metrics and /debug/pprof; empty for none"},
		{Name: "log-format", Env: "WHIPSAW_LOG_FORMAT", Value: "text|json", Default: "text", set: choice(&c.LogFormat, "text", "json"),
			Help: "form of the log on standard error"},
		{Name: "log-level", Env: "WHIPSAW_LOG_LEVEL", Value: "LEVEL", Default: "info", set: choice(&c.LogLevel, "debug", "info", "warn", "error"),
			Help: "least level that is logged: debug, info, warn or error"},
		{Name: "demo", Env: "WHIPSAW_DEMO", Default: "false", set: toggle(&c.Demo),
			Help: "publish a built-in test clip, in a loop, as stream \"demo\""},
	}
}

// ParseServe reads the server's command line. Errors wrap ErrUsage or ErrHelp.
func ParseServe(args []string, env Lookup) (Serve, error) {
	c := Serve{Segmenter: segmenter.DefaultConfig()}
	rest, given, err := parse(ServeSettings(&c), args, env)
	switch {
	case err != nil:
		return c, err
	case len(rest) > 0:
		return c, fmt.Errorf("%w: %q is no command; the commands are: %s", ErrUsage, rest[0], commandNames())
	}
	if !given["webrtc-udp"] {
		c.WebRTCUDP = mediaAddress(c.Listen, c.WebRTCUDP)
	}
	return c, c.check()
}

// Loopback reports whether only this machine reaches the server.
func (c Serve) Loopback() bool { return loopback(c.Listen) }

// Closed reports whether only requests for this machine's own name may be answered: there is no token that would keep
// a web page, which the browser of this machine shows, from publishing and watching here.
func (c Serve) Closed() bool { return c.PublishToken == "" && !c.OpenPublish }

func (c Serve) check() error {
	if err := c.Segmenter.Validate(); err != nil {
		// The setting's name begins the text and is the flag's name as well.
		return fmt.Errorf("%w: --%s", ErrUsage, strings.TrimPrefix(err.Error(), segmenter.ErrConfig.Error()+": "))
	}
	if c.PublishToken != "" && c.OpenPublish {
		return fmt.Errorf("%w: --publish-token and --open-publish exclude each other: one asks for a token, the other for none", ErrUsage)
	}
	if !c.Loopback() && c.Closed() {
		return fmt.Errorf("%w: --listen %s is reached from other machines, so publishers must show a token: set WHIPSAW_PUBLISH_TOKEN "+
			"(or --publish-token), or say --open-publish if everybody may publish", ErrUsage, c.Listen)
	}
	return nil
}

// mediaAddress keeps media on loopback when everything else is.
func mediaAddress(listen, udp string) string {
	if !loopback(listen) {
		return udp
	}
	// Both are addresses, or they would have been refused before.
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(udp)
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
