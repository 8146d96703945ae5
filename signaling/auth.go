package signaling

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// auth decides who may publish. The zero value lets everybody.
type auth struct {
	needed bool
	token  [sha256.Size]byte // a digest, so that comparing takes the same time for tokens of every length
}

func newAuth(token string) auth {
	if token == "" {
		return auth{}
	}
	return auth{needed: true, token: sha256.Sum256([]byte(token))}
}

// publish checks a request that takes a stream. Without a token of ours any Authorization is let in: there are clients
// that send "Bearer undefined" when they were given none.
func (a auth) publish(r *http.Request) *problem {
	if !a.needed {
		return nil
	}
	token, ok := bearer(r)
	switch {
	case !ok:
		// RFC 9725 4.7: Bearer must be supported, RFC 6750 3.1: 401 without credentials
		return probUnauthorized.with("send the publish token as \"Authorization: Bearer ...\"")
	case !a.matches(token):
		return probUnauthorized.with("this is not the publish token of this server")
	}
	return nil
}

// session checks a request to a session's URL. The URL itself is the permission, so that a client may leave the token
// out; but a wrong one is refused.
func (a auth) session(r *http.Request) *problem {
	if r.Header.Get("Authorization") == "" {
		return nil
	}
	return a.publish(r)
}

func (a auth) matches(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
}

// bearer returns the token of an Authorization header (RFC 6750 2.1). The scheme's letter case is free (RFC 9110 11.1).
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}
