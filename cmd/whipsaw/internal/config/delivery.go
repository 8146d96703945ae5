package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// Delivery is how viewers reach the server.
type Delivery struct {
	Listen      string // TCP address of everything for publishers and viewers
	HTTP3       bool   // answer over QUIC as well
	HTTP3Listen string // UDP address for that; empty: the one of Listen
	Redirect    string // TCP address that sends browsers to HTTPS and answers http-01 challenges; empty: none

	TLSCert, TLSKey string // files in PEM; read again when they change
	SelfSigned      bool   // a certificate of our own, which nobody trusts yet
	ACME            ACME
	HSTS            time.Duration // how long browsers shall ask over HTTPS only; 0: it is not said

	MaxConnections int            // of publishers and viewers at a time; 0: what the limit on open files leaves
	MaxEgress      int64          // bit/s to viewers and publishers over HTTP, over which no new viewer is taken; 0: no bound
	Proxies        []netip.Prefix // whose word on the client is taken
	PublicURL      string         // as the world knows the server; no slash at the end; empty: as it is asked
	PathPrefix     string         // begins every path, like /live; no slash at the end
	Origins        []string       // web origins whose pages may play streams; empty: all
}

// ACME says how certificates are got from a certificate authority (RFC 8555).
type ACME struct {
	Domains []string // empty: not at all
	Email   string   // of the account; may be empty
	Dir     string   // where account and certificates are kept; empty: below --state
	Server  string   // URL of the authority's directory
	CA      string   // file in PEM that the authority's own certificate is checked with; empty: the system's
}

func deliverySettings(c *Delivery) []Setting {
	return []Setting{
		{Name: "listen", Value: "HOST:PORT", Default: "127.0.0.1:8080", set: address(&c.Listen, false),
			Help: "TCP address for publishers (WHIP), viewers (HLS), pages and API"},
		{Name: "tls-cert", Reload: true, Value: "FILE", set: text(&c.TLSCert),
			Help: "certificate chain in PEM, for HTTPS and HTTP/2; read again when it changes"},
		{Name: "tls-key", Reload: true, Value: "FILE", set: text(&c.TLSKey),
			Help: "private key of --tls-cert in PEM"},
		{Name: "tls-self-signed", Default: "false", set: toggle(&c.SelfSigned),
			Help: "HTTPS with a certificate made here, for trials: browsers warn of it; kept below --state, if that is set"},
		{Name: "acme-domain", Value: "DOMAIN", Repeat: true, set: domains(&c.ACME.Domains),
			Help: "HTTPS with a certificate for this domain from Let's Encrypt or --acme-server; may be repeated"},
		{Name: "acme-email", Value: "ADDRESS", set: text(&c.ACME.Email),
			Help: "mail address that the authority may write to"},
		{Name: "acme-dir", Value: "DIR", set: text(&c.ACME.Dir),
			Help: "directory for the account and the certificates of --acme-domain; without it acme below --state"},
		{Name: "acme-server", Value: "URL", Default: "https://acme-v02.api.letsencrypt.org/directory", set: webURL(&c.ACME.Server),
			Help: "directory of the certificate authority (ACME)"},
		{Name: "acme-ca", Value: "FILE", set: text(&c.ACME.CA),
			Help: "certificates in PEM that --acme-server is trusted by, where the system's are not enough"},
		{Name: "http3", Default: "false", set: toggle(&c.HTTP3),
			Help: "answer over HTTP/3 as well; needs HTTPS"},
		{Name: "http3-listen", Value: "HOST:PORT", set: address(&c.HTTP3Listen, true),
			Help: "UDP address for HTTP/3; without it that of --listen"},
		{Name: "http-redirect", Value: "HOST:PORT", set: address(&c.Redirect, true),
			Help: "TCP address, :80 mostly, that sends browsers on to HTTPS and proves --acme-domain (http-01)"},
		{Name: "hsts", Value: "DURATION", Default: "720h", set: duration(&c.HSTS),
			Help: "how long browsers are told to come over HTTPS only, with --tls-cert or --acme-domain; 0s does not tell them"},
		{Name: "max-connections", Value: "N", Default: "0", set: number(&c.MaxConnections),
			Help: "connections of publishers and viewers at a time, more are sent away with 503; 0 is what the limit on open files allows"},
		{Name: "max-egress", Value: "RATE", Default: "0", set: bitRate(&c.MaxEgress),
			Help: "bit/s that leave for viewers, like 900M or 2.5G; as long as it is more, who comes anew is sent away with 503 and who watches goes on; 0 is any rate"},
		{Name: "trusted-proxy", Value: "CIDR", Repeat: true, set: prefixes(&c.Proxies),
			Help: "address or network of a reverse proxy whose Forwarded and X-Forwarded headers are believed; may be repeated"},
		{Name: "public-url", Value: "URL", set: webURL(&c.PublicURL),
			Help: "URL under which the world reaches this server, for what is printed and what the API says"},
		{Name: "path-prefix", Value: "PATH", set: pathPrefix(&c.PathPrefix),
			Help: "path below which everything lies, like /live; a proxy in front leaves it in place"},
		{Name: "cors-origin", Reload: true, Value: "ORIGIN", Repeat: true, set: origins(&c.Origins),
			Help: "origin of web pages that may play streams, like https://example.com; may be repeated; without it all may"},
	}
}

