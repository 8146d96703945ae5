package signaling

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// The habits of publishers as they are, each by its name.

// high is a sequence parameter set of High profile and 640x360; sps is of Baseline and another size.
var high = mustBase64("Z2QAHqyyAUBf8uAiAAADAAIAAAMAeB4sXJA=")

// OBS puts the path of Location into the URL it posted to, whose query it drops, and takes nothing but 200 for a good end.
func TestOBSJoinsLocation(t *testing.T) {
	f := serve(t, Config{})
	for _, endpoint := range []string{"/whip/a", "/whip/b/", "/whip/c?key=value&other=1"} {
		r := f.post(endpoint, recorded(t, "obs.sdp"))
		require.Equal(t, http.StatusCreated, r.status)
		u, err := url.Parse(f.http.URL + endpoint)
		require.NoError(t, err)
		u.Path, u.RawQuery = r.header.Get("Location"), ""
		require.NotContains(t, u.Path, "?")
		require.Equal(t, u.Path, (&url.URL{Path: u.Path}).EscapedPath(), "nothing that would have to be escaped")
		require.Equal(t, http.StatusOK, f.do("DELETE", u.Path, "").status)
	}
}

// OBS always offers Constrained Baseline, whatever its encoder does: the stream's own parameter sets decide.
func TestOBSOffersBaselineAndSendsHigh(t *testing.T) {
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) { o.Audio = nil })
	f.writing(s, func(int) [][]byte { return [][]byte{high, pps, idr} })
	f.eventually("it is live", func() bool { st := f.status("live"); return st.State == "live" && st.Video.Width == 640 })
	require.Contains(t, f.status("live").Video.Codec, "avc1.64")
}

// OpenH264 in OBS never sends its parameter sets. Where the offer has none either, the session ends and says why.
func TestOBSWithoutParameterSets(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.FirstMedia = 500 * time.Millisecond
	f := serveWith(t, Config{}, streams)
	s := f.publish("live", func(o *client.Options) { o.Audio = nil })
	f.writing(s, func(int) [][]byte { return [][]byte{idr} })
	require.Equal(t, segmenter.ReasonNoParameters, f.ended("live"))
}

// FFmpeg fixes its role to that of the DTLS server, groups two mids though it has one track, and takes the first candidate.
func TestFFmpegPassiveSetup(t *testing.T) {
	f := serve(t, Config{PublicIPs: addrs("2001:db8::7", "203.0.113.7"), TCPAddress: "127.0.0.1:0"})
	offer := recorded(t, "ffmpeg9.sdp")
	audio, video := strings.Index(offer, "m=audio"), strings.Index(offer, "m=video")
	for name, one := range map[string]string{"video": offer[:audio] + offer[video:], "audio": offer[:video]} {
		r := f.post("/whip/"+name, one)
		require.Equal(t, http.StatusCreated, r.status, r.body)
		all := answerSections(r.body)
		require.Len(t, all, 2)
		require.Contains(t, all[1], "a=setup:active")
		require.Equal(t, 1, strings.Count(r.body, "a=group:BUNDLE "), "with the one mid that there is")
		first := strings.Split(with(r.body, "a=candidate"), "\r\n")[0]
		require.Regexp(t, `^a=candidate:\S+ 1 udp \d+ 203\.0\.113\.7 \d+ typ host$`, first)
	}
}

// FFmpeg knows one SRTP protection profile, the oldest, and is the DTLS server.
func TestFFmpegSRTPProfile(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) {
		o.HTTPClient = &http.Client{Transport: rewriting(func(sdp string) string {
			return strings.ReplaceAll(sdp, "a=setup:actpass", "a=setup:passive")
		})}
		o.Configure = func(e *webrtc.SettingEngine) { e.SetSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80) }
	})
	f.sending(s)
	f.eventually("media arrives", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 10 })
}

// GStreamer trickles with a pseudo m-line that has nothing to do with the offer's, and may name several mids in one PATCH.
func TestGStreamerTricklePatchWithTwoMids(t *testing.T) {
	f := serve(t, Config{})
	r := f.post("/whip/live", recorded(t, "gst.sdp"))
	frag := strings.TrimSuffix(with(recorded(t, "gst.patch1.sdpfrag"), "a=ice"), "\r\n") + "\r\n" +
		"m=audio 9 RTP/AVP 0\r\na=mid:video0\r\na=candidate:1 1 UDP 2015363327 192.0.2.2 54260 typ host\r\n" +
		"m=audio 9 RTP/AVP 0\r\na=mid:audio1\r\na=candidate:1 1 UDP 2015363327 192.0.2.3 54261 typ host\r\na=end-of-candidates\r\n"
	require.Equal(t, http.StatusNoContent, f.patch(r.header.Get("Location"), r.header.Get("ETag"), frag).status)
	require.Len(t, f.only().peer.offer.candidates, 2)
	require.Equal(t, http.StatusNoContent, f.patch(r.header.Get("Location"), r.header.Get("ETag"), recorded(t, "gst.patch2.sdpfrag")).status)
}

