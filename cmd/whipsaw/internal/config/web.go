package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// number takes a whole number that is not negative.
func number(to *int) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseUint(v[0], 10, 31)
		if err != nil {
			return fmt.Errorf("%q is no whole number from 0 on", v[0])
		}
		*to = int(n)
		return nil
	}
}

// prefixes takes networks; an address alone is a network of one.
func prefixes(to *[]netip.Prefix) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			p, err := netip.ParsePrefix(s)
			if ip, alone := netip.ParseAddr(s); alone == nil && ip.Zone() == "" {
				p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
			}
			if err != nil || p.Addr().Is4In6() {
				return fmt.Errorf("%q is no network like 10.0.0.0/8 or 2001:db8::/32, nor an IP address", s)
			}
			*to = append(*to, p.Masked())
		}
		return nil
	}
}

// webURL takes an http or https URL of host and path, and drops the slash at its end. What may hold a password is not
// repeated in an error, which goes to logs.
func webURL(to *string) func([]string) error {
	return func(v []string) error {
		if strings.ContainsAny(v[0], "@?#") {
			return errors.New("a URL like https://live.example.com is wanted here, without user, password, query and fragment")
		}
		u, err := url.Parse(v[0])
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%q is no URL like https://live.example.com", v[0])
		}
		*to = strings.TrimRight(v[0], "/")
		return nil
	}
}

// goodPrefix keeps to characters that stand for themselves in URLs, HTML and router patterns.
var goodPrefix = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,8}$`)

func pathPrefix(to *string) func([]string) error {
	return func(v []string) error {
		p := strings.TrimRight(v[0], "/")
		if p != "" && (!goodPrefix.MatchString(p) || len(p) > 200) {
			return fmt.Errorf("%q is no path like /live or /video/live", v[0])
		}
		*to = p
		return nil
	}
}

// goodDomain is a host name of at least two labels (RFC 1123 2.1): authorities certify nothing else by ACME here.
var goodDomain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func domains(to *[]string) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, s := range v {
			s = strings.ToLower(strings.TrimSuffix(s, "."))
			if !goodDomain.MatchString(s) || len(s) > 253 {
				return fmt.Errorf("%q is no domain like live.example.com (a * would need proof by DNS, which is not offered)", s)
			}
			*to = append(*to, s)
		}
		return nil
	}
}
