package audience

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type house struct {
	*Audience
	now     time.Time
	handler http.Handler
}

func open() *house {
	h := &house{now: time.Unix(1e9, 0)}
	h.Audience = New(func(s string) bool { return s != "unknown" })
	h.Audience.now = func() time.Time { return h.now }
	h.handler = http.StripPrefix("/hls", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { h.Count(r, r.URL.Path) }))
	return h
}

func (h *house) ask(path, from, agent string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = from
	r.Header.Set("User-Agent", agent)
	h.handler.ServeHTTP(httptest.NewRecorder(), r)
}

func TestPlayersAndConnections(t *testing.T) {
	h := open()
	for i := range 3 {
		h.ask("/hls/live/g/video/media.m3u8?_HLS_msn=1", fmt.Sprintf("192.0.2.1:%d", 1000+i), "a")
	}
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.1:1000", "a")
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.2:1000", "a")
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.2:1001", "b")
	h.ask("/hls/live/g/video/part-0-0-0.m4s", "192.0.2.9:1", "no playlist")
	h.ask("/hls/live/index.m3u8", "192.0.2.9:2", "not playing yet")
	h.ask("/hls/unknown/g/video/media.m3u8", "192.0.2.9:3", "no stream")
	require.Equal(t, Viewers{Players: 3, Connections: 5}, h.Viewers("live"))
	require.Zero(t, h.Viewers("unknown"))
	require.Zero(t, h.Viewers("other"))
}

// A list that paints stills asks for playlists as well, and is nobody who watches.
func TestGlancesDoNotCount(t *testing.T) {
	h := open()
	for purpose, players := range map[string]int{"preview": 0, "": 1, "other": 1} {
		r := httptest.NewRequest(http.MethodGet, "/hls/"+purpose+"x/g/video/media.m3u8", nil)
		r.Header.Set("X-Purpose", purpose)
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, players, h.Viewers(purpose+"x").Players, purpose)
	}
}

// Who stops asking is forgotten after 10 to 15 seconds, and who goes on stays one viewer.
func TestTimePasses(t *testing.T) {
	h := open()
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.7:1", "leaves")
	for range 20 {
		h.ask("/hls/live/g/video/media.m3u8", "192.0.2.1:1", "stays")
		h.now = h.now.Add(time.Second)
	}
	require.Equal(t, 1, h.Viewers("live").Players)
	h.now = h.now.Add(9 * time.Second)
	require.Equal(t, 1, h.Viewers("live").Players)
	h.now = h.now.Add(6 * time.Second)
	require.Zero(t, h.Viewers("live"))
	h.now = h.now.Add(time.Hour)
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.1:1", "back")
	require.Equal(t, 1, h.Viewers("live").Players)
}

// The estimate of many is near, and counting them at once loses none.
func TestMany(t *testing.T) {
	h := open()
	const n = 5000
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := w; i < n; i += 4 {
				h.ask("/hls/live/g/video/media.m3u8", fmt.Sprintf("10.0.%d.%d:1", i/250, i%250), "a")
			}
		})
	}
	all.Wait()
	require.InEpsilon(t, n, h.Viewers("live").Players, 0.05)
	require.InEpsilon(t, n, h.Viewers("live").Connections, 0.05)
}

// Apple's players tell which session they are: a phone that changes its network stays one.
func TestSessionHeader(t *testing.T) {
	h := open()
	for i := range 3 {
		r := httptest.NewRequest(http.MethodGet, "/hls/live/g/video/media.m3u8", nil)
		r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i+1)
		r.Header.Set("X-Playback-Session-Id", "one")
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	require.Equal(t, Viewers{Players: 1, Connections: 3}, h.Viewers("live"))
}

func TestForget(t *testing.T) {
	h := open()
	h.ask("/hls/live/g/video/media.m3u8", "192.0.2.1:1", "a")
	h.Forget()
	require.NotZero(t, h.Viewers("live"))
	h.exists = func(string) bool { return false }
	h.Forget()
	require.Zero(t, h.Viewers("live"))
}

func BenchmarkNote(b *testing.B) {
	a := New(func(string) bool { return true })
	r := httptest.NewRequest(http.MethodGet, "/hls/live/g/video/media.m3u8", nil)
	b.ReportAllocs()
	for b.Loop() {
		a.note("live", r)
	}
}
