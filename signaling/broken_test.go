package signaling

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// plain is a small offer that passes, for changing one thing at a time.
const plain = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE a v
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F
a=setup:actpass
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:a
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:v
a=sendonly
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=640028
`

// edit replaces in plain: pairs of old and new. Every old must be there.
func edit(t testing.TB, pairs ...string) string {
	t.Helper()
	s := plain
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, s, pairs[i])
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

const videoCodec = "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id=640028\n"

// brokenOffer is an offer that is refused, and how.
type brokenOffer struct {
	name, offer string
	status      int
	kind        string
	says        string
}

func brokenOffers(t *testing.T) []brokenOffer {
	t.Helper()
	video := plain[strings.Index(plain, "m=video"):]
	audio := plain[strings.Index(plain, "m=audio"):strings.Index(plain, "m=video")]
	session := plain[:strings.Index(plain, "m=audio")]
	return []brokenOffer{
		{"empty", "", 400, "malformed", "SDP"},
		{"no SDP at all", "hello", 400, "malformed", "SDP"},
		{"JSON", `{"type":"offer","sdp":"v=0"}`, 400, "malformed", "SDP"},
		{"half a line", "v=0\r\no=-", 400, "malformed", "SDP"},
		{"no media", session, 422, "sections", "no media section"},
		{"two videos", session + video + strings.ReplaceAll(video, "mid:v", "mid:a"), 422, "sections", "several video"},
		{"two audios", session + audio + strings.ReplaceAll(audio, "mid:a", "mid:v"), 422, "sections", "several audio"},
		{"data channel", plain + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:d\n", 422, "sections", "application"},
		{"a hundred sections", session + strings.Repeat(video, 100), 422, "sections", "too many"},
		{"switched off", edit(t, "m=video 9", "m=video 0"), 422, "sections", "port 0"},
		{"recvonly", edit(t, "a=sendonly", "a=recvonly"), 422, "direction", "sendonly"},
		{"inactive", edit(t, "a=sendonly", "a=inactive"), 422, "direction", "sendonly"},
		{"recvonly for the session", edit(t, "a=sendonly\n", "", "a=setup:actpass", "a=setup:actpass\na=recvonly"), 422, "direction", "recvonly"},
		{"plain RTP", edit(t, "UDP/TLS/RTP/SAVPF", "RTP/AVP"), 422, "transport", "RTP/AVP"},
		{"no rtcp-mux", edit(t, "a=rtcp-mux\n", ""), 422, "transport", "rtcp-mux"},
		{"no BUNDLE", edit(t, "a=group:BUNDLE a v\n", ""), 422, "transport", "max-bundle"},
		{"BUNDLE of one", edit(t, "BUNDLE a v", "BUNDLE a"), 422, "transport", "max-bundle"},
		{"other group", edit(t, "a=group:BUNDLE", "a=group:LS"), 422, "transport", "max-bundle"},
		{"same mids", edit(t, "a=mid:v", "a=mid:a"), 400, "malformed", "same mid"},
		{"no mids", edit(t, "a=mid:v\n", "", "a=mid:a\n", ""), 422, "transport", "max-bundle"},
		{"mid with a space", edit(t, "a=mid:v", "a=mid:v w"), 400, "malformed", "mid"},
		{"no ufrag", edit(t, "a=ice-ufrag:abcd\n", ""), 400, "malformed", "ice-ufrag"},
		{"short ufrag", edit(t, "a=ice-ufrag:abcd", "a=ice-ufrag:abc"), 400, "malformed", "ice-ufrag"},
		{"no password", edit(t, "a=ice-pwd:abcdefghijklmnopqrstuv\n", ""), 400, "malformed", "ice-pwd"},
		{"short password", edit(t, "abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstu"), 400, "malformed", "ice-pwd"},
		{"no fingerprint", edit(t, "a=fingerprint:sha-256", "a=x:"), 400, "malformed", "DTLS-SRTP"},
		{"short fingerprint", edit(t, ":1E:1F", ":1E"), 400, "malformed", "sha-256"},
		{"unknown hash", edit(t, "sha-256", "md5"), 400, "malformed", "sha-256"},
		{"fingerprint not hexadecimal", edit(t, ":1E:1F", ":1E:XX"), 400, "malformed", "sha-256"},
		{"holdconn", edit(t, "setup:actpass", "setup:holdconn"), 422, "transport", "holdconn"},
		{"VP8 and VP9", edit(t, videoCodec, "a=rtpmap:96 VP8/90000\n", "SAVPF 96", "SAVPF 96 97\na=rtpmap:97 VP9/90000"), 422, "codec-not-supported", "only VP8 and VP9 for video; enable H.264"},
		{"H.265", edit(t, "H264/90000", "H265/90000"), 422, "codec-not-supported", "only H265"},
		{"interleaved H.264", edit(t, "packetization-mode=1", "packetization-mode=2"), 422, "codec-not-supported", "interleaved"},
		{"wrong clock", edit(t, "H264/90000", "H264/48000"), 422, "codec-not-supported", "H.264"},
		{"G.711 only", edit(t, "SAVPF 111", "SAVPF 0 8", "a=rtpmap:111 opus/48000/2\n", ""), 422, "codec-not-supported", "only PCMU and PCMA for audio; enable Opus"},
		{"mono Opus name", edit(t, "opus/48000/2", "opus/48000"), 422, "codec-not-supported", "Opus"},
		{"no codec described", edit(t, videoCodec, ""), 422, "codec-not-supported", "payload type 96"},
		{"retransmission only", edit(t, "H264/90000", "rtx/90000"), 422, "codec-not-supported", "no codec"},
		{"payload type of RTCP", edit(t, "SAVPF 96", "SAVPF 72", ":96 ", ":72 "), 422, "transport", "cannot be told from RTCP"},
		{"one payload type for both", edit(t, "SAVPF 111", "SAVPF 96", ":111 ", ":96 "), 422, "transport", "two media sections use payload type 96"},
		{"three rids", edit(t, videoCodec, videoCodec+"a=rid:l send\na=rid:m send\na=rid:h send\na=simulcast:send l;m;h\n"), 422, "simulcast", "simulcast"},
		{"old simulcast", edit(t, videoCodec, videoCodec+"a=ssrc-group:SIM 1 2 3\na=ssrc:1 cname:x\n"), 422, "simulcast", "simulcast"},
	}
}

func TestBrokenOffers(t *testing.T) {
	f := serve(t, Config{})
	for _, c := range brokenOffers(t) {
		t.Run(c.name, func(t *testing.T) {
			r := f.post("/whip/live", c.offer)
			require.Equal(t, c.status, r.status, r.body)
			require.Equal(t, c.kind, r.kind())
			require.Contains(t, r.detail(), c.says)
			require.Nil(t, f.reg.Lookup("live"), "no stream was taken")
		})
	}
	require.Zero(t, f.server.Sessions())
}

// What is unusual but right.
func TestUnusualOffers(t *testing.T) {
	session := plain[:strings.Index(plain, "m=audio")]
	video := plain[strings.Index(plain, "m=video"):]
	alone := session + video
	cases := []struct {
		name, offer  string
		has, without []string
	}{
		{"as it is", plain, []string{"a=mid:a", "a=mid:v", "a=setup:passive", "profile-level-id=640028"}, []string{"rtcp-rsize"}},
		{"line feeds only, and sendrecv", edit(t, "a=sendonly\n", "a=sendrecv\n"), []string{"a=recvonly"}, []string{"a=sendrecv"}},
		{"no direction means sendrecv", edit(t, "a=sendonly\n", ""), []string{"a=recvonly"}, nil},
		{"no end of the last line", strings.TrimSpace(plain), []string{"m=video"}, nil},
		{"retransmission that is like RTCP", edit(t, "SAVPF 96", "SAVPF 96 80", videoCodec, videoCodec+"a=rtpmap:80 rtx/90000\na=fmtp:80 apt=96\na=ssrc-group:FID 7 8\na=ssrc:7 cname:x\na=ssrc:8 cname:x\n"), []string{"SAVPF 96\r\n"}, []string{"rtx"}},
		{"active", edit(t, "setup:actpass", "setup:active"), []string{"a=setup:passive"}, nil},
		{"passive", edit(t, "setup:actpass", "setup:passive"), []string{"a=setup:active"}, nil},
		{"no setup", edit(t, "a=setup:actpass\n", ""), []string{"a=setup:passive"}, nil},
		{"video only with BUNDLE of two", alone, []string{"a=group:BUNDLE v", "m=video"}, []string{"m=audio"}},
		{"one section without BUNDLE", strings.ReplaceAll(alone, "a=group:BUNDLE a v\n", ""), []string{"a=mid:v"}, []string{"BUNDLE"}},
		{"one section without BUNDLE and mid", strings.ReplaceAll(strings.ReplaceAll(alone, "a=group:BUNDLE a v\n", ""), "a=mid:v\n", ""), []string{"m=video"}, []string{"BUNDLE", "a=mid"}},
		{"rtcp-mux-only", edit(t, "a=rtcp-mux\n", "a=rtcp-mux-only\n"), []string{"a=rtcp-mux\r\n"}, []string{"rtcp-mux-only"}},
		{"old transport name", edit(t, "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), []string{"m=video 9 RTP/SAVPF 96"}, []string{"UDP/TLS"}},
		{"packetization mode left out", edit(t, "packetization-mode=1;", ""), []string{"packetization-mode=0;profile-level-id=640028"}, nil},
		{"mode 1 before mode 0", edit(t, "SAVPF 96", "SAVPF 97 96", videoCodec, videoCodec+"a=rtpmap:97 H264/90000\na=fmtp:97 profile-level-id=640028\n"), []string{"SAVPF 96\r\n"}, nil},
		{"no fmtp", edit(t, "a=fmtp:96 packetization-mode=1;profile-level-id=640028\n", ""), []string{"packetization-mode=0;profile-level-id=42000a"}, nil},
		{"High 10 Intra", edit(t, "640028", "6e1028"), []string{"profile-level-id=6e1028"}, nil},
		{"lower case codec", edit(t, "H264/90000", "h264/90000"), []string{"a=rtpmap:96 h264/90000"}, nil},
		{"single rid", edit(t, videoCodec, videoCodec+"a=rid:h send\na=simulcast:send h\n"), []string{"m=video"}, []string{"a=rid", "a=simulcast"}},
		{"feedback for every payload type", edit(t, videoCodec, videoCodec+"a=rtcp-fb:* nack pli\na=rtcp-fb:* goog-remb\n"), []string{"a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 goog-remb"}, nil},
		{"no REMB for who has better", edit(t, videoCodec, videoCodec+"a=rtcp-fb:96 transport-cc\na=rtcp-fb:96 goog-remb\n"), []string{"a=rtcp-fb:96 transport-cc"}, []string{"goog-remb"}},
		{"NACK for audio", edit(t, "a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus/48000/2\na=rtcp-fb:111 nack"), []string{"a=rtcp-fb:111 nack"}, nil},
		{"retransmission without a declared source", edit(t, "SAVPF 96", "SAVPF 96 97", videoCodec, videoCodec+"a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\na=ssrc:7 cname:x\n"), []string{"SAVPF 96\r\n"}, []string{"rtx"}},
		{"MID without declared sources", edit(t, videoCodec, videoCodec+"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n"), []string{"m=video"}, []string{"extmap"}},
		{"unusable candidates", edit(t, "a=mid:a", "a=mid:a\na=candidate:1 1 udp 1 0123abcd.local 5 typ host\na=candidate:x"), []string{"m=video"}, nil},
		{"ICE-lite publisher", edit(t, "a=setup:actpass", "a=setup:actpass\na=ice-lite"), []string{"m=video"}, []string{"a=ice-lite"}},
	}
	f := serve(t, Config{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := f.post("/whip/"+strings.Map(letters, c.name), c.offer)
			require.Equal(t, http.StatusCreated, r.status, r.body)
			for _, s := range c.has {
				require.Contains(t, r.body, s)
			}
			for _, s := range c.without {
				require.NotContains(t, r.body, s)
			}
		})
	}
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

func TestParameterSets(t *testing.T) {
	big := base64.StdEncoding.EncodeToString(make([]byte, 2000))
	for in, want := range map[string]int{
		"":                          0,
		"Z0LAH9oB,aM48gA==":         2,
		"Z0LAH9oB,!!,aM48gA==":      1,
		"Z0LAH9oB,aM48gA":           2, // no padding
		big:                         0,
		strings.Repeat("aM48,", 30): maxParameterSets,
	} {
		require.Len(t, parameterSets(in), want, in[:min(len(in), 30)])
	}
}

// RFC 8122 5: of several fingerprints SHA-256 is taken, from the nearest level.
func TestFingerprintChoice(t *testing.T) {
	o, p := parseOffer(recorded(t, "aiortc.sdp"))
	require.Nil(t, p)
	require.Equal(t, "sha-256", o.hash)
	other := strings.Repeat("AB:", 31) + "AB"
	o, p = parseOffer(edit(t, "a=mid:a\n", "a=mid:a\na=fingerprint:SHA-256 "+strings.ToLower(other)+"\n"))
	require.Nil(t, p)
	require.Equal(t, other, o.digest)
}

// What the library is given has nothing in it that was not understood.
func TestNormalizedOffer(t *testing.T) {
	o, p := parseOffer(recorded(t, "chromium-default.sdp"))
	require.Nil(t, p)
	text := o.normalized(3)
	for _, never := range []string{"VP8", "VP9", "AV1", "red/", "tcptype", "abs-send-time", "orientation", "goog-remb", "local"} {
		require.NotContains(t, text, never)
	}
	require.Contains(t, text, "o=- 1 3 IN")
	again, p := parseOffer(text)
	require.Nil(t, p)
	require.Equal(t, o.section(segmenter.Video).ssrc, again.section(segmenter.Video).ssrc)
	require.Equal(t, o.section(segmenter.Video).rtxSSRC, again.section(segmenter.Video).rtxSSRC)
	require.Equal(t, o.creds, again.creds)
	require.Equal(t, o.candidates, again.candidates)
	require.NotZero(t, o.section(segmenter.Video).rtxSSRC)
}

// RFC 9725 4.3.3: a restart changes credentials and candidates, nothing else. Learned sources are declared from then on.
func TestRestartedOffer(t *testing.T) {
	o, p := parseOffer(plain)
	require.Nil(t, p)
	c, ok := parseCandidate("candidate:1 1 udp 5 192.0.2.1 9 typ host")
	require.True(t, ok)
	n := o.restarted(credentials{"new1", "newpasswordnewpassword"}, []candidate{c}, map[segmenter.Kind]uint32{segmenter.Video: 77})
	require.Equal(t, "new1", n.creds.ufrag)
	require.EqualValues(t, 77, n.section(segmenter.Video).ssrc)
	require.Zero(t, o.section(segmenter.Video).ssrc, "the old offer is as it was")
	require.Contains(t, n.normalized(2), "a=ssrc:77 cname:video")
	require.Contains(t, n.normalized(2), "a="+c.String())
	require.Equal(t, o.digest, n.digest)
}
