package config

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSign(t *testing.T) {
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 32)
	got, err := ParseSign([]string{"--for", "90m", "live", "--url=https://tv.example/live/"}, env{"WHIPSAW_WATCH_KEY": a + "," + b}.lookup)
	require.NoError(t, err)
	require.Equal(t, Sign{Stream: "live", Keys: []Secret{Secret(a), Secret(b)}, For: 90 * time.Minute, URL: "https://tv.example/live"}, got)
	for args, says := range map[string]string{
		"":                      "sign takes STREAM",
		"a b":                   "got 2",
		".a":                    "no stream name",
		"a --watch-key short":   "at least 32 characters",
		"a --for 0s":            "--for 0s",
		"a --for soon":          "--for",
		"a --url tv.example":    "no URL like",
		"a --url http://h/?x=1": "no URL like",
		"a --no-such":           "no-such",
	} {
		_, err := ParseSign(strings.Fields(args), env{"WHIPSAW_WATCH_KEY": a}.lookup)
		require.ErrorIs(t, err, ErrUsage, args)
		require.ErrorContains(t, err, says, args)
	}
	_, err = ParseSign([]string{"a"}, env{}.lookup)
	require.ErrorContains(t, err, "WHIPSAW_WATCH_KEY")
}
