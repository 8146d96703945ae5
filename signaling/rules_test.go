package signaling

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// audioOnly is the plain offer without its picture.
func audioOnly() string {
	return strings.Replace(plain[:strings.Index(plain, "m=video")], "BUNDLE a v", "BUNDLE a", 1)
}

// A stream that takes certain codecs says what it does not take, and how to go on.
func TestCodecsOfAStream(t *testing.T) {
	t.Parallel()
	taken := map[string][]string{"picture": {"H264"}, "sound": {"OPUS"}, "both": {"h264", "opus"}, "all": nil, "future": {"AV1"}}
	f := serve(t, Config{Stream: func(name string) StreamRules { return StreamRules{Codecs: taken[name]} }})
	for _, c := range []struct{ stream, offer, says string }{
		{"picture", plain, "to take H.264 only, and this offer has Opus for audio; publish without audio, or let the operator of this server allow Opus (setting codec)"},
		{"sound", plain, "to take Opus only, and this offer has H.264 for video; publish without video"},
		{"future", plain, "to take AV1 only"},
		{"picture", audioOnly(), "to take H.264 only"},
		{"sound", audioOnly(), ""},
		{"both", plain, ""},
		{"all", plain, ""},
	} {
		r := f.post("/whip/"+c.stream, c.offer)
		if c.says == "" {
			require.Equal(t, 201, r.status, r.body)
			continue
		}
		require.Equal(t, 422, r.status, c.stream)
		require.Equal(t, "codec-not-allowed", r.kind())
		require.Contains(t, r.detail(), c.says)
	}
	require.EqualValues(t, 4, f.server.Counts().Refused["codec-not-allowed"])
}

// What can be served is what may be allowed.
func TestCodecsAreThoseOfOffers(t *testing.T) {
	o, p := parseOffer(plain)
	require.Nil(t, p)
	require.Nil(t, StreamRules{Codecs: Codecs()}.refuse(o))
	for _, c := range Codecs() {
		require.Contains(t, codecNames, strings.ToLower(c))
	}
}

// RFC 8866 5.8, RFC 3890 6.2: the answer tells the picture's share of the bound, and REMB never more.
func TestBitrateIsTold(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{Stream: func(string) StreamRules { return StreamRules{MaxBitrate: 500_000} }})
	body := f.post("/whip/told", plain).body
	video := body[strings.Index(body, "m=video"):]
	require.Contains(t, video, "\r\nb=AS:450\r\nb=TIAS:450000\r\n")
	require.NotContains(t, body[:len(body)-len(video)], "b=", "the sound has what is left")

	p := newRaw(f)
	p.post(strings.ReplaceAll(p.offer(nil), "transport-cc", "unknown"))
	p.wait()
	p.sending()
	sender := p.pc.GetSenders()[0]
	require.NoError(t, sender.SetReadDeadline(time.Now().Add(10*time.Second)))
	for told := 0; told < 1; {
		packets, _, err := sender.ReadRTCP()
		require.NoError(t, err)
		for _, p := range packets {
			if m, ok := p.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
				require.Equal(t, float32(500_000), m.Bitrate, "without sound the picture has all")
				told++
			}
		}
	}
	unbound := serve(t, Config{}).post("/whip/free", plain).body
	require.NotContains(t, unbound, "\r\nb=")
}

// Ten seconds count, not a burst.
func TestExcess(t *testing.T) {
	for name, c := range map[string]struct {
		seconds []uint64 // bytes of each
		most    int64
		at      int // after which it is too much; -1: never
	}{
		"within":         {[]uint64{1000, 1000}, 8000, -1},
		"a tenth over":   {[]uint64{1100}, 8000, -1},
		"well over":      {[]uint64{1200}, 8000, 10},
		"keyframes":      {[]uint64{2500, 0}, 8000, 10},
		"one burst":      {append([]uint64{9000}, make([]uint64, 30)...), 8000, -1},
		"no bound":       {[]uint64{1 << 40}, 0, -1},
		"six of ten":     {append(make([]uint64, 20), 2000, 2000, 2000, 2000, 2000, 2000), 8000, 26},
		"nothing at all": {[]uint64{0}, 8000, -1},
	} {
		e, bytes, at := excess{most: c.most}, uint64(0), -1
		for i := range 60 {
			if e.look(time.Unix(int64(i), 0), bytes) {
				at = i
				break
			}
			bytes += c.seconds[i%len(c.seconds)]
		}
		require.Equal(t, c.at, at, name)
	}
}

// A publisher that goes on sending too much is ended, and told why; others are not.
func TestExcessEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := segmenter.NewRegistry(segmenter.DefaultConfig(), slog.New(slog.DiscardHandler))
		defer reg.Close()
		pub, err := reg.Publish("x", segmenter.PublisherConfig{Tracks: []segmenter.TrackConfig{{Kind: segmenter.Audio}}})
		require.NoError(t, err)
		in := &inlet{}
		s := &session{
			pub: pub, excess: excess{most: 100_000},
			peer: &peer{heard: make(chan struct{}), down: make(chan struct{}), inlets: map[segmenter.Kind]*inlet{segmenter.Audio: in}},
		}
		close(s.peer.heard)
		begun, ended := time.Now(), make(chan segmenter.Reason)
		go func() { ended <- s.waitEnd(time.Hour) }()
		feed := time.NewTicker(100 * time.Millisecond)
		defer feed.Stop()
		for {
			select {
			case <-feed.C:
				in.arrived.bytes.Add(2000)
				continue
			case reason := <-ended:
				require.Equal(t, segmenter.ReasonTooFast, reason)
			}
			break
		}
		require.Equal(t, 11*time.Second, time.Since(begun))
	})
}
