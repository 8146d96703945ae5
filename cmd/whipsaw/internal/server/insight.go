package server

import (
	"cmp"
	"context"
	"time"

	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/cmd/whipsaw/internal/metrics"
	"whipsaw/cmd/whipsaw/internal/webhook"
)

// insightConfig is what the settings say of what an operator sees.
func (s *instance) insightConfig() insight.Config {
	return insight.Config{
		Limits:     s.limits,
		Webhook:    webhook.Config{URL: s.cfg.Webhook.Reveal(), Secret: s.cfg.WebhookSecret.Reveal()},
		PathPrefix: s.cfg.PathPrefix,
	}
}

// limits are what a stream is judged by at the moment.
func (s *instance) limits(stream string) doctor.Limits {
	now := s.present.Load()
	own := now.Stream(stream)
	return doctor.Limits{
		Segment: max(own.Segment, own.MaxSegment), Part: own.Part, MaxBitrate: int64(now.WarnBitrate) * 1000,
		Cap: own.Rules.MaxBitrate, CapEnds: own.Rules.EndExcess,
	}
}

// collectors are all metrics but those of streams and sessions.
func (s *instance) collectors() []metrics.Collector {
	return append(s.insight.Collectors(), s.connections.collectors()...)
}

// api is what the API goes by, where only this machine asks or others too.
func (s *instance) api(trusted bool) api.Config {
	return api.Config{
		Registry: s.reg, Gate: s.gate, Insight: s.insight, Base: cmp.Or(s.cfg.Base(), s.cfg.PathPrefix),
		Version: s.opts.Version, Settings: reported{s},
		Tokens: s.apiTokens, Trusted: trusted,
	}
}

// apiTokens are those that hold now.
func (s *instance) apiTokens() api.Tokens {
	now := s.present.Load()
	return api.Tokens{Change: now.APIToken.Reveal(), Read: now.APIReadToken.Reveal()}
}

// watching runs in until stop is called; done is closed when it has ended. It outlives what it watches.
func watching(in *insight.Insight) (done <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in.Run(ctx)
	}()
	return ended, cancel
}

// drainHook bounds what the last events may cost.
const drainHook = 2 * time.Second

// stopWatching ends insight once there is nothing more to see: those who listen are let go, and the webhook hears the rest.
func (s *instance) stopWatching(ctx context.Context) {
	s.insight.Hub.Close()
	s.blind()
	<-s.watching
	ctx, cancel := context.WithTimeout(ctx, drainHook)
	defer cancel()
	s.insight.Drain(ctx)
}
