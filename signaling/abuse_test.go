package signaling

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 9725 5: PATCHes of one session are bounded; the session goes on.
func TestRFC9725_5_PatchFlood(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain)
	loc, etag := r.header.Get("Location"), r.header.Get("ETag")
	other := f.post("/whip/other", plain)
	const trickle = "m=audio 9 RTP/AVP 0\r\na=mid:a\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
	refused := 0
	for range 3 * patchBurst {
		switch r := f.patch(loc, etag, trickle); r.status {
		case http.StatusTooManyRequests:
			require.Equal(t, "rate", r.kind())
			require.Equal(t, "1", r.header.Get("Retry-After"))
			refused++
		default:
			require.Equal(t, http.StatusNoContent, r.status)
		}
	}
	require.Greater(t, refused, patchBurst)
	require.Equal(t, http.StatusNoContent, f.patch(other.header.Get("Location"), "*", trickle).status, "each session has its own count")
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
}

// RFC 9725 5: session URLs cannot be looked for by trying; who has one is not kept from it.
func TestRFC9725_5_SessionGuessing(t *testing.T) {
	f := serve(t, Config{})
	loc := f.post("/whip/live", plain).header.Get("Location")
	last := reply{}
	for range missBurst + 10 {
		last = f.do("DELETE", "/whip/live/guess", "")
	}
	require.Equal(t, http.StatusTooManyRequests, last.status)
	require.NotEmpty(t, last.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
}
