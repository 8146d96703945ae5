package config

import (
	"fmt"
	"net/url"
	"time"
)

// Check is what the check command is told.
type Check struct {
	URL      string        // of a multivariant or a media playlist
	For      time.Duration // how long to follow the stream
	JSON     bool
	Strict   bool // recommendations, and what whipsaw promises of its own, count as well
	Insecure bool // any certificate will do
	HTTP3    bool // over QUIC alone
}

// CheckSettings are the definitions for the check command; what they are given goes to c.
func CheckSettings(c *Check) []Setting {
	return []Setting{
		{Name: "for", Value: "DURATION", Default: "30s", set: duration(&c.For),
			Help: "how long to follow the stream, unless it ends before"},
		{Name: "json", Default: "false", set: toggle(&c.JSON),
			Help: "print the report as JSON"},
		{Name: "strict", Default: "false", set: toggle(&c.Strict),
			Help: "count recommendations too, and what whipsaw promises of its own streams beyond the specifications"},
		{Name: "insecure", Default: "false", set: toggle(&c.Insecure),
			Help: "accept any certificate, for trials with self-signed ones"},
		{Name: "http3", Default: "false", set: toggle(&c.HTTP3),
			Help: "ask over HTTP/3 (QUIC) and nothing else; without it over HTTP/2, or 1.1 where there is no TLS"},
	}
}

// ParseCheck reads the command line of the check command, without its name. Errors wrap ErrUsage or ErrHelp.
func ParseCheck(args []string, env Lookup) (Check, error) {
	var c Check
	rest, _, err := parse(CheckSettings(&c), args, env)
	if err != nil {
		return c, err
	}
	if len(rest) != 1 {
		return c, fmt.Errorf("%w: check takes the URL of one playlist, and got %d of them", ErrUsage, len(rest))
	}
	c.URL = rest[0]
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return c, fmt.Errorf("%w: %q is no URL like http://127.0.0.1:8080/hls/live/index.m3u8", ErrUsage, c.URL)
	}
	if c.HTTP3 && u.Scheme != "https" {
		return c, fmt.Errorf("%w: --http3 needs an https URL", ErrUsage)
	}
	if c.For < time.Second || c.For > 7*24*time.Hour {
		return c, fmt.Errorf("%w: --for %v is not between 1s and 168h", ErrUsage, c.For)
	}
	return c, nil
}
