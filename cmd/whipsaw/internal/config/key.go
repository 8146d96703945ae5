package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"whipsaw/cmd/whipsaw/internal/access"
)

// minKey is how many characters a key has at least that signs or verifies: whoever sees one signature can try keys for as
// long as they like (RFC 7518 3.2 asks for 256 bits, RFC 2104 3 for as much as the hash has).
const minKey = 32

var errKey = fmt.Errorf("a key has at least %d characters, all of them printable ASCII without spaces and commas: openssl rand -hex 32 makes one", minKey)

// keys takes keys for HMAC. They have no comma, which separates them.
func keys(to *[]Secret) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			if len(s) < minKey || !printable(s) {
				return errKey
			}
			*to = append(*to, Secret(s))
		}
		return nil
	}
}

// jwtSecret takes one key for HMAC.
func jwtSecret(to *Secret) func([]string) error {
	return func(v []string) error {
		if len(v[0]) < minKey || !printable(v[0]) {
			return errKey
		}
		*to = Secret(v[0])
		return nil
	}
}

// hashable takes a token, in clear or hashed.
func hashable(to *Secret) func([]string) error {
	take := secret(to)
	return func(v []string) error {
		if _, err := access.NewToken(access.Publish, "*", v[0]); err != nil {
			return err
		}
		return take(v)
	}
}

// tokens takes PATTERN=TOKEN. No pattern has an equals sign, so that the first one ends it, and the token may have more.
func tokens(to *[]access.Token, right access.Right) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			pattern, shown, ok := strings.Cut(s, "=")
			if !ok || shown == "" || !printable(shown) {
				return errors.New("a token for some streams is given as PATTERN=TOKEN, like studio-*=TOKEN; the token is printable ASCII without spaces and commas")
			}
			t, err := access.NewToken(right, pattern, shown)
			if err != nil {
				return err
			}
			*to = append(*to, t)
		}
		return nil
	}
}

// printable reports whether all of s is ASCII that can be seen.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// authURL takes a URL that may hold a password, and therefore stands in no error.
func authURL(to *Secret) func([]string) error {
	return func(v []string) error {
		u, err := url.Parse(v[0])
		if err != nil || !web(u) {
			return errors.New("this is no URL like https://example.com/whipsaw")
		}
		*to = Secret(v[0])
		return nil
	}
}

// jwks takes a URL or the name of a file.
func jwks(to *string) func([]string) error {
	return func(v []string) error {
		if strings.Contains(v[0], "://") {
			u, err := url.Parse(v[0])
			if err != nil || !web(u) || u.User != nil {
				return errors.New("this is neither a file nor a URL like https://example.com/.well-known/jwks.json; public keys need no password")
			}
		}
		*to = v[0]
		return nil
	}
}

func web(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Fragment == ""
}
