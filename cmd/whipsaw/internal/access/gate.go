// Package access decides who may publish and who may watch.
package access

import (
	"net/http"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

// Config is what a Gate goes by. The zero value lets everybody watch.
type Config struct {
	WatchKeys WatchKeys
}

// Gate applies a Config, which can be replaced while requests are answered.
type Gate struct {
	rules atomic.Pointer[Config]
}

// New returns a gate that goes by cfg.
func New(cfg Config) *Gate {
	g := &Gate{}
	g.rules.Store(&cfg)
	return g
}

func (g *Gate) watchKeys() WatchKeys { return g.rules.Load().WatchKeys }

// Routes mounts GET and HEAD /auth/watch on r, for proxies.
func (g *Gate) Routes(r chi.Router) {
	r.Get("/auth/watch", http.HandlerFunc(g.verdict))
	r.Head("/auth/watch", http.HandlerFunc(g.verdict))
}
