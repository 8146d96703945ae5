package signaling

import (
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"whipsaw/segmenter"
)

// Media types of bodies.
const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// Methods of the two kinds of URL, as Allow tells them.
const (
	endpointMethods = "POST, GET, HEAD, OPTIONS"
	sessionMethods  = "PATCH, DELETE, GET, HEAD, OPTIONS"
)

// Routes registers the WHIP endpoint {stream} and its sessions {stream}/{session} on a router that is mounted where the
// endpoints shall be, "/whip" say: Location is made of the path that a POST came to. A trailing slash makes no
// difference; nothing is ever redirected (RFC 9725 4.5). Whatever else lies under the mount is answered with 404.
func (s *Server) Routes(r chi.Router) {
	for _, slash := range []string{"", "/"} {
		r.HandleFunc("/{stream}"+slash, s.endpoint)
		r.HandleFunc("/{stream}/{session}"+slash, s.session)
	}
	r.HandleFunc("/*", func(w http.ResponseWriter, r *http.Request) {
		allowOrigins(w.Header())
		writeProblem(w, r, probPath.with("publish to /{stream}"))
	})
}

// endpoint answers at the URL that publishers are given.
func (s *Server) endpoint(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	stream := chi.URLParam(r, "stream")
	if !segmenter.ValidName(stream) {
		writeProblem(w, r, probStream.with(streamNameSentence))
		return
	}
	switch r.Method {
	case http.MethodPost:
		if p := s.post(w, r, stream); p != nil {
			s.refused(r, stream, p)
			writeProblem(w, r, p)
		}
	case http.MethodGet, http.MethodHead:
		noContent(w) // RFC 9725 4.1
	case http.MethodOptions:
		options(w, endpointMethods)
		w.Header().Set("Accept-Post", typeSDP) // RFC 9725 4.2
		s.tellICEServers(w, r, stream)
		w.WriteHeader(http.StatusOK)
	default:
		writeProblem(w, r, notAllowed(endpointMethods))
	}
}

// post lets a publisher in (RFC 9725 4.2): cheap checks first, nothing is allocated before the offer has passed.
func (s *Server) post(w http.ResponseWriter, r *http.Request, stream string) *problem {
	if retry, ok := s.limiter.allow(clientAddress(r)); !ok {
		return tooMany("POSTs from this address", retry)
	}
	if p := s.permit(r, stream); p != nil {
		return p
	}
	from := clientAddress(r)
	if p := s.reserve(from); p != nil {
		return p
	}
	n, answer, p := s.accept(w, r, stream)
	if p != nil {
		s.release(from)
		return p
	}
	n.token, n.from = shownToken(r), from
	s.start(n)
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Content-Length", strconv.Itoa(len(answer)))
	h.Set("Location", strings.TrimRight(r.URL.EscapedPath(), "/")+"/"+n.id)
	h.Set("ETag", n.etag)
	h.Set("Accept-Patch", typeFragment)
	s.addICEServers(w, stream)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	if _, err := io.WriteString(w, answer); err != nil {
		n.log.Debug("answer not delivered", "err", err) // it will not connect, and be ended for that
	}
	return nil
}

// tellICEServers answers an OPTIONS request of a publisher that needs the ICE servers before it can make its offer
// (RFC 9725 4.6). Who may not publish is told nothing, and a preflight is nobody's: it never carries a token.
func (s *Server) tellICEServers(w http.ResponseWriter, r *http.Request, stream string) {
	if len(s.cfg.ICEServers.URLs) == 0 || r.Header.Get("Access-Control-Request-Method") != "" {
		return
	}
	// Counted like a POST: tokens could be tried out here as well as there.
	if _, ok := s.limiter.allow(clientAddress(r)); ok && s.permit(r, stream) == nil {
		s.addICEServers(w, stream)
	}
}

func (s *Server) addICEServers(w http.ResponseWriter, stream string) {
	for _, link := range s.cfg.ICEServers.links(stream, s.now()) {
		w.Header().Add("Link", link)
	}
}

// permit decides whether a request may publish.
func (s *Server) permit(r *http.Request, stream string) *problem {
	if s.cfg.Authorize == nil && !s.cfg.OpenPublish {
		if p := guard(r); p != nil {
			return p
		}
	}
	return s.auth.publish(r, stream)
}

