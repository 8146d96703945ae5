// Package bench loads a server with publishers and viewers and measures what that costs it and how fast parts get through.
// It works with every server that speaks WHIP and low-latency HLS.
package bench

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/clip"
	"whipsaw/cmd/whipsaw/internal/bench/fleet"
	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/cmd/whipsaw/internal/bench/proc"
	"whipsaw/cmd/whipsaw/internal/bench/watch"
	"whipsaw/cmd/whipsaw/internal/bench/wire"
)

// Options say what to do to which server. URL templates have {n} where the number of the stream goes, from 1.
type Options struct {
	WHIP       string // template of the WHIP endpoints; empty: nothing is published
	HLS        string // template of the multivariant playlists; empty: nothing is watched
	Publishers int    // how many streams are published, or are there to be watched
	Viewers    int    // of all streams together, in turn
	Token      string // for publishing
	Clip       *clip.Clip

	HTTP      string // wire.HTTP1, wire.HTTP2 or wire.HTTP3
	Insecure  bool
	VideoOnly bool
	Waiters   bool // viewers who only wait for playlists
	Hints     bool

	PID  int           // of the server; 0: its cost is not measured
	Warm time.Duration // before each phase is measured
	Time time.Duration // that each phase is measured for

	// Within makes the run a search for the highest number of viewers whose part delays have a 99th percentile within it:
	// Viewers is where it begins. 0: no search.
	Within time.Duration

	Label, Version string
	Progress       io.Writer // where a line about the progress goes; nil: nowhere
	Redraw         bool      // Progress is a terminal: the line is written over and over again
}

// patience is how long streams may take until they can be played.
const patience = 30 * time.Second

// requestTimeout is over what any server holds a request for.
const requestTimeout = 30 * time.Second

// Run measures: the idle server, then with publishers, then with viewers as well; phases without any are left out. When ctx
// ends, what was measured so far is returned with its error. Errors of single viewers and publishers are counted in the result.
func Run(ctx context.Context, o Options) (*Result, error) {
	r := &runner{opts: o, begun: time.Now()}
	r.result = &Result{
		Label: o.Label, Version: o.Version, When: r.begun.UTC().Truncate(time.Second), Machine: proc.Describe(runtime.NumCPU()),
		Work: Work{Publishers: o.Publishers, Viewers: o.Viewers, HTTP: o.HTTP, VideoOnly: o.VideoOnly, Waiters: o.Waiters, Hints: o.Hints, Seconds: o.Time.Seconds()},
	}
	r.result.Bench.Cores = runtime.GOMAXPROCS(0)
	err := r.run(ctx)
	return r.result, err
}

// runner is one run.
type runner struct {
	opts   Options
	begun  time.Time
	result *Result
	bar    *bar
	meter  *meter
	fleet  *fleet.Fleet    // nil: nothing is published
	crowd  *watch.Audience // nil: nothing is watched
}

func (r *runner) run(ctx context.Context) (err error) {
	r.bar = newBar(r.opts.Progress, r.opts.Redraw, r.opts.length())
	defer r.bar.close()
	if r.meter, err = newMeter(r.opts.PID, r.begun); err != nil {
		return err
	}
	defer func() {
		r.leave()
		r.meter.finish(r.result)
	}()
	if err := r.idle(ctx); err != nil {
		return err
	}
	if r.opts.HLS != "" {
		if r.crowd, err = r.audience(); err != nil {
			return err
		}
	}
	if r.opts.WHIP != "" {
		if err := r.ingest(ctx); err != nil {
			return err
		}
	}
	switch {
	case !r.opts.watches():
		return nil
	case r.opts.Within > 0:
		return r.search(ctx)
	}
	return r.watch(ctx)
}

func (o *Options) watches() bool { return o.HLS != "" && o.Viewers > 0 }

// length is about how long all phases take together, after everything is connected.
func (o *Options) length() time.Duration {
	d := time.Duration(0)
	if o.PID != 0 {
		d += o.idle()
	}
	if o.WHIP != "" {
		d += o.Warm + o.Time
	}
	if o.watches() {
		each := ramp(o.Viewers) + o.Warm + o.Time
		if o.Within > 0 {
			each *= usualSteps
		}
		d += each
	}
	return d
}

func (o *Options) idle() time.Duration { return min(o.Time, 2*time.Second) }

// usualSteps is about how many numbers of viewers a search tries.
const usualSteps = 8

