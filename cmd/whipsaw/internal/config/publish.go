package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Publish is what the publish command is told.
type Publish struct {
	File      string // path of an MP4 file; empty with Demo
	URL       string // WHIP endpoint
	Token     Secret
	Loop      bool
	Demo      bool          // publish the built-in clip
	Reconnect time.Duration // how long to try for a server that cannot be reached or went away; 0: not at all
}

// PublishSettings are the definitions for the publish command; what they are given goes to c.
func PublishSettings(c *Publish) []Setting {
	return []Setting{
		{Name: "token", Env: "WHIPSAW_PUBLISH_TOKEN", Value: "TOKEN", set: secret(&c.Token),
			Help: "Bearer token to send; better in the variable, where other users do not see it"},
		{Name: "loop", Default: "false", set: toggle(&c.Loop),
			Help: "begin again at the end, on one continuous time line"},
		{Name: "demo", Default: "false", set: toggle(&c.Demo),
			Help: "publish the built-in test clip, in a loop, in place of a file"},
		{Name: "reconnect", Value: "DURATION", Default: "1m", set: duration(&c.Reconnect),
			Help: "how long to go on trying when the server cannot be reached; 0s gives up at once"},
	}
}

// ParsePublish reads the command line of the publish command, without its name. Errors wrap ErrUsage or ErrHelp.
func ParsePublish(args []string, env Lookup) (Publish, error) {
	var c Publish
	rest, _, err := parse(PublishSettings(&c), args, env)
	if err != nil {
		return c, err
	}
	want := "FILE.mp4 WHIP_URL"
	if c.Demo {
		want, c.Loop = "WHIP_URL", true
	}
	if n := len(strings.Fields(want)); len(rest) != n {
		return c, fmt.Errorf("%w: publish takes %s, and got %d of them", ErrUsage, want, len(rest))
	}
	if !c.Demo {
		c.File = rest[0]
	}
	c.URL = rest[len(rest)-1]
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return c, fmt.Errorf("%w: %q is no WHIP URL like http://127.0.0.1:8080/whip/live", ErrUsage, c.URL)
	}
	return c, nil
}
