package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/signaling/client"
)

// A server that is told to end sends new publishers away with the time to come back (RFC 9725 4.5), closes the sessions of
// those it has so that they see close_notify, and is gone within ten seconds.
func TestDrainRefusesNewPublishers(t *testing.T) {
	s := serve(t)
	live, err := client.Publish(t.Context(), client.Options{URL: s.URL() + "/whip/live", Video: &client.VideoOptions{}})
	require.NoError(t, err)
	defer func() { _ = live.Close(context.Background()) }()
	post := func() *http.Response {
		// a player is there, for which the server stays a moment
		if r, err := http.Get(s.URL() + "/hls/live/index.m3u8"); err == nil {
			require.NoError(t, r.Body.Close())
		}
		r, err := http.Post(s.URL()+"/whip/late", "application/sdp", strings.NewReader("x"))
		require.NoError(t, err, "the server was gone before it refused anybody")
		require.NoError(t, r.Body.Close())
		return r
	}
	require.Equal(t, http.StatusBadRequest, post().StatusCode, "no SDP, as long as offers are read")
	begun := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- s.stop() }()
	var last *http.Response
	for last == nil || last.StatusCode != http.StatusServiceUnavailable {
		last = post()
	}
	require.NotEmpty(t, last.Header.Get("Retry-After"))
	require.Equal(t, "application/problem+json", last.Header.Get("Content-Type"))
	select {
	case <-live.Done():
	case <-time.After(patience):
		t.Fatal("the publisher was not told")
	}
	require.ErrorIs(t, live.Err(), client.ErrPeerClosed)
	require.NoError(t, <-ended)
	require.Less(t, time.Since(begun), 10*time.Second, "a container gets ten seconds")
	require.Contains(t, s.log.String(), "reason=shutdown")
}
