package signaling

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const fragmentType = "application/trickle-ice-sdpfrag"

// patch sends a fragment with an If-Match, unless that is empty.
func (f *fixture) patch(path, match, body string, headers ...string) reply {
	if match != "" {
		headers = append(headers, "If-Match", match)
	}
	return f.do("PATCH", path, body, append([]string{"Content-Type", fragmentType}, headers...)...)
}

// RFC 9725 4.3: every way in which a PATCH can be refused, and that the session stays what it was.
func TestRFC9725_4_3_PatchRefused(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", recorded(t, "gst.sdp"))
	loc, etag := r.header.Get("Location"), r.header.Get("ETag")
	good := recorded(t, "gst.patch1.sdpfrag")
	restart := func(ufrag, pwd string) string {
		return "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:video0\r\n"
	}
	const ufrag, pwd = "k8nzDbxlag0CtkLbppAwRx62kU1Phpne", "zcv5SFUyu7BNDjVx2/DG2RXD+u46sprl"
	cases := []struct {
		name, match, body string
		headers           []string
		status            int
		kind              string
	}{
		{"no If-Match", "", good, nil, 428, "if-match"},
		{"stale", `"AAAAAAAAAAAAAAAA"`, good, nil, 412, "stale-etag"},
		{"not quoted", strings.Trim(etag, `"`), good, nil, 412, "stale-etag"},
		{"weak never matches", "W/" + etag, good, nil, 412, "stale-etag"},
		{"stale tag in an ETag header", "", good, []string{"ETag", `"x"`}, 412, "stale-etag"},
		{"empty", etag, "", nil, 400, "malformed"},
		{"not a fragment", etag, "{}", nil, 400, "malformed"},
		{"candidate before any section", etag, "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", nil, 400, "malformed"},
		{"half of a restart: no password", "*", "a=ice-ufrag:newnew\r\n", nil, 400, "malformed"},
		{"half of a restart: old password", "*", restart("newnew", pwd), nil, 400, "malformed"},
		{"half of a restart: old fragment", "*", restart(ufrag, "newpasswordnewpassword"), nil, 400, "malformed"},
		{"restart with a short password", "*", restart("newnew", "short"), nil, 400, "malformed"},
		{"two sets of credentials", "*", restart("newnew", "newpasswordnewpassword") + "a=ice-ufrag:other\r\na=ice-pwd:otherpasswordotherpassword\r\n", nil, 400, "malformed"},
		{"restart with a stale tag", `"AAAAAAAAAAAAAAAA"`, restart("newnew", "newpasswordnewpassword"), nil, 412, "stale-etag"},
		{"too large", etag, strings.Repeat("a=x\r\n", 100000), nil, 413, "too-large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := f.patch(loc, c.match, c.body, c.headers...)
			require.Equal(t, c.status, r.status, r.body)
			require.Equal(t, c.kind, r.kind())
		})
	}
	wrong := f.do("PATCH", loc, good, "Content-Type", "application/sdp", "If-Match", etag)
	require.Equal(t, http.StatusUnsupportedMediaType, wrong.status)
	// the old tag is good still
	require.Equal(t, http.StatusNoContent, f.patch(loc, etag, good).status)
}

// RFC 9725 4.3.2: candidates are taken with 204, without a body or a new tag; what cannot be used is passed over.
func TestRFC9725_4_3_2_Trickle(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", recorded(t, "gst.sdp"))
	loc, etag := r.header.Get("Location"), r.header.Get("ETag")
	for name, send := range map[string]func() reply{
		"recorded candidates": func() reply { return f.patch(loc, etag, recorded(t, "gst.patch1.sdpfrag")) },
		"recorded end":        func() reply { return f.patch(loc, etag, recorded(t, "gst.patch2.sdpfrag")) },
		"any generation":      func() reply { return f.patch(loc, "*", recorded(t, "gst.patch1.sdpfrag")) },
		"tag in a list":       func() reply { return f.patch(loc, `"x", `+etag, recorded(t, "gst.patch1.sdpfrag")) },
		"tag in an ETag header": func() reply {
			return f.patch(loc, "", recorded(t, "gst.patch1.sdpfrag"), "ETag", etag)
		},
		"no credentials": func() reply {
			return f.patch(loc, etag, "m=audio 9 RTP/AVP 0\na=mid:video0\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\n")
		},
		"mDNS, TCP, component 2, nonsense": func() reply {
			return f.patch(loc, etag, "m=audio 9 RTP/AVP 0\r\na=mid:video0\r\na=candidate:1 1 udp 1 ab.local 9 typ host\r\n"+
				"a=candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\na=candidate:1 2 udp 1 192.0.2.1 9 typ host\r\na=candidate:\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := send()
			require.Equal(t, http.StatusNoContent, r.status, r.body)
			require.Empty(t, r.body)
			require.Empty(t, r.header.Get("ETag"))
		})
	}
	s := f.only()
	require.Len(t, s.peer.offer.candidates, 3, "two of the recorded ones and one of our own, each once")
}

