// Package insight is all by which an operator sees what happens inside: events, findings, viewers, traffic, and the last
// lines of the log. The server makes one and mounts it; tests make one without a server.
package insight

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/logbook"
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/cmd/whipsaw/internal/traffic"
	"whipsaw/cmd/whipsaw/internal/webhook"
	"whipsaw/segmenter"
)

// Config is what an Insight goes by.
type Config struct {
	Limits     func(stream string) doctor.Limits // nil: none
	Webhook    webhook.Config                    // without a URL: none
	PathPrefix string                            // of what traffic counts
}

// Insight is the whole of it. Its fields are made by New and Attach, and not changed afterwards.
type Insight struct {
	Log      *slog.Logger // writes to Book, and so to where the log goes
	Book     *logbook.Book
	Hub      *events.Hub
	Traffic  *traffic.Meter
	Audience *audience.Audience
	Playback *cmcd.Meter
	Doctor   *doctor.Watch

	cfg  Config
	hook *webhook.Sender // nil: none
}

// New returns an Insight whose Observe and Log are for the registry that is to be made.
func New(cfg Config, log *slog.Logger) *Insight {
	book := logbook.New(log.Handler())
	in := &Insight{Log: slog.New(book), Book: book, Hub: &events.Hub{}, Traffic: traffic.New(cfg.PathPrefix), cfg: cfg}
	if cfg.Webhook.URL != "" {
		in.hook = webhook.New(cfg.Webhook, in.Log)
	}
	return in
}

// Attach looks at the streams of a registry from now on; it is called once, before Run.
func (in *Insight) Attach(reg *segmenter.Registry) {
	exists := func(name string) bool { return reg.Lookup(name) != nil }
	in.Audience, in.Playback = audience.New(exists), cmcd.New(exists)
	limits := in.cfg.Limits
	if limits == nil {
		limits = func(string) doctor.Limits { return doctor.Limits{} }
	}
	in.Doctor = doctor.NewWatch(reg, limits, in.Log, in.found)
}

// Observe takes an event of a stream (segmenter.Config.Observe). It does not wait.
func (in *Insight) Observe(e segmenter.Event) { in.publish(events.FromStream(e)) }

func (in *Insight) found(stream, session string, f doctor.Finding) {
	in.publish(events.Event{Type: events.Finding, At: f.Since.UTC(), Stream: stream, Session: session, Finding: &f})
}

func (in *Insight) publish(e events.Event) {
	e = in.Hub.Publish(e)
	if in.hook != nil {
		in.hook.Send(e)
	}
}

// Run looks after streams and tells the webhook, until ctx ends; it returns when all of that has ended.
func (in *Insight) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { in.Doctor.Run(ctx) })
	if in.hook != nil {
		all.Go(func() { in.hook.Run(ctx) })
	}
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			in.Audience.Forget()
			in.Playback.Forget()
		case <-ctx.Done():
			all.Wait()
			return
		}
	}
}

// Drain tells the webhook what is left, until ctx ends. Run has ended before.
func (in *Insight) Drain(ctx context.Context) {
	if in.hook != nil {
		in.hook.Drain(ctx)
	}
}

// Collectors are the metrics that are no stream's.
func (in *Insight) Collectors() []metrics.Collector {
	list := []metrics.Collector{in.Traffic}
	if in.hook != nil {
		list = append(list, in.hook)
	}
	return list
}
