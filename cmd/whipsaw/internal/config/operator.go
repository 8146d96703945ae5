package config

import (
	"fmt"
	"math"
	"strconv"

	"whipsaw/cmd/whipsaw/internal/access"
)

// Operator is what the one who runs the server sees of it.
type Operator struct {
	Admin     string // TCP address of metrics and profiles; empty: none
	LogFormat string // text or json
	LogLevel  string // debug, info, warn or error

	APIToken      Secret // lets its bearer change things by the API; empty: only this machine may
	APIReadToken  Secret // lets its bearer read the API; empty: everybody may read what pages show
	Webhook       Secret // URL that is told of events; it may hold a password; empty: none is
	WebhookSecret Secret // signs what it is told; empty: nothing is signed
	WarnBitrate   int    // kbit/s of a publisher over which the doctor warns; 0: never
}

func operatorSettings(c *Operator) []Setting {
	return []Setting{
		{Name: "admin", Value: "HOST:PORT", Default: "127.0.0.1:8081", Empty: true, set: address(&c.Admin, true),
			Help: "TCP address for /metrics, /debug/pprof and the API; empty for none"},
		{Name: "api-token", Secret: true, Reload: true, Value: "TOKEN", set: hashable(&c.APIToken),
			Help: "Bearer token, or sha256: and its SHA-256 in hexadecimal, that lets programs kick publishers and end streams by the API; without it only this machine may, as long as it serves nobody else or by --admin"},
		{Name: "api-read-token", Secret: true, Reload: true, Value: "TOKEN", set: hashable(&c.APIReadToken),
			Help: "Bearer token, in clear or hashed as --api-token, without which, or that one, nothing of the API can be read: the list on the index page then stays empty"},
		{Name: "webhook", Secret: true, Value: "URL", set: authURL(&c.Webhook),
			Help: "told by POST of JSON what happens to streams: publishers that come and go, first pictures, ends, findings"},
		{Name: "webhook-secret", Secret: true, Value: "SECRET", set: secret(&c.WebhookSecret),
			Help: "what requests to --webhook are signed with (HMAC-SHA256, header Whipsaw-Signature)"},
		{Name: "warn-bitrate", Reload: true, Value: "KBIT", Default: "20000", set: kilobits(&c.WarnBitrate),
			Help: "bit rate of a publisher in kbit/s over which the doctor warns; 0 is any"},
		{Name: "log-format", Value: "text|json", Default: "text", set: choice(&c.LogFormat, "text", "json"),
			Help: "form of the log on standard error"},
		{Name: "log-level", Reload: true, Value: "debug|info|warn|error", Default: "info", set: choice(&c.LogLevel, "debug", "info", "warn", "error"),
			Help: "least level that is logged"},
	}
}

// check finds what does not go together.
func (c Operator) check() []error {
	return broken(
		rule{c.WebhookSecret != "" && c.Webhook == "", "--webhook-secret signs what --webhook is told, which is not set"},
		rule{sameToken(c.APIToken.Reveal(), c.APIReadToken.Reveal()), "--api-token and --api-read-token are the same: whoever may read could change things"},
	)
}

// sameToken reports whether two tokens are one, be it in clear or hashed.
func sameToken(a, b string) bool { return a != "" && a == b || access.Fits(a, b) || access.Fits(b, a) }

// kilobits takes a bit rate.
func kilobits(to *int) func([]string) error {
	return func(v []string) error {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("%q is no bit rate in kbit/s like 20000", v[0])
		}
		*to = n
		return nil
	}
}
