package bench

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/fleet"
)

// Search is what came of looking for the highest number of viewers that a server serves in time.
type Search struct {
	Within  float64 `json:"within_ms"` // bound on the 99th percentile of part delays
	Viewers int     `json:"viewers"`   // the most that were served within it
	TooMany int     `json:"too_many"`  // the fewest that were not; 0: none
	Full    bool    `json:"full"`      // those were too many for the bench itself, and maybe not for the server
	Steps   []Step  `json:"steps"`
}

// Step is one number of viewers that was tried.
type Step struct {
	Viewers     int     `json:"viewers"`
	PartP50     float64 `json:"part_delay_p50_ms"`
	PartP99     float64 `json:"part_delay_p99_ms"`
	DeliveryP99 float64 `json:"delivery_p99_ms"`
	Stalls      int64   `json:"stalls"`
	Errors      int64   `json:"errors"`
	ServerCPU   float64 `json:"server_cpu_ms_per_second"`
	BenchCPU    float64 `json:"bench_cpu_ms_per_second"`
	Kept        bool    `json:"kept"` // all were served within the bound
	Full        bool    `json:"full"` // the bench used over 80 % of its cores
}

// maxViewers bounds what is tried.
const maxViewers = 20000

// next is the number of viewers to try, up to a tenth around the one that is looked for: twice as many as long as they are
// served, and from then on the middle between too few and too many; 0 when the search is over.
func (s *Search) next() int {
	switch {
	case s.TooMany == 0:
		return min(2*s.Viewers, maxViewers) % maxViewers
	case s.TooMany-s.Viewers <= max(s.Viewers/10, 1):
		return 0
	}
	return (s.Viewers + s.TooMany) / 2
}

// add takes what a step has measured into account.
func (s *Search) add(step Step) {
	s.Steps = append(s.Steps, step)
	if step.Kept {
		s.Viewers = step.Viewers
		return
	}
	s.TooMany, s.Full = step.Viewers, step.Full
}

// search tries numbers of viewers, beginning with the one of the options.
func (r *runner) search(ctx context.Context) error {
	s := &Search{Within: ms(r.opts.Within)}
	r.result.Search = s
	r.result.Work.Viewers, r.result.Work.Within = 0, s.Within
	for n := r.opts.Viewers; n > 0; n = s.next() {
		r.bar.say(fmt.Sprintf("%d viewers", n))
		step, err := r.step(ctx, n)
		if err != nil {
			return err
		}
		s.add(step)
	}
	return nil
}

// step lets n viewers come, measures, and sends them away.
func (r *runner) step(ctx context.Context, n int) (Step, error) {
	var err error
	if r.crowd, err = r.audience(); err != nil {
		return Step{}, err
	}
	defer func() { r.crowd.Close() }()
	if err := r.gather(ctx, n); err != nil {
		return Step{}, err
	}
	r.crowd.Begin()
	w, err := r.meter.measure(ctx, r.opts.Time, r.draw)
	if err != nil {
		return Step{}, err
	}
	end := r.crowd.Close()
	seen := watched(&end, w.seconds())
	s := Step{
		Viewers: n, PartP50: seen.Part.P50, PartP99: seen.Part.P99, DeliveryP99: seen.Delivery.P99,
		Stalls: seen.Stalls, Errors: total(seen.Errors), BenchCPU: w.cpu(theBench),
	}
	if r.opts.PID != 0 {
		s.ServerCPU = w.cpu(theServer)
	}
	s.Full = s.BenchCPU/1000 > maxShare*float64(r.result.Bench.Cores)
	s.Kept = !s.Full && s.Errors == 0 && seen.Part.Count > 0 && s.PartP99 <= ms(r.opts.Within)
	return s, nil
}

// gather lets n viewers come, not all at once, and the server get used to them.
func (r *runner) gather(ctx context.Context, n int) error {
	pace := time.NewTicker(max(ramp(n)/time.Duration(n), time.Microsecond))
	defer pace.Stop()
	for i := range n {
		at, err := url.Parse(fleet.Address(r.opts.HLS, i%r.opts.Publishers+1))
		if err != nil {
			return err
		}
		r.crowd.Add(at)
		select {
		case <-pace.C:
			r.draw()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	_, err := r.meter.measure(ctx, r.opts.Warm, r.draw)
	return err
}
