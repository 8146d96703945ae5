package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// write makes a pair of files for a host and returns its certificate.
func write(t *testing.T, dir, host string) *x509.Certificate {
	t.Helper()
	pair, _, err := makeSelfSigned([]string{host}, time.Now())
	require.NoError(t, err)
	writeCert(t, dir, pair)
	writeKey(t, dir, pair)
	return pair.Leaf
}

func writeCert(t *testing.T, dir string, pair *tls.Certificate) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Leaf.Raw})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tls.crt"), text, 0o600))
}

func writeKey(t *testing.T, dir string, pair *tls.Certificate) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// age makes files look older than those that are written next, however fast that goes.
func age(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	for _, name := range []string{"tls.crt", "tls.key"} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), then, then))
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		first := write(t, dir, "a.example")
		age(t, dir, time.Hour)
		s, err := FromFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		now := func() *x509.Certificate {
			pair, err := s.Get(nil)
			require.NoError(t, err)
			return pair.Leaf
		}
		second := func() *x509.Certificate { // what is served a second later, and some more times in between
			for range 10 {
				<-time.After(lookEvery / 10) // virtual time
				now()
			}
			return now()
		}
		require.True(t, first.Equal(now()))

		// Half a pair, as while it is replaced: the old one stays, and that is told once.
		pair, _, err := makeSelfSigned([]string{"b.example"}, time.Now())
		require.NoError(t, err)
		writeCert(t, dir, pair)
		require.True(t, first.Equal(now()), "within a second nothing is looked at")
		require.True(t, first.Equal(second()))
		require.True(t, first.Equal(second()))
		require.Equal(t, 1, strings.Count(log.String(), "level=WARN"), "%s", log.String())
		require.Contains(t, log.String(), "private key does not match")

		writeKey(t, dir, pair)
		require.True(t, pair.Leaf.Equal(second()), "%s", log.String())

		// A file that is gone for a while.
		require.NoError(t, os.Remove(filepath.Join(dir, "tls.key")))
		require.True(t, pair.Leaf.Equal(second()))
		require.True(t, pair.Leaf.Equal(second()))
		require.Equal(t, 2, strings.Count(log.String(), "level=WARN"), "%s", log.String())
		third := write(t, dir, "c.example")
		require.True(t, third.Equal(second()))
	})
}

// The files may be replaced as Kubernetes does it: a symbolic link is turned over.
func TestFilesBehindLinks(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var leaves []*x509.Certificate
		for _, name := range []string{"one", "two"} {
			require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
			leaves = append(leaves, write(t, filepath.Join(dir, name), "a.example"))
			age(t, filepath.Join(dir, name), time.Hour)
		}
		link := filepath.Join(dir, "data")
		require.NoError(t, os.Symlink("one", link))
		s, err := FromFiles(filepath.Join(link, "tls.crt"), filepath.Join(link, "tls.key"), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		require.NoError(t, os.Remove(link))
		require.NoError(t, os.Symlink("two", link))
		<-time.After(lookEvery)
		pair, err := s.Get(nil)
		require.NoError(t, err)
		require.True(t, leaves[1].Equal(pair.Leaf))
	})
}

func TestFilesRefuse(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	_, err := FromFiles(cert, key, log)
	require.ErrorIs(t, err, os.ErrNotExist)
	write(t, dir, "a.example")
	_, err = FromFiles(key, cert, log)
	require.ErrorContains(t, err, key, "an error names the files")
}

