package signaling

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// accepted is what is expected of a recorded offer that can be served.
type accepted struct {
	video, audio int    // payload types the answer names first
	rtx          int    // 0: no retransmission stream
	setup        string // of the answer
	mids         string // BUNDLE group of the answer
	profile      string
	channels     int
	twcc, mid    bool // header extensions
	candidates   int  // usable ones in the offer
	parameters   int  // sprop-parameter-sets
}

// recordings are what real publishers sent, and what becomes of it.
var recordings = map[string]struct {
	accepted
	problem string
	says    []string // in the detail sentence
}{
	"obs.sdp":                {accepted: accepted{video: 96, audio: 111, setup: "passive", mids: "0 1", profile: "42e01f", channels: 2, mid: true}},
	"obs-simulcast.sdp":      {problem: "simulcast", says: []string{"simulcast", "switch"}},
	"ffmpeg9.sdp":            {accepted: accepted{video: 106, audio: 111, rtx: 105, setup: "active", mids: "0 1", profile: "42401f", channels: 2}},
	"chromium.sdp":           {accepted: accepted{video: 102, audio: 111, rtx: 103, setup: "passive", mids: "0 1", profile: "42001f", channels: 2, twcc: true, mid: true, candidates: 4}},
	"chromium-default.sdp":   {accepted: accepted{video: 102, audio: 111, rtx: 103, setup: "passive", mids: "0 1", profile: "42001f", channels: 2, twcc: true, mid: true, candidates: 4}},
	"chromium-trickle.sdp":   {accepted: accepted{video: 102, audio: 111, rtx: 103, setup: "passive", mids: "0 1", profile: "42001f", channels: 2, twcc: true, mid: true}},
	"eyevinn-trickle.sdp":    {accepted: accepted{video: 102, audio: 111, rtx: 103, setup: "passive", mids: "0 1", profile: "42001f", channels: 2, twcc: true, mid: true, candidates: 8}},
	"chromium-simulcast.sdp": {problem: "simulcast", says: []string{"simulcast", "switch"}},
	"chromium-av1.sdp":       {problem: "codec-not-supported", says: []string{"only AV1", "enable H.264"}},
	"wrtc.sdp":               {problem: "codec-not-supported", says: []string{"only VP8, AV1 and VP9", "enable H.264"}},
	"firefox.sdp":            {accepted: accepted{video: 126, audio: 109, rtx: 127, setup: "passive", mids: "0 1", profile: "42e01f", channels: 2, twcc: true, mid: true, candidates: 2}},
	"gst.sdp":                {accepted: accepted{video: 96, audio: 100, setup: "passive", mids: "video0 audio1", profile: "42c01f", channels: 1, parameters: 2}},
	"aiortc.sdp":             {accepted: accepted{video: 99, audio: 96, setup: "passive", mids: "0 1", profile: "42001f", channels: 2, mid: true, candidates: 4}},
	"werift.sdp":             {accepted: accepted{video: 97, audio: 96, setup: "passive", mids: "0 1", profile: "42e01f", channels: 2, candidates: 6}},
	"ndc.sdp":                {accepted: accepted{video: 96, audio: 111, setup: "passive", mids: "0 1", profile: "42e01f", channels: 2, candidates: 2}},
}

func TestRecordedOffers(t *testing.T) {
	f := serve(t, Config{})
	for name, want := range recordings {
		t.Run(name, func(t *testing.T) {
			raw := recorded(t, name)
			r := f.post("/whip/"+strings.ReplaceAll(name, ".", "-"), raw)
			if want.problem != "" {
				require.Equal(t, http.StatusUnprocessableEntity, r.status, r.body)
				require.Equal(t, want.problem, r.kind())
				for _, s := range want.says {
					require.Contains(t, r.detail(), s)
				}
				return
			}
			require.Equal(t, http.StatusCreated, r.status, r.body)
			checkAnswer(t, r.body, want.accepted)
			o, p := parseOffer(raw)
			require.Nil(t, p)
			checkOffer(t, o, want.accepted)
		})
	}
}

