package signaling

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

func TestConfigDefaultsAndErrors(t *testing.T) {
	c, err := Config{}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, 15*time.Second, c.ConnectTimeout)
	require.EqualValues(t, 256<<10, c.MaxBody)
	require.Equal(t, "127.0.0.1:8189", c.UDPAddress, "loopback unless told otherwise")
	for _, bad := range []Config{
		{UDPAddress: "nonsense"}, {UDPAddress: "127.0.0.1:99999"}, {MaxBody: -1}, {ConnectTimeout: -1}, {RateLimit: -1},
		{PublicIPs: []netip.Addr{{}}}, {PublicIPs: []netip.Addr{netip.MustParseAddr("0.0.0.0")}},
		{PublicIPs: []netip.Addr{netip.MustParseAddr("fe80::1%eth0")}},
	} {
		_, err := bad.withDefaults()
		require.ErrorIs(t, err, ErrConfig, "%+v", bad)
		_, err = New(bad, nil, slog.New(slog.DiscardHandler))
		require.ErrorIs(t, err, ErrConfig)
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestLimiter(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLimiter(0.5, 2)
	l.now = func() time.Time { return now }
	a, b := prefix("192.0.2.1/32"), prefix("192.0.2.2/32")
	for range 2 {
		_, ok := l.allow(a)
		require.True(t, ok)
	}
	retry, ok := l.allow(a)
	require.False(t, ok)
	require.Equal(t, 2, retry)
	_, ok = l.allow(b)
	require.True(t, ok, "another address has its own count")
	now = now.Add(time.Second)
	retry, ok = l.allow(a)
	require.False(t, ok)
	require.Equal(t, 1, retry)
	now = now.Add(time.Second)
	_, ok = l.allow(a)
	require.True(t, ok)
}

// The table stays small, and a flood from everywhere does not let the flooder start anew.
func TestLimiterBounded(t *testing.T) {
	l := newLimiter(0.001, 1)
	flooder := prefix("192.0.2.1/32")
	_, ok := l.allow(flooder)
	require.True(t, ok)
	for i := range 3 * maxAddresses {
		l.allow(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
		_, ok := l.allow(flooder)
		require.False(t, ok)
	}
	require.Len(t, l.byAddr, maxAddresses)
	require.Equal(t, maxAddresses, l.recent.Len())
}

func TestClientAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234":            "192.0.2.1/32",
		"[::ffff:192.0.2.1]:1234":   "192.0.2.1/32",
		"[2001:db8:1:2:3:4:5:6]:12": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:12":         "fe80::/64",
		"192.0.2.1":                 "192.0.2.1/32",
		"@":                         "invalid Prefix",
	} {
		require.Equal(t, want, clientAddress(&http.Request{RemoteAddr: remote}).String(), remote)
	}
}

func TestTombstones(t *testing.T) {
	now := time.Unix(1000, 0)
	s := tombstones{life: time.Minute, tombs: map[string]tomb{}}
	pub := new(segmenter.Publisher)
	s.add("a", pub, now)
	require.Same(t, pub, s.find("a", now.Add(59*time.Second)))
	require.Nil(t, s.find("b", now))
	require.Nil(t, s.find("a", now.Add(time.Minute)))
	require.Empty(t, s.tombs)
	for i := range maxTombstones + 10 {
		s.add(fmt.Sprint(i), pub, now)
	}
	require.Len(t, s.tombs, maxTombstones)
	require.Len(t, s.order, maxTombstones)
	require.Nil(t, s.find("9", now))
	require.NotNil(t, s.find("10", now))
}

// One certificate serves many sessions, and is a new one long before the month is over.
func TestCertificateRotation(t *testing.T) {
	now := time.Now()
	c := certificates{now: func() time.Time { return now }}
	first, err := c.get()
	require.NoError(t, err)
	now = now.Add(certificateLife - time.Second)
	same, err := c.get()
	require.NoError(t, err)
	require.True(t, first.Equals(same))
	require.Greater(t, first.Expires().Sub(now), 7*24*time.Hour)
	now = now.Add(time.Second)
	next, err := c.get()
	require.NoError(t, err)
	require.False(t, first.Equals(next))
}

func TestMatches(t *testing.T) {
	for list, want := range map[string]bool{
		`"a"`: true, `*`: true, `"*"`: true, `"b", "a"`: true, ` "a" `: true,
		`"b"`: false, `a`: false, `W/"a"`: false, ``: false, `"A"`: false, `"a`: false,
	} {
		require.Equal(t, want, matches(list, `"a"`), list)
	}
}

// Identifiers of sessions cannot be guessed and do not repeat.
func TestIdentifiers(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		for _, s := range []string{newID(), newETag()} {
			require.False(t, seen[s])
			seen[s] = true
		}
	}
	require.Len(t, newID(), 27, "160 bits")
	require.Len(t, newName(), 8)
}

