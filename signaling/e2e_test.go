package signaling

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A real publisher's packets reach the stream, and the stream's wishes the publisher.
func TestPublish(t *testing.T) {
	f := serve(t, Config{})
	s := f.publish("live")
	f.sending(s)
	f.eventually("video and audio arrive", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Packets > 100 && st.Audio.Packets > 50
	})
	require.Equal(t, 1, f.server.Sessions())
}
