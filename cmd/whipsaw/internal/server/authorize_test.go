package server

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/signaling"
)

func gated(t *testing.T, args ...string) *instance {
	t.Helper()
	cfg, err := config.ParseServe(args, func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	s := &instance{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	s.gate, err = s.access()
	require.NoError(t, err)
	t.Cleanup(s.gate.Close)
	return s
}

func TestAuthorize(t *testing.T) {
	s := gated(t, "--stream-token", "a=t0ken", "--demo")
	for _, c := range []struct {
		stream, token string
		status        int
	}{{"a", "t0ken", 0}, {"b", "t0ken", http.StatusForbidden}, {"a", "other", http.StatusUnauthorized}, {DemoStream, s.demo, 0}, {"a", s.demo, http.StatusForbidden}} {
		no := s.authorize()(context.Background(), signaling.Attempt{Stream: c.stream, Token: c.token})
		if c.status == 0 {
			require.Nil(t, no, "%v", c)
			continue
		}
		require.Equal(t, c.status, no.Status, "%v", c)
		require.NotContains(t, no.Detail, c.token)
	}
	require.Nil(t, gated(t).authorize(), "without settings nobody is asked")
	require.Nil(t, gated(t, "--open-publish", "--demo").authorize())
}

// The demo's token outlives a change of the others.
func TestReloadKeepsTheDemo(t *testing.T) {
	s := gated(t, "--stream-token", "a=t0ken", "--demo")
	other, err := s.gateConfig(gated(t, "--stream-token", "a=another").cfg.Access)
	require.NoError(t, err)
	require.NoError(t, s.gate.Replace(other))
	ask := func(stream, token string) *signaling.Refusal {
		return s.authorize()(context.Background(), signaling.Attempt{Stream: stream, Token: token})
	}
	require.Nil(t, ask(DemoStream, s.demo))
	require.Nil(t, ask("a", "another"))
	require.NotNil(t, ask("a", "t0ken"))
}

func TestBadKeysKeepItFromStarting(t *testing.T) {
	cfg, err := config.ParseServe([]string{"--jwt-jwks", "/no/such/file"}, func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	_, err = (&instance{cfg: cfg, log: slog.New(slog.DiscardHandler)}).access()
	require.ErrorContains(t, err, "--jwt-jwks /no/such/file")
}

func TestOverheard(t *testing.T) {
	for at, want := range map[string]bool{
		"": false, "keys.json": false, "https://id.example/keys": false, "http://127.0.0.1:9/": false, "http://localhost/": false, "http://[::1]:9/": false,
		"http://id.example/keys": true, "http://192.0.2.1/": true,
	} {
		require.Equal(t, want, overheard(at), at)
	}
}
