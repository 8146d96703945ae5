package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/admin"
	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/segmenter/hls"
	"whipsaw/static"
)

// newHTTPServer bounds what a connection may cost. There is no WriteTimeout: it would cut requests that wait for a part;
// the rooms set a deadline for each write.
func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// routes is everything that publishers and viewers see.
func (s *instance) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(accessLog(s.log), recovered(s.log))
	r.NotFound(notFound)
	r.Route("/whip", s.whip.Routes) // has its own, stricter guard, and answers in problem JSON
	r.Group(func(r chi.Router) {
		if s.cfg.Closed() {
			r.Use(localOnly(s.log, s.cfg.Origins...))
		}
		r.Route("/hls", func(r chi.Router) {
			r.Use(s.note, s.gate.Watch)
			hls.Routes(r, s.reg, hls.Options{Origins: s.cfg.Origins})
		})
		api.Routes(r, s.reg, s.log)
		static.Routes(r)
	})
	s.gate.Routes(r)
	health(r)
	return r
}

// adminRoutes is everything that the operator sees. On loopback only requests for this machine are answered, so that no
// web page can read it by a name of its own.
func (s *instance) adminRoutes(addr net.Addr) http.Handler {
	r := chi.NewRouter()
	r.Use(accessLog(s.log), recovered(s.log))
	r.NotFound(notFound)
	if t, ok := addr.(*net.TCPAddr); ok && t.IP.IsLoopback() {
		r.Use(localOnly(s.log))
	}
	health(r)
	admin.Routes(r, s.reg, s.opts.Version, s.log)
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
