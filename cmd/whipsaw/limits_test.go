package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// offer is all that a publisher of sound has to say to get a session; it never comes to a connection.
const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijklmn\r\na=setup:actpass\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"

// knock posts the offer to a stream.
func (s *instance) knock(stream string) *http.Response {
	s.t.Helper()
	r, err := http.Post(s.URL()+"/whip/"+stream, "application/sdp", strings.NewReader(offer))
	require.NoError(s.t, err)
	require.NoError(s.t, r.Body.Close())
	return r
}

// metrics is what the operator reads.
func (s *instance) metrics() string {
	s.t.Helper()
	_, _, body := fetch(s.t, s.AdminURL()+"/metrics")
	return string(body)
}

// Each bound refuses with 503, says when to come again, and is counted; what is there already goes on. (Memory:
// TestPublishRefusesWhatCannotBe of segmenter, TestPublishProblems of signaling; egress: TestEgress of server.)
func TestBoundsRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		flag, problem string
	}{
		"streams":              {"--max-streams=1", "overloaded"},
		"sessions per address": {"--max-sessions-per-address=1", "address-full"},
	} {
		s := serve(t, c.flag)
		require.Equal(t, http.StatusCreated, s.knock("a").StatusCode, name)
		r := s.knock("b")
		require.Equal(t, http.StatusServiceUnavailable, r.StatusCode, name)
		require.Equal(t, "10", r.Header.Get("Retry-After"), name)
		require.Contains(t, s.metrics(), `whipsaw_publish_refused_total{problem="`+c.problem+`"} 1`)
		require.Contains(t, s.metrics(), "whipsaw_sessions 1\n")
	}
	s := serve(t, "--max-connections=1", "--max-egress=8k")
	kept, err := net.DialTimeout("tcp", s.HTTP.String(), patience)
	require.NoError(t, err)
	defer kept.Close()
	require.NoError(t, kept.SetDeadline(time.Now().Add(patience)))
	_, err = kept.Write([]byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	_, err = kept.Read(make([]byte, 1))
	require.NoError(t, err)
	status, header, _ := s.get("/hls/a/index.m3u8")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "5", header.Get("Retry-After"))
	require.Contains(t, s.metrics(), "whipsaw_connections_refused_total 1\n")
	require.Contains(t, s.metrics(), "whipsaw_egress_max_bytes_per_second 1000\n")
	require.NotContains(t, s.metrics(), "whipsaw_egress_bytes_total 0\n")
}
