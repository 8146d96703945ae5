package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/metrics"
)

// roomFor asks for room before what follows.
func roomFor(count *connections, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if count.room(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// Over the bound nobody new is let in; who watches goes on, in whatever way, and so does who has a stream's URLs already.
func TestEgress(t *testing.T) {
	count := &connections{}
	count.limit = 1000
	const large = 100_000
	media := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".m4s") {
			_, _ = w.Write(make([]byte, large))
		}
	})
	inBubble(t, roomFor(count, media), count, func(t *testing.T, p *pipes) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go count.measure(ctx)
		get := func(c net.Conn, path string) *http.Response {
			say(t, c, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
			r, _ := answered(t, c)
			return r
		}
		const index, part = "/hls/a/index.m3u8", "/hls/a/g/video/part-0-1-2.m4s"
		old, linked, late := p.dial(), p.dial(), p.dial()
		require.Equal(t, http.StatusOK, get(old, index).StatusCode)
		require.Equal(t, http.StatusOK, get(old, part).StatusCode)
		<-time.After(time.Second) // virtual time
		require.InDelta(t, large/2, count.rate.Load(), large/20, "over two seconds")

		r := get(late, index)
		require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
		require.Equal(t, "10", r.Header.Get("Retry-After"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, http.StatusOK, get(old, part).StatusCode)
		require.Equal(t, http.StatusOK, get(old, index).StatusCode, "as when the stream begins anew")
		require.Equal(t, http.StatusOK, get(linked, part).StatusCode)
		require.Equal(t, http.StatusServiceUnavailable, get(late, index).StatusCode, "still")
		text := string(metrics.Collect(count.collectors()...).Text())
		require.Contains(t, text, "\nwhipsaw_viewers_refused_total 2\n")
		require.Contains(t, text, "\nwhipsaw_egress_max_bytes_per_second 1000\n")
		require.GreaterOrEqual(t, count.sent.Load(), int64(3*large))

		<-time.After(3 * time.Second)
		require.Zero(t, count.rate.Load())
		require.Equal(t, http.StatusOK, get(late, index).StatusCode, "there is room again")
		for _, c := range []net.Conn{old, linked, late} {
			require.NoError(t, c.Close())
		}
	})
}

// Without a bound nobody is refused, whatever leaves.
func TestEgressUnbound(t *testing.T) {
	count := &connections{}
	count.rate.Store(1 << 50)
	inBubble(t, roomFor(count, hello), count, func(t *testing.T, p *pipes) {
		c := p.dial()
		say(t, c, "GET /hls/a/index.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n")
		r, _ := answered(t, c)
		require.Equal(t, http.StatusOK, r.StatusCode)
		require.NoError(t, c.Close())
	})
}

// The packets of QUIC count, and its socket stays one with all that makes QUIC quick.
func TestEgressOfQUIC(t *testing.T) {
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer u.Close()
	var e egress
	c := e.counted(u)
	full, ok := c.(quic.OOBCapablePacketConn)
	require.True(t, ok)
	_, err = c.WriteTo([]byte("12345"), u.LocalAddr())
	require.NoError(t, err)
	to, _ := u.LocalAddr().(*net.UDPAddr)
	_, _, err = full.WriteMsgUDP([]byte("123"), nil, to)
	require.NoError(t, err)
	require.EqualValues(t, 8, e.sent.Load())
}

// What leaves over HTTP/3 shows in the metric.
func TestEgressOverHTTP3(t *testing.T) {
	a := running(t, 0, "--tls-self-signed", "--http3")
	sent := func() (n float64) {
		r, err := http.Get(a.AdminURL() + "/metrics")
		require.NoError(t, err)
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		_, value, ok := strings.Cut(string(text), "\nwhipsaw_egress_bytes_total ")
		require.True(t, ok)
		_, err = fmt.Sscan(value, &n)
		require.NoError(t, err)
		return n
	}
	before := sent()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // a certificate made for the test
	defer transport.Close()
	r, err := (&http.Client{Transport: transport}).Get(a.URL() + "/static/vendor/hls.min.js")
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, 3, r.ProtoMajor)
	require.Greater(t, sent()-before, float64(len(body)/10), "it may have come packed")
}
