package config

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The kinds of work that the bench command does.
const (
	BenchPublish = "publish"
	BenchWatch   = "watch"
	BenchRun     = "run"
	BenchReport  = "report"
)

// Bench is what the bench command is told. URL templates have {n} where the number of the stream goes.
type Bench struct {
	Mode    string   // BenchPublish, BenchWatch, BenchRun or BenchReport
	WHIP    string   // template of WHIP endpoints; empty unless something is published
	HLS     string   // template of multivariant playlists; empty unless something is watched
	Results []string // files to report on

	Streams   int
	Viewers   int
	Clip      string // path of an MP4 file; empty: the built-in clip
	Token     Secret
	HTTP      string // 1.1, 2 or 3
	Insecure  bool
	VideoOnly bool
	Waiters   bool
	Hints     bool
	PID       int // of the server on this machine; 0: unknown
	Warm      time.Duration
	Time      time.Duration
	Within    time.Duration // for a search of the most viewers; 0: none
	Label     string
	JSON      string // where the results go as JSON: a path, or - for standard output; empty: nowhere
	SVG       string // where the graph of a report goes; empty: nowhere
}

// Bounds on what a bench may be asked to do.
const (
	maxBenchStreams = 1000
	maxBenchViewers = 20000
	maxBenchTime    = 24 * time.Hour
)

// BenchSettings are the definitions for the bench command; what they are given goes to c.
func BenchSettings(c *Bench) []Setting {
	return []Setting{
		{Name: "streams", Value: "NUMBER", Default: "1", set: within(&c.Streams, 1, maxBenchStreams),
			Help: "how many streams are published or watched, at most 1000; with more than one, {n} in a URL is the stream's number"},
		{Name: "viewers", Value: "NUMBER", Default: "10", set: within(&c.Viewers, 0, maxBenchViewers),
			Help: "how many viewers watch, all streams together, at most 20000"},
		{Name: "time", Value: "DURATION", Default: "20s", set: duration(&c.Time),
			Help: "how long each phase is measured: with publishers alone, and with viewers too; publish and watch run for so long"},
		{Name: "warm", Value: "DURATION", Default: "5s", set: duration(&c.Warm),
			Help: "how long each phase runs before it is measured; for memory let it be longer than the server's window"},
		{Name: "within", Value: "DURATION", Default: "0s", set: duration(&c.Within),
			Help: "look for the most viewers that get 99 of 100 parts within it, first with --viewers, then with more and fewer"},
		{Name: "pid", Value: "NUMBER", set: within(&c.PID, 1, math.MaxInt32),
			Help: "process ID of the server, on this machine: its CPU and memory are measured"},
		{Name: "clip", Value: "FILE.mp4", set: text(&c.Clip),
			Help: "what is published, in a loop: H.264 and Opus; a built-in clip of 640x360 without it"},
		{Name: "token", Env: "WHIPSAW_PUBLISH_TOKEN", Value: "TOKEN", set: secret(&c.Token),
			Help: "Bearer token of the publishers; better in the variable, where other users do not see it"},
		{Name: "http", Value: "1.1|2|3", Default: "1.1", set: choice(&c.HTTP, "1.1", "2", "3"),
			Help: "what the viewers speak; 2 is HTTP/2 over TLS with https and in clear text with http"},
		{Name: "insecure", Default: "false", set: toggle(&c.Insecure),
			Help: "take any certificate from the server"},
		{Name: "video-only", Default: "false", set: toggle(&c.VideoOnly),
			Help: "viewers leave out the sound that has a playlist of its own"},
		{Name: "waiters", Default: "false", set: toggle(&c.Waiters),
			Help: "viewers wait for playlists and fetch no parts: how fast many are told of a new one"},
		{Name: "hints", Default: "false", set: toggle(&c.Hints),
			Help: "viewers ask for the part that is hinted before it is there, as Safari does; hls.js and Shaka do not"},
		{Name: "label", Value: "NAME", set: text(&c.Label),
			Help: "name of what is measured; a report compares results by it"},
		{Name: "json", Value: "FILE", set: text(&c.JSON),
			Help: "write the result as JSON as well, or in place of the table if FILE is -"},
		{Name: "svg", Value: "FILE", set: text(&c.SVG),
			Help: "write the graph of a report, as a picture for a page"},
	}
}

