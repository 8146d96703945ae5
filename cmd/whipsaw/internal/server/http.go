package server

import (
	"io"
	"net"
	"net/http"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/admin"
	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/static"
)

// routes is everything that publishers and viewers see, below the prefix.
func (s *instance) routes() http.Handler {
	prefix := s.cfg.PathPrefix
	frame := chi.Chain(roomOnly, trust{proxies: s.cfg.Proxies, closed: s.cfg.Closed()}.client,
		accessLog(s.log), s.insight.Traffic.Count, recovered(s.log), hardened(prefix), bodies)
	r := chi.NewRouter()
	r.NotFound(notFound)
	if prefix == "" {
		s.mount(r)
	} else {
		r.Route(prefix, s.mount)
		r.Group(func(r chi.Router) { // those who watch over the process ask past proxies
			r.Use(patient)
			health(r)
		})
	}
	return frame.Handler(s.media(r))
}

// guards let in whom everybody else is to be kept from, where only this machine is served: clients, and also their pages.
func (s *instance) guards() (client, both chi.Middlewares) {
	if !s.cfg.Closed() {
		return nil, nil
	}
	return chi.Chain(localClient(s.log)), chi.Chain(localClient(s.log), localOnly(s.log, s.origins))
}

// mount puts all routes on r but those of players.
func (s *instance) mount(r chi.Router) {
	client, both := s.guards()
	r.Use(patient)
	r.With(client...).Route("/whip", s.whip.Routes) // has its own, stricter guard, and answers in problem JSON
	local := r.With(both...)
	api.Routes(local, s.api(s.cfg.Closed()), s.log)
	static.RoutesBelow(local, s.cfg.PathPrefix)
	s.gate.Routes(r)
	health(r)
}

// adminRoutes is everything that the operator sees. On loopback only requests for this machine are answered, so that no
// web page can read it by a name of its own.
func (s *instance) adminRoutes(addr net.Addr) http.Handler {
	r := chi.NewRouter()
	r.Use(accessLog(s.log), recovered(s.log), bodies)
	r.NotFound(notFound)
	t, ok := addr.(*net.TCPAddr)
	local := ok && t.IP.IsLoopback()
	if local {
		r.Use(localOnly(s.log, nil))
	}
	health(r)
	r.Group(func(r chi.Router) {
		r.Use(patient)
		api.Routes(r, s.api(local), s.log)
	})
	admin.Routes(r, admin.Sources{
		Registry: s.reg, WHIP: s.whip, Version: s.opts.Version,
		Players: s.insight.Audience.Viewers, Findings: s.insight.Doctor.Findings, Playback: s.insight.Playback.Stats, More: s.collectors(),
	})
	return r
}

// health mounts GET and HEAD /healthz, for those who ask whether the process answers.
func health(r chi.Router) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		// The client left: there is nobody to tell.
		_, _ = io.WriteString(w, "ok\n")
	}
	r.Get("/healthz", h)
	r.Head("/healthz", h)
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "there is nothing here", http.StatusNotFound)
}
