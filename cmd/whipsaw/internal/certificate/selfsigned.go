package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Browsers take no certificate for longer, and one that is about to end is made anew.
const (
	selfSignedLife = 397 * 24 * time.Hour
	selfSignedRest = 30 * 24 * time.Hour
)

// SelfSigned makes a certificate for the given host names and addresses. In dir (may be empty: nowhere) it is kept, so
// that a browser which was told to accept it does so after a restart too; it is made anew when it ends or a host is new.
func SelfSigned(dir string, hosts []string) (*Source, error) {
	path := filepath.Join(dir, "self-signed.pem")
	var pair *tls.Certificate
	if dir != "" {
		var err error
		if pair, err = readSelfSigned(path, hosts); err != nil {
			return nil, err
		}
	}
	if pair == nil {
		made, text, err := makeSelfSigned(hosts, time.Now())
		if err != nil {
			return nil, err
		}
		if dir != "" {
			if err := keep(path, text); err != nil {
				return nil, err
			}
		}
		pair = made
	}
	return &Source{
		Get:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair, nil },
		Fingerprint: fingerprint(pair.Leaf.Raw),
	}, nil
}

// readSelfSigned returns the certificate that was kept, nil if there is none or another one is needed.
func readSelfSigned(path string, hosts []string) (*tls.Certificate, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, nil // damaged: as if there were none
	}
	if time.Until(pair.Leaf.NotAfter) < selfSignedRest {
		return nil, nil
	}
	for _, host := range hosts {
		if pair.Leaf.VerifyHostname(host) != nil {
			return nil, nil
		}
	}
	return &pair, nil
}

// makeSelfSigned returns a certificate with its key, and both in PEM.
func makeSelfSigned(hosts []string, now time.Time) (*tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "whipsaw, self-signed"},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.Add(selfSignedLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// It can certify nobody else: whoever trusts it trusts this server alone.
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	text := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pair, err := tls.X509KeyPair(text, text)
	return &pair, text, err
}

// keep writes the file so that it is whole at every moment, for its owner's eyes only.
func keep(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	next := path + ".next"
	if err := errors.Join(os.WriteFile(next, text, 0o600), os.Rename(next, path)); err != nil {
		return fmt.Errorf("self-signed certificate: %w", err)
	}
	return nil
}

// fingerprint is a digest as browsers show it: AB:CD:...
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	var b bytes.Buffer
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// Hosts lists the names and addresses under which this machine may be asked, besides extra ones, each once.
func Hosts(extra ...string) []string {
	out := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil && validHost(name) {
		out = append(out, strings.ToLower(name))
	}
	// Without a list of interfaces the rest has to do.
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLinkLocalUnicast() && len(out) < maxHosts {
			out = append(out, p.Addr().Unmap().String())
		}
	}
	for _, host := range extra {
		if host != "" && validHost(host) {
			out = append(out, strings.ToLower(host))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// maxHosts keeps the certificate of a machine with very many addresses small.
const maxHosts = 50

// validHost reports whether host can stand in a certificate.
func validHost(host string) bool {
	return net.ParseIP(host) != nil || len(host) <= 253 && strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" &&
		!strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".")
}