// accept reads and checks the offer and makes its session.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, stream string) (*session, string, *problem) {
	if !isType(r, typeSDP) {
		return nil, "", probType.with("send the offer as Content-Type: " + typeSDP)
	}
	body, p := s.body(w, r)
	if p != nil {
		return nil, "", p
	}
	o, p := parseOffer(body)
	if p != nil {
		return nil, "", p
	}
	if o.lite && s.cfg.Lite { // RFC 9725 4.4.5: a publisher is a full agent; nobody would check that the path is wanted
		return nil, "", probTransport.with("both this server and the publisher are ICE-lite; start the server without --ice-lite")
	}
	rules := s.rules(stream)
	if p := rules.refuse(o); p != nil {
		return nil, "", p
	}
	o.most = rules.MaxBitrate
	n, answer, p := s.create(stream, clipTo(r.UserAgent(), 200), o)
	if p == nil && rules.EndExcess {
		n.excess.most = rules.MaxBitrate
	}
	return n, answer, p
}

// session answers at the URL of one session.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	if r.Method == http.MethodOptions { // RFC 9725 4.1: also for what is not there, a preflight tells nothing
		options(w, sessionMethods)
		w.Header().Set("Accept-Patch", typeFragment)
		w.WriteHeader(http.StatusOK)
		return
	}
	n, gone := s.find(chi.URLParam(r, "stream"), chi.URLParam(r, "session"))
	if n == nil && !(gone != nil && r.Method == http.MethodDelete) {
		writeProblem(w, r, s.missed(r))
		return
	}
	var p *problem
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		noContent(w)
	case http.MethodDelete:
		p = s.delete(w, r, n, gone)
	case http.MethodPatch:
		p = s.patch(w, r, n)
	default:
		p = notAllowed(sessionMethods)
	}
	if p != nil {
		writeProblem(w, r, p)
	}
}

// missed is the answer to a request for a session that is not there.
func (s *Server) missed(r *http.Request) *problem {
	if retry, ok := s.misses.allow(clientAddress(r)); !ok {
		return tooMany("requests for unknown sessions from this address", retry)
	}
	return probSession.with("no session has this URL; it may have ended")
}

// delete ends a session (RFC 9725 4.2). The status is 200 and nothing else: OBS takes 204 for a failure. If-Match has no
// meaning here. n is nil for a session that has ended by itself or by DTLS; its publisher's viewers then learn that it
// will not return.
func (s *Server) delete(w http.ResponseWriter, r *http.Request, n *session, gone *segmenter.Publisher) *problem {
	if n != nil {
		if p := s.auth.session(r, n); p != nil {
			return p
		}
		if err := n.end(r.Context(), segmenter.ReasonDeleted); err != nil {
			return probInternal.with("the session did not end in time")
		}
	} else {
		gone.Close(segmenter.ReasonDeleted)
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

// patch takes candidates or restarts ICE (RFC 9725 4.3).
func (s *Server) patch(w http.ResponseWriter, r *http.Request, n *session) *problem {
	if p := s.auth.session(r, n); p != nil {
		return p
	}
	if !n.patches.Allow() {
		return tooMany("PATCHes of this session", 1)
	}
	if !isType(r, typeFragment) {
		return probType.with("send candidates as Content-Type: " + typeFragment)
	}
	match := ifMatch(r)
	if match == "" {
		return probIfMatch.with("send If-Match with the ETag of the session, or * for an ICE restart")
	}
	body, p := s.body(w, r)
	if p != nil {
		return p
	}
	f, err := parseFragment(body)
	if err != nil {
		return probSyntax.with(err.Error())
	}
	restart, etag, p := n.patch(match, f)
	if p != nil {
		return p
	}
	if restart == nil {
		w.WriteHeader(http.StatusNoContent) // RFC 9725 4.3.2: and no ETag, the generation is the same
		return nil
	}
	out := restart.String()
	h := w.Header()
	h.Set("Content-Type", typeFragment)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if _, err := io.WriteString(w, out); err != nil {
		n.log.Debug("restart not delivered", "err", err)
	}
	return nil
}

func tooMany(what string, retryAfter int) *problem {
	p := probRate.with("too many " + what + "; wait before the next")
	p.retryAfter = retryAfter
	return p
}

func notAllowed(methods string) *problem {
	p := probMethod.with("only " + methods + " are answered here")
	p.allow = methods
	return p
}

func noContent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// refused writes the log line of a POST that made no session. Refusals that anybody can cause in any number stay out of
// the ordinary log.
func (s *Server) refused(r *http.Request, stream string, p *problem) {
	s.counters.refused(p)
	level := slog.LevelInfo
	switch p.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusUnauthorized, http.StatusForbidden:
		level = slog.LevelDebug
	}
	s.log.Log(r.Context(), level, "publish refused", "stream", stream, "status", p.status, "problem", p.kind,
		"detail", p.detail, "user_agent", clipTo(r.UserAgent(), 200))
}