func TestExpiredIsTold(t *testing.T) {
	dir := t.TempDir()
	pair, _, err := makeSelfSigned([]string{"a.example"}, time.Now().Add(-2*selfSignedLife))
	require.NoError(t, err)
	writeCert(t, dir, pair)
	writeKey(t, dir, pair)
	var log bytes.Buffer
	_, err = FromFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	require.Contains(t, log.String(), "has expired")
}

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	s, err := SelfSigned(dir, []string{"localhost", "127.0.0.1", "2001:db8::1"})
	require.NoError(t, err)
	pair, err := s.Get(nil)
	require.NoError(t, err)
	for _, host := range []string{"localhost", "127.0.0.1", "[2001:db8::1]"} {
		require.NoError(t, pair.Leaf.VerifyHostname(host))
	}
	require.Error(t, pair.Leaf.VerifyHostname("example.com"))
	require.False(t, pair.Leaf.IsCA, "it can certify nobody else")
	require.Regexp(t, `^([0-9A-F]{2}:){31}[0-9A-F]{2}$`, s.Fingerprint)
	info, err := os.Stat(filepath.Join(dir, "self-signed.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the key is for its owner alone")

	again := func(hosts ...string) string {
		s, err := SelfSigned(dir, hosts)
		require.NoError(t, err)
		return s.Fingerprint
	}
	require.Equal(t, s.Fingerprint, again("localhost", "127.0.0.1"), "it is kept")
	other := again("localhost", "192.0.2.1")
	require.NotEqual(t, s.Fingerprint, other, "a host is new")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "self-signed.pem"), []byte("damaged"), 0o600))
	require.NotEqual(t, other, again("localhost"))
	_, old, err := makeSelfSigned([]string{"localhost"}, time.Now().Add(selfSignedRest/2-selfSignedLife))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "self-signed.pem"), old, 0o600))
	ending := fingerprintOf(t, old)
	require.NotEqual(t, ending, again("localhost"), "it is about to end")

	one, err := SelfSigned("", []string{"localhost"})
	require.NoError(t, err)
	two, err := SelfSigned("", []string{"localhost"})
	require.NoError(t, err)
	require.NotEqual(t, one.Fingerprint, two.Fingerprint, "without a directory it lives as long as the process")
}

func fingerprintOf(t *testing.T, text []byte) string {
	t.Helper()
	pair, err := tls.X509KeyPair(text, text)
	require.NoError(t, err)
	return fingerprint(pair.Leaf.Raw)
}

func TestHosts(t *testing.T) {
	hosts := Hosts("Video.example", "192.0.2.1", "192.0.2.1", "", "not a host", ".x")
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "video.example", "192.0.2.1"} {
		require.Contains(t, hosts, host)
	}
	for _, host := range []string{"", "not a host", ".x"} {
		require.NotContains(t, hosts, host)
	}
	_, err := SelfSigned("", hosts)
	require.NoError(t, err)
}

// handshake connects a client to a server with these settings.
func handshake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close() // nothing is written any more
	defer b.Close()
	done := make(chan error, 1)
	go func() { done <- tls.Server(a, server).Handshake() }()
	c := tls.Client(b, client)
	err := c.Handshake()
	if err != nil {
		require.NoError(t, b.Close())
	}
	if e := <-done; err == nil {
		err = e
	}
	return c.ConnectionState(), err
}

// Mozilla's intermediate profile: old protocols and suites find no agreement, new ones do.
func TestProfile(t *testing.T) {
	s, err := SelfSigned("", []string{"localhost"})
	require.NoError(t, err)
	server := s.TLS()
	ask := func(change func(*tls.Config)) (tls.ConnectionState, error) {
		c := &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{"h2", "http/1.1"}, Rand: rand.Reader}
		change(c)
		return handshake(t, server, c)
	}
	state, err := ask(func(*tls.Config) {})
	require.NoError(t, err)
	require.Equal(t, uint16(tls.VersionTLS13), state.Version)
	require.Equal(t, "h2", state.NegotiatedProtocol)
	require.Equal(t, tls.X25519MLKEM768, state.CurveID)

	state, err = ask(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	require.NoError(t, err)
	require.Equal(t, uint16(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), state.CipherSuite)

	for what, change := range map[string]func(*tls.Config){
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"CBC": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		},
		"no forward secrecy": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		},
		"another protocol": func(c *tls.Config) { c.NextProtos = []string{"smtp"} },
	} {
		_, err := ask(change)
		require.Error(t, err, what)
	}
}