// only returns the one session there is.
func (f *fixture) only() *session {
	f.t.Helper()
	f.server.mu.Lock()
	defer f.server.mu.Unlock()
	require.Len(f.t, f.server.sessions, 1)
	for _, s := range f.server.sessions {
		return s
	}
	return nil
}

// A publisher whose candidates come by PATCH alone, on a server that does not know its address otherwise.
func TestTrickledPublisherConnects(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	p := newRaw(f)
	offer := p.offer(nil)
	p.post(without(offer, "a=candidate", "a=end-of-candidates"))
	frag := with(offer, "a=ice-ufrag") + with(offer, "a=ice-pwd") + "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" +
		with(offer, "a=candidate") + "a=end-of-candidates\r\n"
	require.Equal(t, http.StatusNoContent, f.patch(p.loc, p.etag, frag).status)
	p.wait()
	p.sending()
	f.eventually("media arrives", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Video.Packets > 10
	})
}

// A publisher that never tells a candidate is found by its own checks (peer-reflexive), as with OBS.
func TestPublisherWithoutCandidatesConnects(t *testing.T) {
	f := serve(t, Config{})
	p := newRaw(f)
	p.post(without(p.offer(nil), "a=candidate", "a=end-of-candidates"))
	p.wait()
}

// RFC 9725 4.3.3: after an ICE restart the media goes on in the same session.
func TestRFC9725_4_3_3_Restart(t *testing.T) {
	t.Parallel()
	for name, undeclared := range map[string]bool{"declared source": false, "source known by payload type": true} {
		t.Run(name, func(t *testing.T) {
			f := serve(t, Config{})
			p := newRaw(f)
			first := p.offer(nil)
			sent := first
			if undeclared {
				sent = without(first, "a=ssrc", "a=extmap")
			}
			p.post(sent)
			p.wait()
			p.sending()
			f.eventually("media arrives", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 10 })
			pub := f.only().pub

			p.restart(`"*"`)
			before := f.status("live").Video.Packets
			f.eventually("media goes on", func() bool { return f.status("live").Video.Packets > before+20 })
			require.Same(t, pub, f.only().pub)
			select {
			case <-pub.Done():
				t.Fatal("the publisher ended:", pub.Reason())
			default:
			}
			p.restart("*")
			before = f.status("live").Video.Packets
			f.eventually("and once more", func() bool { return f.status("live").Video.Packets > before+20 })
			require.Equal(t, 1, strings.Count(f.logs.String(), `msg="media arrives"`), "the track was never torn down")
			require.Equal(t, http.StatusOK, f.do("DELETE", p.loc, "").status)
		})
	}
}

// Trickled candidates are bounded.
func TestCandidateBound(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", plain)
	var frag strings.Builder
	frag.WriteString("m=audio 9 RTP/AVP 0\r\na=mid:a\r\n")
	for i := range 200 {
		c := candidate{foundation: "f", priority: 1, typ: "host"}
		c.addr = mustAddrPort(t, i)
		frag.WriteString("a=" + c.String() + "\r\n")
	}
	require.Equal(t, http.StatusNoContent, f.patch(r.header.Get("Location"), "*", frag.String()).status)
	require.Len(t, f.only().peer.offer.candidates, maxCandidates)
}

// The candidates of an offer are tried, but not before the publisher has had time to read its answer.
func TestOfferedCandidatesWait(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer c.Close()
	port := c.LocalAddr().(*net.UDPAddr).Port
	r := f.post("/whip/live", edit(t, "a=mid:a\n", fmt.Sprintf("a=mid:a\na=candidate:1 1 udp 2130706431 127.0.0.1 %d typ host\n", port)))
	start := time.Now()
	require.Equal(t, http.StatusCreated, r.status)
	require.NoError(t, c.SetReadDeadline(start.Add(5*time.Second)))
	buf := make([]byte, 1500)
	n, _, err := c.ReadFrom(buf)
	require.NoError(t, err, "the server checks the candidate")
	require.GreaterOrEqual(t, n, 20)
	require.Equal(t, []byte{0x21, 0x12, 0xa4, 0x42}, buf[4:8], "RFC 8489 5: magic cookie")
	require.Greater(t, time.Since(start), candidateDelay/2)
}
