package signaling

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ICEServers are the STUN and TURN servers that publishers are told of (RFC 9725 4.6). The zero value names none.
type ICEServers struct {
	URLs []string // stun:, stuns:, turn: and turns: (RFC 7064 3.1, RFC 7065 3.1)

	// Secret is what the TURN servers and this one share: every session gets credentials of its own, which are good for
	// Lifetime (default 24 h). The user name is the time of their end and the stream, the password the HMAC-SHA1 of it: the
	// "TURN REST API", coturn's use-auth-secret. The other way are a User and a Password that are always the same.
	Secret         string
	User, Password string
	Lifetime       time.Duration
}

// ErrNoCredentials is wrapped by the error that nobody could use a TURN server for want of credentials.
var ErrNoCredentials = errors.New("a TURN server needs a shared secret, or a user and a password")

// errICEServer is wrapped by all errors about ICE servers.
var errICEServer = errors.New("ICE server")

// Check reports what is wrong with the servers or the credentials for them.
func (s ICEServers) Check() error {
	relays := 0
	for _, u := range s.URLs {
		if err := CheckICEServer(u); err != nil {
			return err
		}
		if isRelay(u) {
			relays++
		}
	}
	fixed := s.User != "" || s.Password != ""
	switch {
	case s.Lifetime < 0:
		return fmt.Errorf("%w: credentials cannot be good for %v", errICEServer, s.Lifetime)
	case s.Secret != "" && fixed:
		return fmt.Errorf("%w: a shared secret and a fixed user exclude each other", errICEServer)
	case fixed && (!linkValue(s.User) || !linkValue(s.Password)):
		return fmt.Errorf("%w: user and password come together, of printable ASCII without spaces, quotes, commas and semicolons", errICEServer)
	case relays > 0 && s.Secret == "" && !fixed:
		return fmt.Errorf("%w: %w", errICEServer, ErrNoCredentials)
	case relays == 0 && (s.Secret != "" || fixed):
		return fmt.Errorf("%w: there are credentials, but no turn: or turns: URL", errICEServer)
	}
	return nil
}

// isRelay reports whether a URL that has been checked is a TURN server's.
func isRelay(url string) bool { return strings.HasPrefix(url, "turn") }

// CheckICEServer reports what is wrong with the URL of a STUN or TURN server (RFC 7064 3.1, RFC 7065 3.1); user names in
// them are a thing of the past, and may stand beside passwords, which no error repeats.
func CheckICEServer(u string) error {
	if strings.Contains(u, "@") {
		return fmt.Errorf("%w: it has a user name, which belongs elsewhere", errICEServer)
	}
	scheme, rest, _ := strings.Cut(u, ":")
	if !slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) {
		return fmt.Errorf("%w %q: only stun:, stuns:, turn: and turns: can begin it", errICEServer, u)
	}
	host, query, asked := strings.Cut(rest, "?")
	if asked && (!isRelay(u) || query != "transport=udp" && query != "transport=tcp") {
		return fmt.Errorf("%w %q: only ?transport=udp and ?transport=tcp of a TURN server can follow the address", errICEServer, u)
	}
	if _, _, err := splitICEHost(host); err != nil {
		return fmt.Errorf("%w %q: %w", errICEServer, u, err)
	}
	return nil
}

// errICEHost says what an address may be.
var errICEHost = errors.New("no address like stun.example.org, 192.0.2.1:3478 or [2001:db8::1]:3478")

// splitICEHost splits host and port; a port of 0 means that none was given.
func splitICEHost(s string) (host string, port uint16, err error) {
	host, digits := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.HasSuffix(s, "]") {
		host, digits = s[:i], s[i+1:]
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 0 {
			return "", 0, errICEHost
		}
		port = uint16(n)
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		ip, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", 0, errICEHost
		}
		return ip.String(), port, nil
	}
	// RFC 3986 3.2.2: a registered name, of the characters that names of hosts have
	if host == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return "", 0, errICEHost
	}
	return host, port, nil
}

// linkValue reports whether s can stand in a quoted parameter of a Link header, for every parser there is: OBS takes the
// header apart at commas and semicolons, also within quotes.
func linkValue(s string) bool { return isToken(s, 1, 512) && !strings.ContainsAny(s, `"\,;<>`) }

// links returns the values of the Link headers that tell a stream's publisher of the servers, one header for each.
func (s ICEServers) links(stream string, now time.Time) []string {
	var out []string
	user, password := s.User, s.Password
	if s.Secret != "" {
		user, password = turnCredentials(s.Secret, stream, now.Add(s.Lifetime))
	}
	for _, u := range s.URLs {
		link := "<" + u + `>; rel="ice-server"`
		if isRelay(u) {
			link += `; username="` + user + `"; credential="` + password + `"; credential-type="password"`
		}
		out = append(out, link)
	}
	return out
}

// turnCredentials derives credentials from a secret shared with TURN servers: the user name is the Unix time of their end
// and a name for the TURN server's log, the password is proof of knowing the secret.
func turnCredentials(secret, name string, end time.Time) (user, password string) {
	user = strconv.FormatInt(end.Unix(), 10) + ":" + name
	mac := hmac.New(sha1.New, []byte(secret)) // what TURN servers understand; HMAC does not suffer from SHA-1's collisions
	mac.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