// TLS reports whether the server itself speaks HTTPS.
func (c Delivery) TLS() bool { return c.TLSCert != "" || c.SelfSigned || len(c.ACME.Domains) > 0 }

// Base is the URL that people are told, without a slash at its end; empty if --public-url is not set.
func (c Delivery) Base() string {
	u, err := url.Parse(c.PublicURL)
	if c.PublicURL == "" || err != nil || u.Path != "" { // the path is the prefix, or the settings had been refused
		return c.PublicURL
	}
	return c.PublicURL + c.PathPrefix
}

// local reports whether only this machine reaches the server.
func (c Delivery) local() bool {
	return loopback(c.Listen) && (c.HTTP3Listen == "" || loopback(c.HTTP3Listen))
}

// elsewhere names the setting by which other machines reach the server; empty: none does.
func (c Delivery) elsewhere() string {
	switch {
	case !loopback(c.Listen):
		return "--listen " + c.Listen
	case c.HTTP3Listen != "" && !loopback(c.HTTP3Listen):
		return "--http3-listen " + c.HTTP3Listen
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Host != "" && !loopback(net.JoinHostPort(u.Hostname(), "0")) {
		return "--public-url " + c.PublicURL
	}
	return ""
}

// check finds what does not go together; state is the directory of --state.
func (c Delivery) check(state string) []error {
	kinds := 0
	for _, is := range []bool{c.TLSCert != "" || c.TLSKey != "", c.SelfSigned, len(c.ACME.Domains) > 0} {
		if is {
			kinds++
		}
	}
	return append(broken(
		rule{(c.TLSCert == "") != (c.TLSKey == ""), "--tls-cert and --tls-key belong together"},
		rule{kinds > 1, "--tls-cert, --tls-self-signed and --acme-domain exclude each other"},
		rule{len(c.ACME.Domains) > 0 && c.ACME.Dir == "" && state == "",
			"--acme-domain needs --acme-dir or --state: an authority refuses to make the same certificate at every start"},
		rule{c.HTTP3 && !c.TLS(), "--http3 needs HTTPS: --tls-cert and --tls-key, --acme-domain or --tls-self-signed"},
		rule{c.Redirect != "" && !c.TLS(), "--http-redirect leads to HTTPS, which needs --tls-cert and --tls-key, --acme-domain or --tls-self-signed"},
	), c.checkPublic()...)
}

// checkPublic compares --public-url with --path-prefix: paths reach us as the world writes them.
func (c Delivery) checkPublic() []error {
	if c.PublicURL == "" {
		return nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return []error{fmt.Errorf("%w: --public-url: %w", ErrUsage, err)}
	}
	return broken(rule{u.Path != "" && u.Path != c.PathPrefix,
		fmt.Sprintf("--public-url has the path %s, so --path-prefix has to be the same, and a proxy in front leaves it in place", u.Path)})
}
