// Package access decides who may publish and who may watch: by tokens, by JSON Web Tokens, by asking a URL, and for
// players by signed links.
package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Right is what somebody wants to do with a stream. Who may publish one may watch it too.
type Right string

// The rights there are.
const (
	Publish Right = "publish"
	Watch   Right = "watch"
)

// Request is one question to a Gate.
type Request struct {
	Right     Right
	Stream    string // a valid name
	Token     string // not for any log
	Address   netip.Addr
	UserAgent string
}

// Why somebody is not let in. The text of every error of Authorize can be told to whoever asked.
var (
	ErrToken       = errors.New("this is not a token that this server knows")
	ErrExpired     = fmt.Errorf("%w any more: it has expired", ErrToken)
	ErrRight       = errors.New("this token does not give the right to this stream")
	ErrUnavailable = errors.New("whether this token is good cannot be told at the moment")
)

// Status is the HTTP status for an error of Authorize (RFC 6750 3.1).
func Status(err error) int {
	switch {
	case errors.Is(err, ErrRight):
		return http.StatusForbidden
	case errors.Is(err, ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

// Config is what a Gate goes by. The zero value knows no token, and lets everybody watch.
type Config struct {
	Tokens    []Token
	JWT       JWT
	URL       string // asked about tokens that are not known here; empty: nobody is
	WatchKeys WatchKeys
	WatchFor  time.Duration // how long the links are good that Link makes
}

// Gate applies a Config, which can be replaced while requests are answered.
type Gate struct {
	log    *slog.Logger
	client *http.Client
	ctx    context.Context // of what it asks others
	cancel context.CancelFunc
	asking sync.WaitGroup

	replacing sync.Mutex
	rules     atomic.Pointer[rules]
}

// rules is a Config made ready. It never changes.
type rules struct {
	Config
	jwt      *verifier // nil: none
	callback *callback // nil: none
}

// New returns a gate that goes by cfg; log may not be nil. Close ends it. Errors are about settings: a URL that does not
// answer is none.
func New(cfg Config, log *slog.Logger) (*Gate, error) {
	g := &Gate{log: log, client: newClient()}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if err := g.Replace(cfg); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Replace goes by cfg from now on. Keys that were fetched are kept where their address stays. With an error everything
// stays as it was.
func (g *Gate) Replace(cfg Config) error {
	g.replacing.Lock()
	defer g.replacing.Unlock()
	next, before := &rules{Config: cfg}, g.rules.Load()
	if cfg.JWT.enabled() {
		var known *keySet
		if before != nil && before.jwt != nil && before.JWT.Keys == cfg.JWT.Keys {
			known = before.jwt.keys
		}
		var err error
		if next.jwt, err = newVerifier(g, cfg.JWT, known); err != nil {
			return err
		}
	}
	if cfg.URL != "" {
		next.callback = newCallback(g, cfg.URL)
	}
	g.rules.Store(next)
	return nil
}

// Close ends what is being asked of others, and waits for it.
func (g *Gate) Close() {
	g.cancel()
	g.asking.Wait()
	g.client.CloseIdleConnections()
}

// background runs f, which has to heed its context, beside whoever asked for it, until the Gate closes.
func (g *Gate) background(limit time.Duration, f func(context.Context)) {
	g.asking.Go(func() {
		ctx, cancel := context.WithTimeout(g.ctx, limit)
		defer cancel()
		f(ctx)
	})
}

// Authorize returns nil if the bearer of a token has a right. It may ask others, for some seconds at most.
func (g *Gate) Authorize(ctx context.Context, r Request) error {
	rules := g.rules.Load()
	who, err := rules.identify(ctx, r.Token)
	switch {
	case err == nil && who.may(r.Right, r.Stream):
		return nil
	case err == nil:
		return ErrRight
	case !rules.asks(err):
		return err
	}
	return rules.callback.ask(ctx, r)
}

// asks reports whether the callback decides where identify failed. A token that was good once is known, and no longer good.
func (r *rules) asks(err error) bool { return r.callback != nil && !errors.Is(err, ErrExpired) }

// everyStream is what the callback is asked for in place of a stream when somebody wants to see the list of all.
const everyStream = "*"

// Watchable returns which streams the bearer of a token may watch. Errors are those of Authorize.
func (g *Gate) Watchable(ctx context.Context, r Request) (func(stream string) bool, error) {
	rules := g.rules.Load()
	who, err := rules.identify(ctx, r.Token)
	switch {
	case err == nil:
		return func(stream string) bool { return who.may(Watch, stream) }, nil
	case !rules.asks(err):
		return nil, err
	}
	r.Right, r.Stream = Watch, everyStream
	if err := rules.callback.ask(ctx, r); err != nil {
		return nil, err
	}
	return func(string) bool { return true }, nil
}

// Guarded reports whether only signed links may watch.
func (g *Gate) Guarded() bool { return len(g.rules.Load().WatchKeys) > 0 }

// Link returns the signed path segment by which a stream can be watched from now on, and until when. It changes once a
// minute, so that those who ask at about the same time share one. Without a watch key it is empty.
func (g *Gate) Link(stream string) (segment string, expires time.Time) {
	rules := g.rules.Load()
	if len(rules.WatchKeys) == 0 {
		return "", time.Time{}
	}
	expires = time.Now().Add(rules.WatchFor + time.Minute - 1).Truncate(time.Minute)
	return rules.WatchKeys.Sign(stream, expires), expires
}

// identify returns what the bearer of a token may do, as far as that is known here. Errors wrap ErrToken or
// ErrUnavailable.
func (r *rules) identify(ctx context.Context, token string) (grant, error) {
	if token == "" {
		return grant{}, ErrToken
	}
	if who, ok := lookup(r.Tokens, token); ok {
		return who, nil
	}
	if r.jwt != nil {
		return r.jwt.verify(ctx, token)
	}
	return grant{}, ErrToken
}
