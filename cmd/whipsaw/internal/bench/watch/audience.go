// Package watch is the viewers of a bench: each follows low-latency playlists as the draft asks a client to, fetches every
// part, and throws it away.
package watch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/cmd/whipsaw/internal/bench/wire"
)

// Options say what to watch and how.
type Options struct {
	Wire      wire.Options
	VideoOnly bool // without the sound that has a playlist of its own
	Waiters   bool // follow the playlists alone; each part is fetched by one viewer, to learn when it was sent
	Hints     bool // ask for the part that is hinted before it is there, as Safari does; hls.js and Shaka do not

	// Sent tells when the last packet of a marked frame was sent; nil: what the mark says, when its first packet was.
	Sent func(mark.Mark) (time.Time, bool)
}

// Audience is a number of viewers. Its methods are safe for any goroutine.
type Audience struct {
	opts    Options
	factory *wire.Factory
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup

	requests, playlists, parts, bytes atomic.Int64
	stalls, stood                     atomic.Int64

	mu      sync.Mutex
	ledgers map[string]*ledger // by path of the playlist
	errors  map[string]int64   // by what was wrong
}

// Result is what the viewers met with since Begin.
type Result struct {
	Requests, Playlists, Parts, Bytes int64
	Stalls                            int64
	Stalled                           time.Duration // of all viewers together
	Errors                            map[string]int64
	Delays                            Delays
}

// New returns an audience without viewers for the server that at names.
func New(at *url.URL, o Options) (*Audience, error) {
	factory, err := wire.NewFactory(at, o.Wire)
	if err != nil {
		return nil, err
	}
	a := &Audience{opts: o, factory: factory, ledgers: make(map[string]*ledger), errors: make(map[string]int64)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a, nil
}

// Add lets one more viewer watch. at is a multivariant or a media playlist of the audience's server.
func (a *Audience) Add(at *url.URL) {
	v := &viewer{audience: a, start: at}
	a.work.Go(func() { v.run(a.ctx) })
}

// Playable waits until a stream can be played: until there is a media playlist with a part in it. How long ago that was is
// known to 20 ms.
func (a *Audience) Playable(ctx context.Context, at *url.URL) error {
	v := &viewer{audience: a, start: at}
	for {
		err := v.glance(ctx)
		if err == nil {
			return nil
		}
		timer := time.NewTimer(20 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(fmt.Errorf("%s cannot be played: %w", at.Redacted(), err), ctx.Err())
		}
	}
}

// Begin starts to measure: all counts begin at nothing.
func (a *Audience) Begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range []*atomic.Int64{&a.requests, &a.playlists, &a.parts, &a.bytes, &a.stalls, &a.stood} {
		n.Store(0)
	}
	clear(a.errors)
	for _, l := range a.ledgers {
		l.begin()
	}
}

// Result tells what was measured up to now, delays excepted, which are told at the end by Close.
func (a *Audience) Result() Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := Result{
		Requests: a.requests.Load(), Playlists: a.playlists.Load(), Parts: a.parts.Load(), Bytes: a.bytes.Load(),
		Stalls: a.stalls.Load(), Stalled: time.Duration(a.stood.Load()), Errors: make(map[string]int64, len(a.errors)),
	}
	for what, n := range a.errors {
		r.Errors[what] = n
	}
	return r
}

// Close sends the viewers away and returns what they met with up to now.
func (a *Audience) Close() Result {
	r := a.Result()
	a.cancel()
	a.work.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.ledgers {
		d := l.result()
		r.Delays.Merge(&d)
	}
	return r
}

// ledger returns that of a media playlist.
func (a *Audience) ledger(at *url.URL) *ledger {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.ledgers[at.Path]
	if l == nil {
		l = newLedger(a.sent)
		a.ledgers[at.Path] = l
	}
	return l
}

func (a *Audience) sent(m mark.Mark) time.Time {
	if a.opts.Sent != nil {
		if at, ok := a.opts.Sent(m); ok {
			return at
		}
	}
	return m.Sent
}

func (a *Audience) answered(r *wire.Reply) {
	a.requests.Add(1)
	a.bytes.Add(r.Size)
}

func (a *Audience) stalled(d time.Duration) {
	a.stalls.Add(1)
	a.stood.Add(int64(d))
}

// maxErrors bounds how many kinds of errors are told apart.
const maxErrors = 20

// failed counts an error under a short name: what was asked for, and the status or the reason.
func (a *Audience) failed(err error) {
	what := "other"
	var f *failure
	if errors.As(err, &f) {
		what = f.kind + ": " + f.reason()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.errors[what]; !known && len(a.errors) >= maxErrors {
		what = "other"
	}
	a.errors[what]++
}
