// Package certificate gets the certificates of the HTTPS server: from files that may be replaced at any time, made here
// for a trial, or from an authority by ACME (RFC 8555).
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
)

// Source is where a server's certificates come from. Its functions are safe for any number of handshakes at once.
type Source struct {
	// Get returns the certificate for a handshake; it costs no more than a pointer load mostly.
	Get func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Protocols are offered by ALPN behind those of HTTP.
	Protocols []string
	// Fingerprint is the SHA-256 digest of a certificate made here, as browsers show it; empty for others.
	Fingerprint string
	// Challenges answers what an authority asks over plain HTTP and leaves the rest to next; nil: nothing is asked.
	Challenges func(next http.Handler) http.Handler
}

// TLS returns the settings of a server that uses s: TLS 1.2 and 1.3 with forward secrecy and authenticated encryption,
// which is what Mozilla's intermediate profile is, as far as Go knows its suites (it has no finite-field Diffie-Hellman).
func (s *Source) TLS() *tls.Config {
	return &tls.Config{
		GetCertificate: s.Get,
		MinVersion:     tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are all good and not to be chosen
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384},
		NextProtos:       slices.Concat([]string{"h2", "http/1.1"}, s.Protocols),
	}
}

// Own returns the certificate that a client of today gets which asks for a name; the name matters with ACME only.
func (s *Source) Own(name string) (*x509.Certificate, error) {
	pair, err := s.Get(modernHello(name))
	if err != nil {
		return nil, err
	}
	return pair.Leaf, nil
}