// ramp is how long it takes until so many viewers have come: not more than 200 a second.
func ramp(viewers int) time.Duration {
	return max(time.Duration(viewers)*time.Second/200, 200*time.Millisecond)
}

// idle measures the server before it has anything to do.
func (r *runner) idle(ctx context.Context) error {
	if r.opts.PID == 0 {
		return nil
	}
	r.bar.say("idle")
	w, err := r.meter.measure(ctx, r.opts.idle(), r.draw)
	r.meter.idle = w
	return err
}

// audience has no viewers yet.
func (r *runner) audience() (*watch.Audience, error) {
	at, err := url.Parse(fleet.Address(r.opts.HLS, 1))
	if err != nil {
		return nil, err
	}
	o := watch.Options{
		VideoOnly: r.opts.VideoOnly, Waiters: r.opts.Waiters, Hints: r.opts.Hints,
		Wire: wire.Options{Version: r.opts.HTTP, Insecure: r.opts.Insecure, Timeout: requestTimeout, UserAgent: "whipsaw-bench/" + r.opts.Version},
	}
	o.Sent = func(m mark.Mark) (time.Time, bool) {
		if r.fleet == nil {
			return time.Time{}, false
		}
		return r.fleet.Sent(m)
	}
	return watch.New(at, o)
}

// ingest connects the publishers and measures what they cost.
func (r *runner) ingest(ctx context.Context) error {
	r.bar.say("connecting")
	var err error
	r.fleet, err = fleet.Launch(ctx, fleet.Options{
		URL: r.opts.WHIP, Count: r.opts.Publishers, Token: r.opts.Token, Clip: r.opts.Clip, UserAgent: "whipsaw-bench/" + r.opts.Version, Insecure: r.opts.Insecure,
	})
	if err != nil {
		return err
	}
	c := r.opts.Clip
	w := &r.result.Work
	w.Clip, w.FrameRate, w.Bitrate = c.Name, c.FrameRate(), c.Bitrate
	in := &Ingest{}
	r.result.Ingest = in
	if r.crowd != nil {
		if in.FirstPlaylist, err = r.playable(ctx); err != nil {
			return err
		}
	}
	r.bar.say("ingest")
	if _, err := r.meter.measure(ctx, r.opts.Warm, r.draw); err != nil {
		return err
	}
	before := r.fleet.Counts()
	measured, err := r.meter.measure(ctx, r.opts.Time, r.draw)
	r.meter.ingest = measured
	in.Counts = r.fleet.Counts().Since(before)
	return err
}

// playable waits for all streams, and tells how long stream 1 took from its first frame, in milliseconds.
func (r *runner) playable(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	first := 0.0
	for n := range r.opts.Publishers {
		at, err := url.Parse(fleet.Address(r.opts.HLS, n+1))
		if err != nil {
			return 0, err
		}
		if err := r.crowd.Playable(ctx, at); err != nil {
			return 0, err
		}
		if began, ok := r.fleet.FirstFrame(); n == 0 && ok {
			first = ms(time.Since(began))
		}
	}
	return first, nil
}

// watch lets the viewers come and measures.
func (r *runner) watch(ctx context.Context) error {
	r.bar.say("viewers come")
	if err := r.gather(ctx, r.opts.Viewers); err != nil {
		return err
	}
	r.bar.say("viewers")
	r.crowd.Begin()
	w, err := r.meter.measure(ctx, r.opts.Time, r.draw)
	r.meter.watch = w
	end := r.crowd.Close()
	r.result.Watch = watched(&end, w.seconds())
	return err
}

// leave ends everything, and notes which publishers had ended before.
func (r *runner) leave() {
	if r.crowd != nil {
		r.crowd.Close()
	}
	if r.fleet == nil {
		return
	}
	n, why := r.fleet.Lost()
	r.result.Ingest.Lost = n
	if why != nil {
		r.result.Errors = append(r.result.Errors, fmt.Sprintf("%d of %d publishers were lost: %v", n, r.opts.Publishers, why))
	}
	if err := r.fleet.Close(); err != nil && n == 0 {
		r.result.Errors = append(r.result.Errors, err.Error())
	}
}

// draw shows how things are.
func (r *runner) draw() {
	var seen *watch.Result
	if r.crowd != nil {
		now := r.crowd.Result()
		seen = &now
	}
	r.bar.draw(r.meter, seen)
}
