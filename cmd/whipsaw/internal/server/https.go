package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"whipsaw/cmd/whipsaw/internal/certificate"
)

// certificates returns where the settings say that certificates come from, nil without TLS.
func (s *instance) certificates(ctx context.Context) (*certificate.Source, error) {
	c := s.cfg.Delivery
	switch {
	case c.TLSCert != "":
		source, err := certificate.FromFiles(c.TLSCert, c.TLSKey, s.log)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		s.files.Store(source)
		return &certificate.Source{Get: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return s.files.Load().Get(hello) }}, nil
	case c.SelfSigned:
		source, err := certificate.SelfSigned(s.below("tls"), certificate.Hosts(s.names()...))
		if err != nil {
			return nil, fmt.Errorf("--tls-self-signed: %w", err)
		}
		return source, nil
	case len(c.ACME.Domains) > 0:
		source, err := certificate.FromACME(ctx, certificate.ACME{
			Domains: c.ACME.Domains, Email: c.ACME.Email, Dir: cmp.Or(c.ACME.Dir, s.below("acme")),
			Server: c.ACME.Server, CA: c.ACME.CA, UserAgent: "whipsaw",
		})
		if err != nil {
			return nil, fmt.Errorf("--acme-domain: %w", err)
		}
		return source, nil
	}
	return nil, nil
}

// below is a folder in the directory of --state, empty without one.
func (s *instance) below(name string) string {
	if s.cfg.State == "" {
		return ""
	}
	return filepath.Join(s.cfg.State, name)
}

// names are those that the settings know this server by.
func (s *instance) names() []string {
	var names []string
	for _, ip := range s.cfg.PublicIPs {
		names = append(names, ip.String())
	}
	// What is no address was refused before.
	host, _, _ := net.SplitHostPort(s.cfg.Listen)
	if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
		names = append(names, host)
	}
	if u, err := url.Parse(s.cfg.PublicURL); err == nil {
		names = append(names, u.Hostname())
	}
	return names
}

// hsts is how long browsers are told to use HTTPS only: never for a certificate that they warn of.
func (s *instance) hsts() time.Duration {
	if s.cfg.SelfSigned {
		return 0
	}
	return s.cfg.HSTS
}

// redirectMost bounds the connections that are sent on to HTTPS: none of them lasts.
const redirectMost = 1000

// redirect sends what came over plain HTTP to the same path over HTTPS. Only what has no body and no secret goes on by
// itself: a publisher would send its token in the clear each time, and not notice.
func (s *instance) redirect() http.Handler {
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, ok := s.secureOrigin(r.Host)
		switch {
		case !ok:
			http.Error(w, "this is no host", http.StatusBadRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Authorization") != "":
			http.Error(w, "use HTTPS: "+target, http.StatusForbidden)
		default:
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, target+r.URL.RequestURI(), http.StatusPermanentRedirect)
		}
	})
	if s.source.Challenges != nil {
		h = s.source.Challenges(h)
	}
	return roomOnly(accessLog(s.log)(recovered(s.log)(hardened("")(patient(bodies(h))))))
}

// secureOrigin is the HTTPS origin for a Host header: that of --public-url if there is one.
func (s *instance) secureOrigin(host string) (string, bool) {
	if u, err := url.Parse(s.cfg.PublicURL); err == nil && u.Scheme == "https" {
		return "https://" + u.Host, true
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || u.Hostname() == "" || u.Port() != "" {
		return "", false
	}
	if p := port(s.addrs.HTTP); p != 443 {
		return "https://" + net.JoinHostPort(u.Hostname(), fmt.Sprint(p)), true
	}
	return "https://" + host, true
}

// ownClient is for requests to this server itself: it trusts the certificate that is served, by whatever name, and
// nothing else. It is nil without TLS, where the ordinary one will do.
func (s *instance) ownClient() *http.Client {
	if s.source == nil {
		return nil
	}
	name := ""
	if len(s.cfg.ACME.Domains) > 0 {
		name = s.cfg.ACME.Domains[0]
	}
	return &http.Client{
		Timeout: 15 * time.Second,
		Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
			ServerName:         name,
			InsecureSkipVerify: true, // its name may be any: it is compared whole instead
			VerifyConnection: func(state tls.ConnectionState) error {
				own, err := s.source.Own(name)
				if err != nil {
					return err
				}
				if !state.PeerCertificates[0].Equal(own) {
					return errors.New("another server answers here")
				}
				return nil
			},
		}},
	}
}
