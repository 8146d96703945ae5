package api

import (
	"net/http"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/signaling"
)

// right is what the bearer of a token of the API may do.
type right int

const (
	nothing right = iota
	reading
	changing
)

// bearer tells the right of a request's token, by comparisons that take the same time for every token.
func (s *server) bearer(r *http.Request) right {
	token, shown := signaling.Bearer(r)
	switch {
	case !shown, !s.guesses.left(signaling.Address(r.RemoteAddr)): // who guesses too much is not even told that a guess was right
		return nothing
	case access.Fits(token, s.tokens().Change):
		return changing
	case access.Fits(token, s.tokens().Read):
		return reading
	}
	return nothing
}

// tokens are those that hold now.
func (s *server) tokens() Tokens {
	if s.Tokens == nil {
		return Tokens{}
	}
	return s.Tokens()
}

// reading lets a request read of the streams that it may see. Others are answered.
func (s *server) reading(w http.ResponseWriter, r *http.Request, tell func(may func(stream string) bool)) {
	all := func(string) bool { return true }
	now := s.tokens()
	switch {
	case s.bearer(r) >= reading, s.Trusted && now == (Tokens{}), now.Read == "" && !s.Gate.Guarded():
		tell(all)
	case s.Gate.Guarded():
		s.ask(w, r, func(who access.Request) error {
			may, err := s.Gate.Watchable(r.Context(), who)
			if err == nil {
				tell(may)
			}
			return err
		})
	default:
		s.refuseToken(w, r, "send the read token or the token of the API as \"Authorization: Bearer ...\"")
	}
}

// own reports whether a request comes from who may publish a stream: it sees what is wrong with it even where reading takes
// another token.
func (s *server) own(r *http.Request, stream string) bool {
	if s.tokens().Read == "" || s.Gate.Guarded() || s.bearer(r) >= reading { // reading decides
		return false
	}
	from := signaling.Address(r.RemoteAddr)
	token, shown := signaling.Bearer(r)
	if !shown || !s.guesses.left(from) {
		return false
	}
	return s.Gate.Authorize(r.Context(), access.Request{Right: access.Publish, Stream: stream, Token: token, Address: from, UserAgent: clip(r.UserAgent())}) == nil
}

// operating reports whether a request may see what only operators should, or change things. It answers those that may not.
func (s *server) operating(w http.ResponseWriter, r *http.Request, want right) bool {
	have, now := s.bearer(r), s.tokens()
	switch {
	case have >= want:
		return true
	case have == reading:
		s.refuse(w, http.StatusForbidden, "this token gives the right to read only")
	case s.Trusted && now.Change == "" && (want == changing || now.Read == ""):
		// Only this machine asks; but a web page that its browser shows is somebody else.
		if s.foreign.Check(r) == nil {
			return true
		}
		s.refuse(w, http.StatusForbidden, "web pages of other origins may not do this")
	case now.Change == "":
		s.refuse(w, http.StatusForbidden, "this server has no --api-token, so this is answered only on the loopback address of --admin")
	default:
		s.refuseToken(w, r, "send the token of the API as \"Authorization: Bearer ...\"")
	}
	return false
}

// refuseToken answers a request without a right token, and counts wrong ones: nobody finds one by trying.
func (s *server) refuseToken(w http.ResponseWriter, r *http.Request, detail string) {
	from := signaling.Address(r.RemoteAddr)
	if !s.guesses.left(from) {
		w.Header().Set("Retry-After", "1")
		s.refuse(w, http.StatusTooManyRequests, "too many wrong tokens from this address; wait before the next")
		return
	}
	if _, shown := signaling.Bearer(r); shown {
		s.guesses.wrong(from)
	}
	s.refuse(w, http.StatusUnauthorized, detail)
}
