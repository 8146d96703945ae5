package config

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"whipsaw/segmenter"
)

// Serve is what the server is told.
type Serve struct {
	Delivery
	Ingest
	Access
	Operator

	Segmenter segmenter.Config
	State     string // directory of what survives a restart; empty: nothing does
	Demo      bool   // publish the built-in clip as well
}

// ServeSettings are the definitions for the server; what they are given goes to c.
func ServeSettings(c *Serve) []Setting {
	all := slices.Concat(deliverySettings(&c.Delivery), ingestSettings(&c.Ingest, &c.Segmenter), streamSettings(&c.Segmenter, &c.State),
		accessSettings(&c.Access), operatorSettings(&c.Operator), []Setting{
			{Name: "demo", Default: "false", set: toggle(&c.Demo),
				Help: "publish a built-in test clip, in a loop, as stream \"demo\""},
		})
	for i := range all {
		all[i].Env = "WHIPSAW_" + strings.ToUpper(strings.ReplaceAll(all[i].Name, "-", "_"))
	}
	return all
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
func (c Serve) Loopback() bool { return c.Delivery.local() }

// Closed reports whether only requests for this machine's own name may be answered: there is no token that would keep
// a web page, which the browser of this machine shows, from publishing and watching here.
func (c Serve) Closed() bool { return !c.Authenticated() && !c.OpenPublish }

func (c Serve) check() error {
	if err := c.Segmenter.Validate(); err != nil {
		// The setting's name begins the text and is the flag's name as well.
		return fmt.Errorf("%w: --%s", ErrUsage, strings.TrimPrefix(err.Error(), segmenter.ErrConfig.Error()+": "))
	}
	if err := c.Access.check(); err != nil {
		return err
	}
	if err := c.Operator.check(); err != nil {
		return err
	}
	if err := c.Delivery.check(c.State); err != nil {
		return err
	}
	if err := c.Ingest.check(); err != nil {
		return err
	}
	if where := c.elsewhere(); where != "" && c.Closed() {
		return fmt.Errorf("%w: %s is reached from other machines, so publishers must show a token: set WHIPSAW_PUBLISH_TOKEN "+
			"(or another setting that asks for one), or say --open-publish if everybody may publish", ErrUsage, where)
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