// The library's words appear at debug level only, and a flood of them is cut.
func TestLibraryLog(t *testing.T) {
	var b logBuffer
	quiet := newLibraryLog(slog.New(slog.NewTextHandler(&b, nil))).NewLogger("ice")
	quiet.Error("loud")
	quiet.Warnf("%d", 1)
	require.Empty(t, b.String())
	debug := newLibraryLog(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
	l := debug.NewLogger("ice")
	l.Trace("t")
	l.Tracef("t")
	l.Debug("d")
	l.Debugf("d")
	require.Empty(t, b.String())
	l.Info("50% done")
	l.Errorf("%s failed", "it")
	require.Contains(t, b.String(), `scope=ice level=info text="50% done"`)
	require.Contains(t, b.String(), `scope=ice level=error text="it failed"`)
	before := len(b.String())
	for range 10000 {
		l.Warn("again")
		l.Infof("again")
	}
	require.Less(t, len(b.String())-before, 20000)
}

// Feedback never blocks the stream: what the network does not take is dropped.
func TestFeedbackDropsWhenFull(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{}, 100)
	var got [][]rtcp.Packet
	f := newFeedback(7, func(p []rtcp.Packet) error {
		got = append(got, p)
		entered <- struct{}{}
		<-release
		return nil
	}, reports{})
	var s source
	nack, pli := f.nack(&s), f.pli(&s, []string{"nack pli", "ccm fir"})
	nack([]uint16{1})
	pli()
	require.Empty(t, f.queue, "nothing to ask of a source that has not sent")
	s.ssrc.Store(9)
	nack([]uint16{100, 101, 103})
	<-entered
	for range 10 * feedbackQueue {
		pli()
	}
	require.Len(t, f.queue, feedbackQueue)
	close(release)
	for len(f.queue) > 0 {
		<-entered
	}
	f.close()
	require.Equal(t, &rtcp.TransportLayerNack{SenderSSRC: 7, MediaSSRC: 9, Nacks: []rtcp.NackPair{{PacketID: 100, LostPackets: 0b101}}}, got[0][0])
	require.Equal(t, &rtcp.PictureLossIndication{SenderSSRC: 7, MediaSSRC: 9}, got[1][0])
	require.LessOrEqual(t, len(got[1]), 8)
}

// A publisher that names only FIR is asked by FIR, each time with another number.
func TestFullIntraRequest(t *testing.T) {
	sent := make(chan rtcp.Packet, 10)
	f := newFeedback(7, func(p []rtcp.Packet) error {
		for _, x := range p {
			sent <- x
		}
		return nil
	}, reports{})
	defer f.close()
	var s source
	s.ssrc.Store(9)
	ask := f.pli(&s, []string{"nack", "ccm fir"})
	ask()
	ask()
	a, b := (<-sent).(*rtcp.FullIntraRequest), (<-sent).(*rtcp.FullIntraRequest)
	require.EqualValues(t, 9, a.FIR[0].SSRC)
	require.NotEqual(t, a.FIR[0].SequenceNumber, b.FIR[0].SequenceNumber)
}

// A flood of POSTs, refused for their rate, leaves a live publisher as it is.
func TestFloodLeavesLiveStream(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{RateBurst: 5, RateLimit: 0.01})
	s := f.publish("live")
	f.sending(s)
	f.eventually("media", func() bool { st := f.status("live"); return st.Video != nil && st.Video.Packets > 20 })
	refused := 0
	for range 200 {
		if f.post("/whip/other", plain).status == http.StatusTooManyRequests {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 190)
	require.Nil(t, f.status("live").LastEnd)
	before := f.status("live").Video.Packets
	f.eventually("media goes on", func() bool { return f.status("live").Video.Packets > before+20 })
}

// Who has as many sessions as one address may is refused, others are not; with IPv6 a /64 is one address. The place of a
// session that ended, or was never made, is free again.
func TestSessionsPerAddress(t *testing.T) {
	f := serve(t, Config{MaxPerAddress: 2, OpenPublish: true})
	post := func(from, stream string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/whip/"+stream, strings.NewReader(plain))
		r.RemoteAddr = from
		r.Header.Set("Content-Type", "application/sdp")
		w := httptest.NewRecorder()
		f.http.Config.Handler.ServeHTTP(w, r)
		return w
	}
	first := post("192.0.2.1:1", "a")
	require.Equal(t, http.StatusCreated, first.Code)
	require.Equal(t, http.StatusNotFound, post("192.0.2.1:2", "-").Code, "takes no place")
	require.Equal(t, http.StatusCreated, post("192.0.2.1:2", "b").Code)
	w := post("192.0.2.1:3", "c")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "10", w.Header().Get("Retry-After"))
	require.Contains(t, w.Body.String(), "address-full")
	require.EqualValues(t, 1, f.server.Counts().Refused["address-full"])
	require.Equal(t, http.StatusCreated, post("192.0.2.2:1", "c").Code)
	for i, from := range []string{"[2001:db8::1]:1", "[2001:db8::ffff:2]:1"} {
		require.Equal(t, http.StatusCreated, post(from, fmt.Sprint("six", i)).Code)
	}
	require.Equal(t, http.StatusServiceUnavailable, post("[2001:db8::3]:1", "six2").Code)
	require.Equal(t, http.StatusCreated, post("[2001:db8:0:1::3]:1", "six2").Code)

	require.Equal(t, http.StatusOK, f.do("DELETE", first.Header().Get("Location"), "").status)
	f.eventually("the place is free", func() bool { return post("192.0.2.1:4", "d").Code == http.StatusCreated })
}
