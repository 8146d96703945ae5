package signaling

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"
)

// checker is a publisher's ICE agent of the simplest kind: one socket, and checks made by hand.
type checker struct {
	t    *testing.T
	conn net.Conn
	user string // USERNAME towards the server
	pwd  string // the server's
}

// newChecker takes the answer to an offer whose user name fragment is ufrag.
func newChecker(t *testing.T, f *fixture, answer, ufrag string) *checker {
	t.Helper()
	c, err := net.Dial("udp", f.server.MediaAddresses()[0].String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	get := func(a string) string {
		return strings.TrimSpace(strings.TrimPrefix(strings.SplitAfter(with(answer, a), "\n")[0], a))
	}
	return &checker{t: t, conn: c, user: get("a=ice-ufrag:") + ":" + ufrag, pwd: get("a=ice-pwd:")}
}

// check sends a Binding request (RFC 8445 7.2.2) and reports whether it is answered with success within a moment.
func (c *checker) check(within time.Duration, more ...stun.Setter) bool {
	c.t.Helper()
	all := append([]stun.Setter{
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(c.user), stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
	}, more...)
	request, err := stun.Build(append(all, stun.NewShortTermIntegrity(c.pwd), stun.Fingerprint)...)
	require.NoError(c.t, err)
	_, err = c.conn.Write(request.Raw)
	require.NoError(c.t, err)
	require.NoError(c.t, c.conn.SetReadDeadline(time.Now().Add(within)))
	buf := make([]byte, 1500)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return false
		}
		m := stun.Message{Raw: buf[:n]}
		if m.Decode() == nil && m.TransactionID == request.TransactionID {
			return m.Type == stun.BindingSuccess
		}
	}
}

// Some versions of FFmpeg send their checks without PRIORITY, which RFC 8445 7.1.1 asks for: they are answered.
func TestFFmpegCheckWithoutPriority(t *testing.T) {
	f := serve(t, Config{})
	for i, lite := range []bool{false, true} {
		f := f
		if lite {
			f = serve(t, Config{Lite: true})
		}
		r := f.post("/whip/live", recorded(t, "ffmpeg9.sdp"))
		require.Equal(t, http.StatusCreated, r.status)
		c := newChecker(t, f, r.body, "4c392b06")
		require.True(t, c.check(5*time.Second, stun.RawAttribute{Type: stun.AttrUseCandidate}), "%d", i)
		stranger := *c
		stranger.pwd += "x"
		require.False(t, stranger.check(100*time.Millisecond), "without the password")
	}
}

// RFC 9725 4.2, RFC 7675 5.2: consent ends with the session, at once: what the publisher sends is answered no more. After
// an ICE restart it is the new credentials that count (RFC 9725 4.3.3).
func TestRFC7675_5_2_ConsentEnds(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain)
	loc := r.header.Get("Location")
	c := newChecker(t, f, r.body, "abcd")
	require.True(t, c.check(5*time.Second))
	restart := f.patch(loc, "*", "a=ice-ufrag:newer\r\na=ice-pwd:newpasswordnewpassword\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n")
	require.Equal(t, http.StatusOK, restart.status)
	require.False(t, c.check(100*time.Millisecond), "of the generation before")
	c = newChecker(t, f, restart.body, "newer")
	require.True(t, c.check(5*time.Second))
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
	require.False(t, c.check(200*time.Millisecond))
}

// RFC 9725 4.5: nothing is redirected, least of all PATCH and DELETE; a slash at the end makes no difference.
func TestRFC9725_4_5_NoRedirects(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live/", plain)
	require.Equal(t, http.StatusCreated, r.status)
	loc := r.header.Get("Location") + "/"
	require.Equal(t, http.StatusNoContent, f.patch(loc, "*", "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n").status)
	require.Equal(t, http.StatusOK, f.do("OPTIONS", loc, "").status)
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "").status)
	require.Equal(t, http.StatusOK, f.do("OPTIONS", "/whip/live/", "").status)
}
