package watch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"whipsaw/cmd/whipsaw/internal/bench/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func gather(t *testing.T, o *origin, opts Options) *Audience {
	opts.Wire = wire.Options{Version: wire.HTTP1, Timeout: 20 * time.Second}
	a, err := New(o.at("/"), opts)
	require.NoError(t, err)
	t.Cleanup(func() { a.Close() })
	return a
}

// A viewer follows redirects and both playlists, begins behind the edge, asks for what comes next before it is there, and
// fetches each part once (draft-pantos-hls-rfc8216bis-22 6.3, 6.2.5).
func TestViewer(t *testing.T) {
	for _, hints := range []bool{false, true} {
		t.Run(fmt.Sprintf("hints %t", hints), func(t *testing.T) {
			o := newOrigin(t)
			a := gather(t, o, Options{Hints: hints})
			a.Add(o.at("/index.m3u8"))
			a.Add(o.at("/index.m3u8"))
			waits := func(part int) {
				for _, kind := range []string{"video", "audio"} {
					o.eventually("both wait for the next part", func() bool {
						return o.count(fmt.Sprintf("/live/%s.m3u8?_HLS_msn=10&_HLS_part=%d&_HLS_skip=YES", kind, part)) == 2
					})
				}
			}
			waits(5)
			require.Equal(t, 2, o.count("/live/audio.m3u8?_HLS_msn=10&_HLS_part=4"), "as its rendition report says")
			for i := range 5 {
				require.Equal(t, 2, o.count(fmt.Sprintf("/live/video-%d.m4s", i)), "from the last independent part before the hold-back")
			}
			a.Begin()
			for next := 6; next <= 8; next++ {
				o.change(func() { o.next = next })
				waits(next)
				for _, kind := range []string{"video", "audio"} {
					o.eventually("each fetches the part", func() bool { return o.count(fmt.Sprintf("/live/%s-%d.m4s", kind, next-1)) == 2 })
				}
			}
			o.eventually("all is counted", func() bool { return a.Result().Parts == 12 })
			r := a.Close()
			require.Empty(t, r.Errors)
			require.Equal(t, int64(12), r.Playlists)
			require.Equal(t, int64(24), r.Requests)
			require.Equal(t, uint64(12), r.Delays.Part.Count())
			require.Equal(t, uint64(12), r.Delays.Playlist.Count())
			require.Equal(t, uint64(6), r.Delays.Release.Count())
			require.Equal(t, uint64(6), r.Delays.Delivery.Count())
			require.Zero(t, r.Delays.Unmarked)
			require.Equal(t, 1, o.count("/live/video.mp4")/2, "the init segment once")
			require.Equal(t, 2, o.sessions)
		})
	}
}

// Those who only wait follow the playlist, and one of them tells when its parts were sent.
func TestWaiters(t *testing.T) {
	o := newOrigin(t)
	a := gather(t, o, Options{VideoOnly: true, Waiters: true})
	a.Add(o.at("/index.m3u8"))
	a.Add(o.at("/index.m3u8"))
	for next := 5; next <= 7; next++ {
		o.eventually("both wait", func() bool {
			return o.count(fmt.Sprintf("/live/video.m3u8?_HLS_msn=10&_HLS_part=%d&_HLS_skip=YES", next)) == 2
		})
		if next == 5 {
			a.Begin()
		}
		o.change(func() { o.next = next + 1 })
	}
	o.eventually("each part has come", func() bool { return a.Result().Parts == 3 && a.Result().Playlists == 6 })
	r := a.Close()
	require.Empty(t, r.Errors)
	require.Equal(t, int64(3), r.Parts, "not to both")
	require.Equal(t, uint64(3), r.Delays.Release.Count())
}

func TestVideoOnly(t *testing.T) {
	o := newOrigin(t)
	a := gather(t, o, Options{VideoOnly: true})
	a.Add(o.at("/index.m3u8"))
	o.eventually("it waits", func() bool { return o.count("/live/video.m3u8?_HLS_msn=10&_HLS_part=5&_HLS_skip=YES") == 1 })
	a.Close()
	require.Zero(t, o.count("/live/audio.m3u8"))
}

// failures are answers of a broken server, by what a viewer calls them.
var failures = map[string]func(w http.ResponseWriter, r *http.Request) bool{
	"multivariant playlist: status 404": func(w http.ResponseWriter, r *http.Request) bool {
		http.NotFound(w, r)
		return true
	},
	"multivariant playlist: it leads to another host": func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		return true
	},
	"multivariant playlist: redirected too often": func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/again", http.StatusFound)
		return true
	},
	"playlist: status 503": func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.RawQuery, "_HLS_skip") {
			http.Error(w, "too late", http.StatusServiceUnavailable)
			return true
		}
		return false
	},
	"part: status 410": func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "video-") {
			http.Error(w, "gone", http.StatusGone)
			return true
		}
		return false
	},
	"init segment: status 500": func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".mp4") {
			http.Error(w, "", http.StatusInternalServerError)
			return true
		}
		return false
	},
	"playlist: the answer is older than what was asked for": func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.RawQuery, "_HLS_skip") {
			q := r.URL.Query()
			q.Del("_HLS_part")
			r.URL.RawQuery = q.Encode()
		}
		return false
	},
	"playlist: " + errNotLive.Error(): func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "video.m3u8") {
			fmt.Fprint(w, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\nx.m4s\n")
			return true
		}
		return false
	},
}

// What goes wrong is counted by its kind, and the viewer begins anew.
func TestErrors(t *testing.T) {
	for want, break_ := range failures {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t)
			o.break_ = break_
			a := gather(t, o, Options{})
			a.Add(o.at("/index.m3u8"))
			o.eventually("it is counted", func() bool { return a.Result().Errors[want] > 0 })
			require.Len(t, a.Result().Errors, 1)
		})
	}
}

func TestEnd(t *testing.T) {
	o := newOrigin(t)
	a := gather(t, o, Options{})
	a.Add(o.at("/index.m3u8"))
	o.eventually("it waits", func() bool { return o.count("/live/audio.m3u8?_HLS_msn=10&_HLS_part=5&_HLS_skip=YES") == 1 })
	o.change(func() { o.ended = true })
	o.eventually("the end is noticed", func() bool { return a.Result().Errors["playlist: the stream has ended"] > 0 })
}

func TestPlayable(t *testing.T) {
	o := newOrigin(t)
	o.next = 0
	a := gather(t, o, Options{})
	played := make(chan error, 1)
	go func() { played <- a.Playable(t.Context(), o.at("/index.m3u8")) }()
	o.eventually("it has looked", func() bool { return o.count("/live/video.m3u8") > 1 })
	require.Empty(t, played)
	o.change(func() { o.next = 1 })
	require.NoError(t, <-played)

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("told to"))
	o.change(func() { o.next = 0 })
	require.ErrorIs(t, a.Playable(ctx, o.at("/index.m3u8")), context.Canceled)
}

// What the errors are called does not depend on addresses and numbers, and there are not too many of them.
func TestErrorNames(t *testing.T) {
	o := newOrigin(t)
	a := gather(t, o, Options{})
	for i := range 2 * maxErrors {
		a.failed(failing("part", status(400+i)))
	}
	require.Len(t, a.Result().Errors, maxErrors+1)
	require.Equal(t, int64(maxErrors), a.Result().Errors["other"])
}
