package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrigins(t *testing.T) {
	for _, good := range []string{"*", "https://example.com", "http://localhost:3000", "https://a.example:8443", "http://127.0.0.1", "http://[::1]:8080"} {
		c := parseServe(t, nil, "--cors-origin", good)
		require.Equal(t, []string{good}, c.Origins)
	}
	c := parseServe(t, env{"WHIPSAW_CORS_ORIGIN": "https://a.example, https://b.example"})
	require.Equal(t, []string{"https://a.example", "https://b.example"}, c.Origins)
	for _, bad := range []string{
		"example.com", "https://", "https://example.com/", "https://example.com/path", "https://Example.com", "https://example.com:443",
		"http://example.com:80", "http://example.com:", "ftp://example.com", "https://user@example.com", "https://example.com?x", "null", "https://*.example.com/",
	} {
		_, err := ParseServe([]string{"--cors-origin", bad}, env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, bad)
		require.ErrorContains(t, err, "--cors-origin: ", bad)
	}
}
