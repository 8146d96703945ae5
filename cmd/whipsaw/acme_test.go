package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/certificate"
)

// pebble is a small ACME server for tests, that of Let's Encrypt, and the name server that it asks.
type pebble struct {
	url, ca          string
	tlsPort, webPort int // where it proves domains
}

func startPebble(t *testing.T) *pebble {
	t.Helper()
	server, names := tool(t, "pebble", "pebble"), tool(t, "pebble-challtestsrv", "pebble")
	dir := t.TempDir()
	_, err := certificate.SelfSigned(dir, []string{"127.0.0.1"})
	require.NoError(t, err)
	ports := freePorts(t, 4)
	p := &pebble{
		url: fmt.Sprintf("https://127.0.0.1:%d/dir", ports[0]), ca: filepath.Join(dir, "self-signed.pem"),
		tlsPort: ports[2], webPort: ports[3],
	}
	config := filepath.Join(dir, "pebble.json")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `{"pebble": {"listenAddress": "127.0.0.1:%d", "certificate": %q, "privateKey": %q, "tlsPort": %d, "httpPort": %d}}`,
		ports[0], p.ca, p.ca, p.tlsPort, p.webPort), 0o600))
	dns := fmt.Sprintf("127.0.0.1:%d", ports[1])
	background(t, exec.Command(names, "-dns01", dns, "-http01=", "-https01=", "-tlsalpn01=", "-management=127.0.0.1:0", "-defaultIPv4=127.0.0.1", "-defaultIPv6="))
	authority := exec.Command(server, "-config", config, "-dnsserver", dns)
	authority.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	background(t, authority)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	eventually(t, "pebble answers", func() bool {
		r, err := client.Get(p.url)
		if err != nil {
			return false
		}
		readAll(t, r)
		return r.StatusCode == http.StatusOK
	})
	return p
}

// freePorts returns ports that nobody listens at, neither on TCP nor on UDP.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // all are taken until the last is found
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// A certificate comes from an authority, by a proof over TLS (RFC 8737) or over HTTP (RFC 8555 8.3), before anybody asks
// for it, and is kept for the next start.
func TestACME(t *testing.T) {
	realTime(t, loadStream)
	const domain = "live.whipsaw.test"
	for _, overHTTP := range []bool{false, true} {
		p, dir := startPebble(t), t.TempDir()
		flags := []string{"--acme-domain", domain, "--acme-server", p.url, "--acme-ca", p.ca, "--acme-dir", dir, "--acme-email", "me@whipsaw.test"}
		if overHTTP {
			flags = append(flags, "--listen=127.0.0.1:0", fmt.Sprintf("--http-redirect=127.0.0.1:%d", p.webPort))
		} else {
			flags = append(flags, fmt.Sprintf("--listen=127.0.0.1:%d", p.tlsPort))
		}
		s := serve(t, flags...)
		eventually(t, "the certificate is there", func() bool { return strings.Contains(s.log.String(), "certificate there") })
		for _, name := range []string{domain, ""} { // an address has no name in TLS
			d := &tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			c, err := d.DialContext(ctx, "tcp", s.HTTP.String())
			cancel()
			require.NoError(t, err)
			state := c.(*tls.Conn).ConnectionState()
			require.NoError(t, c.Close())
			require.NoError(t, state.PeerCertificates[0].VerifyHostname(domain))
			require.Contains(t, state.PeerCertificates[0].Issuer.CommonName, "Pebble")
			require.Equal(t, "h2", state.NegotiatedProtocol)
		}
		_, err := tls.Dial("tcp", s.HTTP.String(), &tls.Config{ServerName: "other.whipsaw.test", InsecureSkipVerify: true})
		require.Error(t, err, "no certificate is asked for in the name of somebody else")
		require.NoError(t, s.stop())
		kept, err := os.Stat(filepath.Join(dir, domain))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), kept.Mode().Perm())
	}
}
