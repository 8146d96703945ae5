package server

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A path goes to players' side as it was sent, and no other path gets there.
func TestBelow(t *testing.T) {
	for _, c := range []struct {
		base, at, path string
		ok             bool
	}{
		{"/hls", "/hls/live/index.m3u8?a=/hls", "/live/index.m3u8", true},
		{"/hls", "/hls/l%69ve%2f/index.m3u8", "/l%69ve%2f/index.m3u8", true},
		{"/hls", "/hls/", "/", true},
		{"/hls", "/hls", "", true},
		{"/live/hls", "/live/hls/a/index.m3u8", "/a/index.m3u8", true},
		{"/live/hls", "/hls/a/index.m3u8", "", false},
		{"/hls", "/hlsx/index.m3u8", "", false},
		{"/hls", "/hls%2flive/index.m3u8", "", false},
		{"/hls", "//hls/live/index.m3u8", "", false},
		{"/hls", "/whip/hls/", "", false},
	} {
		u, err := url.ParseRequestURI(c.at)
		require.NoError(t, err)
		path, ok := below(u, c.base)
		require.Equal(t, c.ok, ok, c.at)
		if ok {
			require.Equal(t, c.path, path, c.at)
		}
	}
}
