package config

import (
	"fmt"
	"net/url"
	"strings"
)

// origins takes web origins as browsers write them into Origin headers (RFC 6454 6.2), where they are compared letter
// by letter, or * for all.
func origins(to *[]string) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			if s != "*" && !isOrigin(s) {
				return fmt.Errorf("%q is no origin like https://example.com or http://localhost:3000, nor *", s)
			}
			*to = append(*to, s)
		}
		return nil
	}
}

// isOrigin reports whether a browser could send s: scheme, host in small letters, and a port unless it is the usual one.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || s != u.Scheme+"://"+u.Host || s != strings.ToLower(s) || strings.HasSuffix(s, ":") {
		return false
	}
	return u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && u.Port() != "80"
}