// simple-whip-client and others send If-Match with every request, also where it has no meaning (RFC 9725 4.3.1), and DELETE
// without their token.
func TestIfMatchEverywhere(t *testing.T) {
	f := serve(t, Config{Authorize: only("secret")})
	r := f.post("/whip/live", plain, "If-Match", `"x"`, "Authorization", "Bearer secret")
	require.Equal(t, http.StatusCreated, r.status)
	loc := r.header.Get("Location")
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		require.Equal(t, 2, f.do(method, loc, "", "If-Match", `"x"`).status/100, method)
	}
	require.Equal(t, http.StatusOK, f.do("DELETE", loc, "", "If-Match", `"x"`).status)
}

// Browsers and aiortc change the size of the picture at a keyframe, with parameter sets of the same number.
func TestBrowserChangesResolution(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	s := f.publish("live", func(o *client.Options) { o.Audio = nil })
	var set atomic.Pointer[[]byte]
	set.Store(&sps)
	f.writing(s, func(n int) [][]byte {
		if n%10 == 0 {
			return [][]byte{*set.Load(), pps, idr}
		}
		return [][]byte{slice}
	})
	shows := func(width int, changes int64) func() bool {
		return func() bool {
			st := f.status("live")
			return st.State == "live" && st.Video.Width == width && st.Discontinuities >= changes
		}
	}
	f.eventually("it is live", func() bool { return f.status("live").State == "live" })
	first := f.status("live").Video.Width
	require.NotEqual(t, 640, first)
	set.Store(&high)
	f.eventually("the new size", shows(640, 1))
	set.Store(&sps)
	f.eventually("the old size", shows(first, 2))
	require.Nil(t, f.status("live").LastEnd, "in one session")
}

// writing sends pictures in real time, until the test or the session ends.
func (f *fixture) writing(s *client.Session, picture func(n int) [][]byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := 0; s.WriteVideo(picture(n), time.Duration(n)*20*time.Millisecond) == nil; n++ {
			select {
			case <-tick.C:
			case <-s.Done():
				return
			}
		}
	}()
	f.t.Cleanup(func() {
		_ = s.Close(context.Background())
		<-done
	})
}

// Browsers probe the network with packets that are padding only (RFC 3550 5.1): they use up sequence numbers and are
// nothing else.
func TestBrowserPadding(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	var next uint16
	o := &odd{write: func(n int, h *rtp.Header, p []byte, send func(*rtp.Header, []byte) error) error {
		if h.PayloadType != 96 {
			return send(h, p)
		}
		if n%5 == 0 {
			padding := make([]byte, 255)
			padding[254] = 255
			extra := *h
			extra.Padding, extra.Marker, extra.SequenceNumber = true, false, next
			next++
			if err := send(&extra, padding); err != nil {
				return err
			}
		}
		h.SequenceNumber = next
		next++
		return send(h, p)
	}}
	f.sending(f.publish("live", o.use))
	f.eventually("media goes on", func() bool { st := f.status("live"); return st.State == "live" && st.Video.Packets > 60 })
	st := f.status("live").Video
	require.Zero(t, st.Garbage)
	require.Zero(t, st.Lost)
	require.Zero(t, st.Dropped)
	require.Zero(t, st.Jumps)
}

// A track is known with its first packet: the stream does not wait for one that comes later, and takes it when it comes.
func TestLateTrack(t *testing.T) {
	t.Parallel()
	streams := segmenter.DefaultConfig()
	streams.TrackWait = 100 * time.Millisecond
	f := serveWith(t, Config{}, streams)
	s := f.publish("live")
	f.writing(s, func(int) [][]byte { return [][]byte{sps, pps, idr} })
	f.eventually("it is live without sound", func() bool { return f.status("live").State == "live" })
	require.Zero(t, f.status("live").Audio.Packets)
	pts := time.Duration(0)
	f.eventually("the sound is there", func() bool {
		require.NoError(t, s.WriteAudio(opus, pts))
		pts += 20 * time.Millisecond
		a := f.status("live").Audio
		return a != nil && a.Packets > 5 && f.snapshot("live", "audio") != nil
	})
	require.Nil(t, f.status("live").LastEnd)
}