func checkOffer(t *testing.T, o *offer, want accepted) {
	t.Helper()
	require.Len(t, o.candidates, want.candidates)
	require.Equal(t, want.channels, o.section(segmenter.Audio).channels)
	require.Len(t, o.section(segmenter.Video).parameterSets, want.parameters)
	require.Equal(t, "sha-256", o.hash)
}

// answerSections splits an answer at its m-lines; the first element is the session level.
func answerSections(answer string) [][]string {
	out := [][]string{nil}
	for _, l := range strings.Split(strings.TrimSuffix(answer, "\r\n"), "\r\n") {
		if strings.HasPrefix(l, "m=") {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], l)
	}
	return out
}

func checkAnswer(t *testing.T, answer string, want accepted) {
	t.Helper()
	all := answerSections(answer)
	require.Len(t, all, 3)
	require.Contains(t, all[0], "a=group:BUNDLE "+want.mids)
	require.Equal(t, want.mid, strings.Contains(answer, "sdes:mid"))
	require.Equal(t, want.twcc, strings.Contains(answer, "transport-wide-cc"))
	for i, s := range all[1:] {
		text := strings.Join(s, "\n")
		// RFC 9725 4.2: the answer is recvonly; 4.4.1: rtcp-mux; RFC 8858 3: never rtcp-mux-only in an answer
		require.Contains(t, s, "a=recvonly")
		require.Contains(t, s, "a=rtcp-mux")
		require.NotContains(t, text, "rtcp-mux-only")
		require.Contains(t, s, "a=setup:"+want.setup)
		for _, never := range []string{"red/", "ulpfec", "video-orientation", "VP8", "VP9", "AV1", "m=video 0", "m=audio 0", "a=ssrc"} {
			require.NotContains(t, text, never)
		}
		// one candidate each, of component 1, only where the transport is (RFC 9143 7.2.1)
		require.Equal(t, i == 0, strings.Contains(text, "a=candidate:"))
		require.Equal(t, i == 0, strings.Contains(text, "a=end-of-candidates"))
		require.LessOrEqual(t, strings.Count(text, "a=candidate:"), 1)
		require.NotRegexp(t, `a=candidate:\S+ 2 `, text)
	}
	checkCodecs(t, all[1:], want)
}

func checkCodecs(t *testing.T, sections [][]string, want accepted) {
	t.Helper()
	for _, s := range sections {
		text := strings.Join(s, "\n")
		if strings.HasPrefix(s[0], "m=audio") {
			require.Equal(t, fmt.Sprintf("m=audio 9 UDP/TLS/RTP/SAVPF %d", want.audio), s[0])
			require.Contains(t, strings.ToLower(text), fmt.Sprintf("a=rtpmap:%d opus/48000/2", want.audio))
			require.Contains(t, text, "stereo=1")
			require.Contains(t, text, "useinbandfec=1")
			continue
		}
		line := fmt.Sprintf("m=video 9 UDP/TLS/RTP/SAVPF %d", want.video)
		if want.rtx != 0 {
			line += fmt.Sprint(" ", want.rtx)
			require.Contains(t, text, fmt.Sprintf("a=fmtp:%d apt=%d", want.rtx, want.video))
		}
		require.Equal(t, line, s[0])
		require.Contains(t, strings.ToLower(text), fmt.Sprintf("a=rtpmap:%d h264/90000", want.video))
		// RFC 6184 8.2.2: the profile is repeated
		require.Contains(t, text, "packetization-mode=1;profile-level-id="+want.profile)
		if want.twcc {
			require.NotContains(t, text, "goog-remb")
		}
	}
}

// section returns the section of a kind, or nil.
func (o *offer) section(k segmenter.Kind) *section {
	for _, s := range o.sections {
		if s.kind == k {
			return s
		}
	}
	return nil
}
