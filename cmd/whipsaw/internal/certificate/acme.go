package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME says how to deal with a certificate authority.
type ACME struct {
	Domains   []string // at least one; no other name is ever asked for
	Email     string   // of the account; may be empty
	Dir       string   // where account key and certificates are kept, readable for their owner only
	Server    string   // URL of the authority's directory
	CA        string   // file in PEM with what the authority's own HTTPS is trusted by; empty: as the system says
	UserAgent string   // RFC 8555 6.1: clients say who they are
}

// Authorities reads the certificates of a file in PEM, by which others are trusted.
func Authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

// FromACME gets certificates when they are first needed and renews them in time. The authority proves the domains over
// HTTPS (tls-alpn-01, RFC 8737), and over plain HTTP if Challenges is used. Its terms of service count as agreed to.
// When ctx ends, requests to the authority do. A handshake that names no domain (an IP address has no name in TLS) gets
// the first domain's certificate.
func FromACME(ctx context.Context, a ACME) (*Source, error) {
	client := &acme.Client{DirectoryURL: a.Server, UserAgent: a.UserAgent}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
	if a.CA != "" {
		pool, err := Authorities(a.CA)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	client.HTTPClient = &http.Client{Transport: &bound{ctx: ctx, next: transport}, Timeout: time.Minute}
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of certificates: %w", err)
	}
	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(a.Dir), HostPolicy: autocert.HostWhitelist(a.Domains...),
		Email: a.Email, Client: client,
	}
	return &Source{
		Get: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				named := *hello
				named.ServerName = a.Domains[0]
				hello = &named
			}
			return m.GetCertificate(hello)
		},
		Protocols: []string{acme.ALPNProto},
		Challenges: func(next http.Handler) http.Handler {
			h := m.HTTPHandler(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				// autocert compares the whole Host with the domains.
				if host, _, err := net.SplitHostPort(r.Host); err == nil && strings.HasPrefix(r.URL.Path, challengePath) {
					r = r.Clone(r.Context())
					r.Host = host
				}
				h.ServeHTTP(w, r)
			})
		},
	}, nil
}

// challengePath is where an authority looks (RFC 8555 8.3).
const challengePath = "/.well-known/acme-challenge/"

// Fetch sees that every domain has its certificate before the first viewer waits for it, and tells log how that went. It
// returns when all are there or ctx ends; what failed is tried again.
func Fetch(ctx context.Context, s *Source, domains []string, log *slog.Logger) {
	for delay := retryFirst; ; delay = min(2*delay, retryMost) {
		var failed []string
		for _, domain := range domains {
			pair, err := s.Get(modernHello(domain))
			if err != nil {
				failed = append(failed, domain)
				log.Warn("no certificate yet", "domain", domain, "err", err, "again_in", delay)
				continue
			}
			log.Info("certificate there", "domain", domain, "until", pair.Leaf.NotAfter)
		}
		if domains = failed; len(domains) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
	}
}

// How long to wait before the next try: authorities allow five failures an hour.
const (
	retryFirst = 2 * time.Minute
	retryMost  = time.Hour
)

// modernHello is a handshake of a client that takes ECDSA certificates, as all have done for ten years.
func modernHello(domain string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName:       domain,
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:  []tls.CurveID{tls.CurveP256},
		SupportedProtos:  []string{"h2", "http/1.1"},
	}
}

// bound ends the requests that it sends when ctx ends: autocert waits for minutes with a context of its own.
type bound struct {
	ctx  context.Context
	next http.RoundTripper
}

func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(b.ctx, cancel)
	answer, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	answer.Body = &boundBody{ReadCloser: answer.Body, done: func() { stop(); cancel() }}
	return answer, nil
}

type boundBody struct {
	io.ReadCloser
	done func()
}

func (b *boundBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
