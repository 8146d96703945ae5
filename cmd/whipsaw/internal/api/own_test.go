package api

import (
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/access"
)

// Where reading takes a token, the one for publishing shows the stream that it is for, and nothing else.
func TestPublisherSeesItsOwnStream(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Tokens = kept("", "reader")
		own, err := access.NewToken(access.Publish, "a", "camera")
		require.NoError(t, err)
		other, err := access.NewToken(access.Publish, "b*", "other")
		require.NoError(t, err)
		eyes, err := access.NewToken(access.Watch, "a", "eyes")
		require.NoError(t, err)
		require.NoError(t, c.Gate.Replace(access.Config{Tokens: []access.Token{own, other, eyes}}))
	})
	for _, c := range []struct {
		path, token string
		status      int
	}{
		{"/api/streams/a", "camera", 200}, {"/api/streams/a/findings", "camera", 200}, {"/api/streams/a/viewers", "camera", 200},
		{"/api/streams", "camera", 401}, {"/api/streams/a/snapshot", "camera", 403}, {"/api/streams/b", "camera", 401}, {"/api/events", "camera", 403},
		{"/api/streams/a", "other", 401}, {"/api/streams/b1", "other", 404}, {"/api/streams/a", "eyes", 401}, {"/api/streams/a", "wrong", 401},
		{"/api/streams/a", "reader", 200},
	} {
		require.Equal(t, c.status, d.do("GET", c.path, "", "Authorization", "Bearer "+c.token).Code, "%s with %s", c.path, c.token)
	}
	require.Equal(t, 401, d.do("GET", "/api/streams/a", "").Code)
}
