package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"whipsaw/segmenter"
)

// Sign is what the sign command is told.
type Sign struct {
	Stream string
	Keys   []Secret // the first signs
	For    time.Duration
	URL    string // of the server, without a slash at its end; empty: only paths are printed
}

// SignSettings are the definitions for the sign command; what they are given goes to c.
func SignSettings(c *Sign) []Setting {
	return []Setting{
		{Name: "watch-key", Env: "WHIPSAW_WATCH_KEY", Value: "KEY", Repeat: true, set: keys(&c.Keys),
			Help: "key of the server; better in the variable, where other users do not see it"},
		{Name: "for", Value: "DURATION", Default: "4h", set: duration(&c.For),
			Help: "how long the link is good"},
		{Name: "url", Value: "URL", set: baseURL(&c.URL),
			Help: "URL of the server, to print whole links; without it only their paths"},
	}
}

// ParseSign reads the command line of the sign command, without its name. Errors wrap ErrUsage or ErrHelp.
func ParseSign(args []string, env Lookup) (Sign, error) {
	var c Sign
	rest, _, err := parse(SignSettings(&c), args, env)
	switch {
	case err != nil:
		return c, err
	case len(rest) != 1:
		return c, fmt.Errorf("%w: sign takes STREAM, and got %d of them", ErrUsage, len(rest))
	case !segmenter.ValidName(rest[0]):
		return c, fmt.Errorf("%w: %q is no stream name: 1 to 64 letters, digits, dots, dashes and underscores, with a letter or a digit first", ErrUsage, rest[0])
	case len(c.Keys) == 0:
		return c, fmt.Errorf("%w: sign needs the key of the server: set WHIPSAW_WATCH_KEY, or --watch-key", ErrUsage)
	case c.For < time.Second:
		return c, fmt.Errorf("%w: --for %s: a link is good for a second at least", ErrUsage, c.For)
	}
	c.Stream = rest[0]
	return c, nil
}

// baseURL takes the URL of a server, with a path prefix if it has one.
func baseURL(to *string) func([]string) error {
	return func(v []string) error {
		u, err := url.Parse(v[0])
		if err != nil || !web(u) || u.RawQuery != "" || u.User != nil {
			return fmt.Errorf("%q is no URL like https://example.com", v[0])
		}
		*to = strings.TrimRight(v[0], "/")
		return nil
	}
}
