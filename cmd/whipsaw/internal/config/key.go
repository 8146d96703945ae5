package config

import (
	"fmt"
	"strings"
)

// minKey is how many characters a key has at least that signs or verifies: whoever sees one signature can try keys for as
// long as they like (RFC 7518 3.2 asks for 256 bits, RFC 2104 3 for as much as the hash has).
const minKey = 32

// keys takes keys for HMAC. They have no comma, which separates them.
func keys(to *[]Secret) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			if len(s) < minKey || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return fmt.Errorf("a key has at least %d characters, all of them printable ASCII without spaces and commas: openssl rand -hex 32 makes one", minKey)
			}
			*to = append(*to, Secret(s))
		}
		return nil
	}
}

// Reveal returns the secrets themselves.
func Reveal(secrets []Secret) []string {
	var out []string
	for _, s := range secrets {
		out = append(out, s.Reveal())
	}
	return out
}
