package signaling

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
)

// Attempt is what a publisher shows when it asks for a stream.
type Attempt struct {
	Stream    string
	Token     string     // its Bearer token, never empty; not for any log
	Address   netip.Addr // of the client, as far as it can be told; may be invalid
	UserAgent string     // at most 200 bytes
}

// Refusal is why an Attempt is not let in. Detail is a sentence that the publisher is told.
type Refusal struct {
	Status int // 401: no token that is known; 403: no right to this stream; others: cannot be decided now (503)
	Detail string
}

// maxToken bounds a token in bytes; a JWT with many claims has a few thousand.
const maxToken = 8 << 10

// digest stands for a token where it is kept or compared, in the same time for tokens of every length.
type digest [sha256.Size]byte

// auth decides who may publish. The zero value lets everybody.
type auth struct {
	authorize func(context.Context, Attempt) *Refusal
}

// publish checks a request that takes a stream. Where no token is asked for any Authorization is let in: there are
// clients that send "Bearer undefined" when they were given none.
func (a auth) publish(r *http.Request, stream string) *problem {
	if a.authorize == nil {
		return nil
	}
	token, ok := Bearer(r)
	if !ok {
		// RFC 9725 4.7: Bearer must be supported, RFC 6750 3.1: 401 without credentials
		return probUnauthorized.with("send the publish token as \"Authorization: Bearer ...\"")
	}
	no := a.authorize(r.Context(), Attempt{Stream: stream, Token: token, Address: Address(r.RemoteAddr), UserAgent: clipTo(r.UserAgent(), 200)})
	switch {
	case no == nil:
		return nil
	case no.Status == http.StatusUnauthorized:
		return probUnauthorized.with(no.Detail)
	case no.Status == http.StatusForbidden:
		return probForbidden.with(no.Detail)
	}
	return probUndecided.with(no.Detail)
}

// session checks a request to the URL of a running session. The URL itself is the permission, so that a client may leave
// the token out; a wrong one is refused. The token that the session was made with stays good for it: a JWT may expire in
// the meantime, and who has to be asked about it may be out of reach.
func (a auth) session(r *http.Request, n *session) *problem {
	if a.authorize == nil || r.Header.Get("Authorization") == "" {
		return nil
	}
	shown := shownToken(r)
	if subtle.ConstantTimeCompare(shown[:], n.token[:]) == 1 {
		return nil
	}
	return a.publish(r, n.stream)
}

// shownToken is the digest of a request's Bearer token, or of nothing.
func shownToken(r *http.Request) digest {
	token, _ := Bearer(r)
	return sha256.Sum256([]byte(token))
}

// Bearer returns the token of an Authorization header (RFC 6750 2.1), which is not empty. The scheme's letter case is
// free (RFC 9110 11.1). Of two such headers neither counts: somebody on the way may have read the other one.
func Bearer(r *http.Request) (string, bool) {
	all := r.Header.Values("Authorization")
	if len(all) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(all[0], " ")
	token = strings.Trim(token, " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && len(token) <= maxToken
}
