package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	for args, want := range map[string]Check{
		"http://h/live.m3u8":                        {URL: "http://h/live.m3u8", For: 30 * time.Second},
		"https://h/live.m3u8?t=1 --for 5s --json":   {URL: "https://h/live.m3u8?t=1", For: 5 * time.Second, JSON: true},
		"--strict --insecure https://h:8443/x.m3u8": {URL: "https://h:8443/x.m3u8", For: 30 * time.Second, Strict: true, Insecure: true},
		"--http3 https://h/x.m3u8":                  {URL: "https://h/x.m3u8", For: 30 * time.Second, HTTP3: true},
	} {
		got, err := ParseCheck(strings.Fields(args), env{}.lookup)
		require.NoError(t, err, args)
		require.Equal(t, want, got, args)
	}
}

func TestCheckRefuses(t *testing.T) {
	for args, says := range map[string]string{
		"":                          "check takes the URL of one playlist, and got 0",
		"http://h/a http://h/b":     "got 2",
		"h/live.m3u8":               `"h/live.m3u8" is no URL like http://`,
		"file:///etc/passwd":        "is no URL",
		"http:///x":                 "is no URL",
		"http://h/x --for 500ms":    "--for 500ms is not between",
		"http://h/x --for 8000h":    "--for",
		"http://h/x --for tomorrow": "--for",
		"http://h/x --fast":         "fast",
		"http://h/x --http3":        "--http3 needs an https URL",
	} {
		_, err := ParseCheck(strings.Fields(args), env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, args)
		require.ErrorContains(t, err, says, args)
	}
}
