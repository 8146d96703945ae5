package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions here make set functions: each writes one kind of value to where it belongs, or says what is allowed.

func secret(to *Secret) func([]string) error {
	return func(v []string) error {
		// RFC 6750 2.1: b64token; anything else could not stand in an Authorization header
		if v[0] == "" || strings.ContainsFunc(v[0], func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("a token has at least one character, all of them printable ASCII without spaces")
		}
		*to = Secret(v[0])
		return nil
	}
}

func text(to *string) func([]string) error {
	return func(v []string) error {
		*to = v[0]
		return nil
	}
}

func duration(to *time.Duration) func([]string) error {
	return func(v []string) error {
		d, err := time.ParseDuration(v[0])
		if err != nil || d < 0 {
			return fmt.Errorf("%q is no duration like 500ms, 2s or 1m30s", v[0])
		}
		*to = d
		return nil
	}
}

func toggle(to *bool) func([]string) error {
	return func(v []string) error {
		b, err := strconv.ParseBool(v[0])
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", v[0])
		}
		*to = b
		return nil
	}
}

func choice(to *string, allowed ...string) func([]string) error {
	return func(v []string) error {
		if !slices.Contains(allowed, v[0]) {
			return fmt.Errorf("%q is none of %s", v[0], strings.Join(allowed, ", "))
		}
		*to = v[0]
		return nil
	}
}

// address takes host:port; an empty value only where empty says so.
func address(to *string, empty bool) func([]string) error {
	return func(v []string) error {
		if v[0] == "" && empty {
			*to = ""
			return nil
		}
		host, port, err := net.SplitHostPort(v[0])
		if err != nil {
			return fmt.Errorf("%q is no address like 127.0.0.1:8080, [::1]:8080 or :8080", v[0])
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
			return fmt.Errorf("%q has no port from 0 to 65535", v[0])
		}
		if strings.ContainsAny(host, "/ @") {
			return fmt.Errorf("%q has no host name or IP address before the port", v[0])
		}
		*to = v[0]
		return nil
	}
}

func addrs(to *[]netip.Addr) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			ip, err := netip.ParseAddr(s)
			if err != nil || ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() {
				return fmt.Errorf("%q is no IP address that others could reach", s)
			}
			*to = append(*to, ip)
		}
		return nil
	}
}

// loopback reports whether an address host:port can be reached from this machine only.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
