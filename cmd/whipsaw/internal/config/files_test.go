package config

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/certificate"
)

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	_, err := certificate.SelfSigned(dir, []string{"localhost"})
	require.NoError(t, err)
	pem, keys, none := filepath.Join(dir, "self-signed.pem"), filepath.Join(dir, "keys.json"), filepath.Join(dir, "none")
	require.NoError(t, os.WriteFile(keys, []byte(`{"keys":[]}`), 0o600))
	for text, says := range map[string]string{
		"tls-cert: " + pem + "\ntls-key: " + pem + "\n":                 "",
		"tls-key: " + pem + "\ntls-cert: " + none + "\n":                ":2: tls-cert: open " + none,
		"tls-cert: " + pem + "\ntls-key: " + keys + "\n":                ":1: tls-cert: ",
		"jwt-jwks: " + none + "\n":                                      ":1: jwt-jwks: open " + none,
		"jwt-jwks: " + keys + "\n":                                      ":1: jwt-jwks: not a JSON Web Key Set",
		"jwt-jwks: https://keys.example/set\n":                          "",
		"acme-domain: a.example\nacme-dir: /d\nacme-ca: " + pem + "\n":  "",
		"acme-domain: a.example\nacme-dir: /d\nacme-ca: " + none + "\n": ":3: acme-ca: open " + none,
		"acme-domain: a.example\nacme-dir: /d\nacme-ca: " + keys + "\n": "holds no certificate in PEM",
	} {
		path := inFile(t, text)
		_, l, err := LoadFile([]string{path}, env{}.lookup)
		require.NoError(t, err, text)
		err = l.CheckFiles()
		if says == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorAs(t, err, new(Faults), text)
		require.ErrorContains(t, err, path+":", text)
		require.ErrorContains(t, err, says, text)
	}
}

func TestExposed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have other rights there")
	}
	const hash = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
	for _, c := range []struct {
		text    string
		mode    os.FileMode
		exposed bool
	}{
		{"publish-token: x\n", 0o604, true}, {"publish-token: x\n", 0o640, false}, {"publish-token: " + hash + "\n", 0o644, false}, {"window: 1m\n", 0o644, false},
		{"streams: {a: {publish-token: x}}\n", 0o644, true}, {"streams: {a: {publish-token: " + hash + "}}\n", 0o644, false}, {"webhook: https://u:p@a.example/\n", 0o644, true},
	} {
		path := inFile(t, c.text)
		require.NoError(t, os.Chmod(path, c.mode))
		l, err := Load([]string{"--config", path}, env{}.lookup)
		require.NoError(t, err)
		base := filepath.Dir(filepath.Dir(path)) // what tests are given is closed to others
		require.Empty(t, l.Exposed(), "nobody comes so far")
		require.NoError(t, os.Chmod(base, 0o755))
		require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
		require.Equal(t, c.exposed && passable(filepath.Dir(base)), len(l.Exposed()) == 1, "%s %o", c.text, c.mode)
		require.NoError(t, os.Chmod(base, 0o700))
	}
	key := inFile(t, "a key")
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(key)), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(key), 0o755))
	require.Empty(t, Loaded{Serve: Serve{Delivery: Delivery{TLSKey: key}}}.Exposed())
	require.NoError(t, os.Chmod(key, 0o644))
	require.Equal(t, passable(os.TempDir()), len(Loaded{Serve: Serve{Delivery: Delivery{TLSKey: key}}}.Exposed()) == 1)
}