// within takes a whole number with bounds.
func within(to *int, least, most int) func([]string) error {
	return func(v []string) error {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is no number from %d to %d", v[0], least, most)
		}
		*to = n
		return nil
	}
}

// ParseBench reads the command line of the bench command, without its name. Errors wrap ErrUsage or ErrHelp.
func ParseBench(args []string, env Lookup) (Bench, error) {
	var c Bench
	rest, given, err := parse(BenchSettings(&c), args, env)
	if err != nil {
		return c, err
	}
	if len(rest) == 0 {
		return c, fmt.Errorf("%w: bench takes one of %s, %s, %s and %s first", ErrUsage, BenchPublish, BenchWatch, BenchRun, BenchReport)
	}
	c.Mode, rest = rest[0], rest[1:]
	var urls []*string
	switch c.Mode {
	case BenchPublish:
		urls = []*string{&c.WHIP}
	case BenchWatch:
		urls = []*string{&c.HLS}
	case BenchRun:
		urls = []*string{&c.WHIP, &c.HLS}
	case BenchReport:
		c.Results = rest
		return c, c.checkReport()
	default:
		return c, fmt.Errorf("%w: bench has no %q; it has %s, %s, %s and %s", ErrUsage, c.Mode, BenchPublish, BenchWatch, BenchRun, BenchReport)
	}
	if len(rest) != len(urls) {
		return c, fmt.Errorf("%w: bench %s takes %d URL(s), and got %d", ErrUsage, c.Mode, len(urls), len(rest))
	}
	for i, to := range urls {
		*to = rest[i]
		if err := c.checkURL(rest[i]); err != nil {
			return c, err
		}
	}
	if c.Mode == BenchPublish {
		if given["viewers"] {
			return c, fmt.Errorf("%w: bench publish has no viewers", ErrUsage)
		}
		c.Viewers = 0
	}
	return c, c.check()
}

// checkURL holds a template to what its use needs.
func (c *Bench) checkURL(template string) error {
	u, err := url.Parse(strings.ReplaceAll(template, "{n}", "1"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%w: %q is no URL like http://127.0.0.1:8080/whip/bench{n}", ErrUsage, template)
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(template, "https://"), "http://"), "/"); strings.Contains(host, "{n}") {
		return fmt.Errorf("%w: %q: all streams are at one server: {n} may stand in the path only", ErrUsage, template)
	}
	if c.Streams > 1 && !strings.Contains(template, "{n}") {
		return fmt.Errorf("%w: %q: with more than one stream it needs {n}, where the stream's number goes", ErrUsage, template)
	}
	return nil
}

func (c *Bench) check() error {
	switch {
	case c.Mode == BenchWatch && c.Viewers == 0:
		return fmt.Errorf("%w: bench watch needs viewers", ErrUsage)
	case c.Time < time.Second || c.Time > maxBenchTime || c.Warm > maxBenchTime:
		return fmt.Errorf("%w: --time is not between 1s and %v, or --warm is over it", ErrUsage, maxBenchTime)
	case c.Within > 0 && (c.HLS == "" || c.Viewers == 0):
		return fmt.Errorf("%w: --within needs viewers to begin with", ErrUsage)
	case c.Within > 0 && c.Waiters:
		return fmt.Errorf("%w: --within looks at parts, which --waiters do not fetch", ErrUsage)
	case c.HTTP == "3" && c.HLS != "" && !strings.HasPrefix(c.HLS, "https:"):
		return fmt.Errorf("%w: HTTP/3 needs an https URL", ErrUsage)
	case c.SVG != "":
		return fmt.Errorf("%w: --svg belongs to bench report", ErrUsage)
	}
	return nil
}

func (c *Bench) checkReport() error {
	if len(c.Results) == 0 {
		return fmt.Errorf("%w: bench report takes the files that --json has written", ErrUsage)
	}
	return nil
}
