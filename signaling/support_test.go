package signaling

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling/client"
)

// fixture is a server with its registry behind a real HTTP server and the real router.
type fixture struct {
	t      *testing.T
	server *Server
	reg    *segmenter.Registry
	http   *httptest.Server
	logs   *logBuffer
}

// serve starts a fixture; what is not set in cfg is chosen for tests. It ends with the test.
func serve(t *testing.T, cfg Config) *fixture { return serveWith(t, cfg, segmenter.DefaultConfig()) }

func serveWith(t *testing.T, cfg Config, streams segmenter.Config) *fixture {
	t.Helper()
	if cfg.UDPAddress == "" {
		cfg.UDPAddress = "127.0.0.1:0"
	}
	if cfg.RateBurst == 0 {
		cfg.RateBurst = 1000
	}
	logs := &logBuffer{}
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	reg := segmenter.NewRegistry(streams, log)
	s, err := New(cfg, reg, log)
	require.NoError(t, err)
	r := chi.NewRouter()
	r.Route("/whip", s.Routes)
	f := &fixture{t: t, server: s, reg: reg, http: httptest.NewServer(r), logs: logs}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.Close(ctx))
		f.http.Close()
		reg.Close()
	})
	return f
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// reply is a response that has been read.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request; headers come in pairs. Redirects are not followed.
func (f *fixture) do(method, path, body string, headers ...string) reply {
	f.t.Helper()
	req, err := http.NewRequest(method, f.http.URL+path, strings.NewReader(body))
	require.NoError(f.t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	require.NoError(f.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(f.t, err)
	c.CloseIdleConnections()
	return reply{res.StatusCode, res.Header, string(b)}
}

// post sends an offer.
func (f *fixture) post(path, offer string, headers ...string) reply {
	f.t.Helper()
	return f.do("POST", path, offer, append([]string{"Content-Type", "application/sdp"}, headers...)...)
}

// kind is the problem's kind in a reply, "" if it is no problem document.
func (r reply) kind() string {
	var p struct{ Type string }
	if r.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(r.body), &p) != nil {
		return ""
	}
	return strings.TrimPrefix(p.Type, problemPrefix)
}

// detail is the problem's sentence.
func (r reply) detail() string {
	var p struct{ Detail string }
	_ = json.Unmarshal([]byte(r.body), &p)
	return p.Detail
}

// recorded returns the text of a recorded offer or fragment.
func recorded(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(b)
}

// publish starts a real publisher of video and audio.
func (f *fixture) publish(stream string, change ...func(*client.Options)) *client.Session {
	f.t.Helper()
	s, err := f.tryPublish(stream, change...)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func (f *fixture) tryPublish(stream string, change ...func(*client.Options)) (*client.Session, error) {
	o := client.Options{
		URL: f.http.URL + "/whip/" + stream, Video: &client.VideoOptions{}, Audio: &client.AudioOptions{},
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return client.Publish(ctx, o)
}

// status is the stream's status, the zero one if there is no such stream.
func (f *fixture) status(stream string) segmenter.Status {
	if s := f.reg.Lookup(stream); s != nil {
		return s.Status()
	}
	return segmenter.Status{}
}

// eventually waits for a condition about goroutines and sockets that no channel tells of.
func (f *fixture) eventually(what string, cond func() bool) {
	f.t.Helper()
	require.Eventually(f.t, cond, 10*time.Second, 5*time.Millisecond, what)
}

// sps, pps, idr and slice make a stream that can be taken apart, though not decoded.
var (
	sps   = mustBase64("Z0LAH9oBQBbsBagICAoAAAMAAgAAAwB5HjBlQA==")
	pps   = mustBase64("aM48gA==")
	idr   = append([]byte{0x65, 0x88, 0x84, 0x00}, filled(3000)...)
	slice = append([]byte{0x41, 0x9a, 0x24, 0x6c}, filled(500)...)
	opus  = append([]byte{0xfc}, filled(100)...)
)

func mustBase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func filled(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%251) | 1
	}
	return b
}

// send feeds a publisher in real time, an IDR every second and at every request, until ctx or the session ends.
func send(ctx context.Context, s *client.Session) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		pts := time.Duration(n) * 20 * time.Millisecond
		unit := [][]byte{slice}
		select {
		case <-s.Keyframes():
			unit = [][]byte{sps, pps, idr}
		default:
			if n%50 == 0 {
				unit = [][]byte{sps, pps, idr}
			}
		}
		if s.WriteVideo(unit, pts) != nil || s.WriteAudio(opus, pts) != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-s.Done():
			return
		}
	}
}

// sending runs send beside the test and stops it at its end, or earlier by the function returned.
func (f *fixture) sending(s *client.Session) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		send(ctx, s)
	}()
	stop = func() {
		cancel()
		<-done
	}
	f.t.Cleanup(stop)
	return stop
}

// annexB joins NAL units with start codes.
func annexB(nalus ...[]byte) []byte {
	var out []byte
	for _, n := range nalus {
		out = append(append(out, 0, 0, 0, 1), n...)
	}
	return out
}

func mediaSample(b []byte) media.Sample {
	return media.Sample{Data: b, Duration: 20 * time.Millisecond}
}

func mustAddrPort(t *testing.T, i int) netip.AddrPort {
	t.Helper()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(10000+i))
}
