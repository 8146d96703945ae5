package signaling

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RFC 8445 2.5: a lite agent says so in its answer and leaves the checks to the publisher; media flows, also after a
// restart, whose fragment says the same again (RFC 9725 4.3.3).
func TestICELite(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{Lite: true})
	p := newRaw(f)
	p.post(without(p.offer(nil), "a=candidate", "a=end-of-candidates"))
	require.Contains(t, answerSections(p.pc.RemoteDescription().SDP)[0], "a=ice-lite")
	p.wait()
	p.sending()
	f.eventually("media arrives", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 10 })
	require.True(t, p.restart("*").lite)
	before := f.status("live").Video.Packets
	f.eventually("media goes on", func() bool { return f.status("live").Video.Packets > before+20 })
}

// A lite agent sends no checks of its own, whatever candidates it is told.
func TestICELiteSendsNoChecks(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{Lite: true})
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	candidate := "candidate:1 1 udp 2130706431 " + strings.Replace(c.LocalAddr().String(), ":", " ", 1) + " typ host"
	r := f.post("/whip/live", edit(t, "a=mid:a\n", "a=mid:a\na="+candidate+"\n"))
	require.Equal(t, http.StatusCreated, r.status)
	require.Equal(t, http.StatusNoContent, f.patch(r.header.Get("Location"), "*", "m=audio 9 RTP/AVP 0\r\na=mid:a\r\na="+candidate+"\r\n").status)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(2*candidateDelay)))
	_, _, err = c.ReadFrom(make([]byte, 1500))
	require.Error(t, err)
}

// RFC 9725 4.4.5: a publisher is a full agent. A lite one is served by a full server only.
func TestLiteMeetsLite(t *testing.T) {
	offer := edit(t, "a=setup:actpass", "a=setup:actpass\na=ice-lite")
	f := serve(t, Config{Lite: true})
	r := f.post("/whip/live", offer)
	require.Equal(t, http.StatusUnprocessableEntity, r.status)
	require.Equal(t, "transport", r.kind())
	require.Contains(t, r.detail(), "--ice-lite")
	full := serve(t, Config{}).post("/whip/live", offer)
	require.Equal(t, http.StatusCreated, full.status)
	require.NotContains(t, full.body, "ice-lite")
}
