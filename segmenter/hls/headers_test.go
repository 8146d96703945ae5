package hls

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConditionsAndRanges(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		for _, path := range []string{"/hls/live/index.m3u8", o.base() + "media.m3u8", o.base() + "init-0.mp4", o.base() + "segment-0.m4s", o.base() + "part-0-1-2.m4s"} {
			plain := o.get(path)
			require.Equal(t, 200, plain.status)
			etag := plain.header.Get("ETag")
			require.Regexp(t, `^"[!#-~]+"$`, etag)
			require.Equal(t, "bytes", plain.header.Get("Accept-Ranges"))

			for _, method := range []string{"GET", "HEAD"} {
				a := o.do(method, path, "If-None-Match", `"x", W/`+etag, "Range", "bytes=0-1")
				require.Equal(t, 304, a.status)
				require.Zero(t, a.body.Len())
				require.Equal(t, etag, a.header.Get("ETag"))
				require.Equal(t, plain.header.Get("Cache-Control"), a.header.Get("Cache-Control"))
				require.Equal(t, plain.header.Values("Vary"), a.header.Values("Vary"))
				require.Empty(t, a.header.Get("Content-Length"))
			}
			require.Equal(t, 200, o.get(path, "If-None-Match", `"x"`).status)

			a := o.get(path, "Range", "bytes=3-20", "Accept-Encoding", "gzip", "If-Range", etag)
			require.Equal(t, 206, a.status)
			require.Equal(t, plain.body.Bytes()[3:21], a.body.Bytes())
			require.Equal(t, fmt.Sprintf("bytes 3-20/%d", plain.body.Len()), a.header.Get("Content-Range"))
			require.Equal(t, "18", a.header.Get("Content-Length"))

			a = o.get(path, "Range", "bytes=100000-")
			require.Equal(t, 416, a.status)
			require.Equal(t, fmt.Sprintf("bytes */%d", plain.body.Len()), a.header.Get("Content-Range"))
			require.Equal(t, noStoreText, a.header.Get("Cache-Control"))
			require.Zero(t, a.body.Len())

			require.Equal(t, 200, o.get(path, "Range", "bytes=3-20", "If-Range", `"x"`).status)
			require.Equal(t, 200, o.get(path, "Range", "bytes=0-1,3-4").status)
			require.Equal(t, 200, o.do("HEAD", path, "Range", "bytes=0-1").status)
		}
	})
}

func TestGzip(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		for _, path := range []string{"/hls/live/index.m3u8", o.base() + "media.m3u8"} {
			plain, small := o.get(path), o.get(path, "Accept-Encoding", "gzip, br")
			require.Empty(t, plain.header.Get("Content-Encoding"))
			require.Equal(t, "gzip", small.header.Get("Content-Encoding"))
			require.Equal(t, []string{"Accept-Encoding"}, plain.header.Values("Vary"))
			require.Equal(t, []string{"Accept-Encoding"}, small.header.Values("Vary"))
			require.NotEqual(t, plain.header.Get("ETag"), small.header.Get("ETag"), "another form has another tag")
			require.Equal(t, 304, o.get(path, "Accept-Encoding", "gzip", "If-None-Match", small.header.Get("ETag")).status)
			require.Equal(t, 200, o.get(path, "If-None-Match", small.header.Get("ETag")).status)
			require.Equal(t, fmt.Sprint(small.body.Len()), small.header.Get("Content-Length"))
			z, err := gzip.NewReader(&small.body)
			require.NoError(t, err)
			text, err := io.ReadAll(z)
			require.NoError(t, err)
			require.Equal(t, plain.body.String(), string(text))
		}
		for _, path := range []string{"init-0.mp4", "segment-0.m4s", "part-0-0-0.m4s"} {
			a := o.get(o.base()+path, "Accept-Encoding", "gzip")
			require.Empty(t, a.header.Get("Content-Encoding"))
			require.Empty(t, a.header.Values("Vary"))
		}
	})
}

func TestPriority(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(3 * time.Second)
		for path, want := range map[string]string{
			"/hls/live/index.m3u8": "u=1", o.base() + "media.m3u8": "u=1", o.base() + "segment-0.m4s": "u=2", o.base() + "init-0.mp4": "u=2",
		} {
			require.Equal(t, want, o.get(path).header.Get("Priority"), path)
		}
	})
}

func TestMethods(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(3 * time.Second)
		for _, path := range []string{"/hls/live/index.m3u8", o.base() + "media.m3u8", o.base() + "segment-0.m4s", "/hls/unknown"} {
			for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
				a := o.do(method, path)
				require.Equal(t, 405, a.status)
				require.Equal(t, "GET, HEAD, OPTIONS", a.header.Get("Allow"))
				require.Equal(t, noStoreText, a.header.Get("Cache-Control"))
			}
			a := o.do("OPTIONS", path)
			require.Equal(t, 204, a.status)
			require.Equal(t, "GET, HEAD, OPTIONS", a.header.Get("Allow"))
			require.Zero(t, a.body.Len())
		}
	})
}

func TestCORS(t *testing.T) {
	for _, test := range []struct {
		origins      []string
		origin, want string
	}{
		{nil, "", "*"},
		{nil, "https://a.example", "*"},
		{[]string{"*"}, "https://a.example", "*"},
		{[]string{"https://a.example", "https://b.example"}, "https://b.example", "https://b.example"},
		{[]string{"https://a.example"}, "https://c.example", ""},
		{[]string{"https://a.example"}, "", ""},
		{[]string{"https://a.example"}, "null", ""},
	} {
		bubble(t, Options{Origins: func() []string { return test.origins }}, soundOnly, func(t *testing.T, o *origin) {
			o.play(3 * time.Second)
			listed := test.want != "*"
			for path, status := range map[string]int{"/hls/live/index.m3u8": 200, "/hls/other/index.m3u8": 404, o.base() + "media.m3u8?_HLS_part=1": 400} {
				a := o.get(path, "Origin", test.origin)
				require.Equal(t, status, a.status)
				require.Equal(t, test.want, a.header.Get("Access-Control-Allow-Origin"), path)
				require.Equal(t, listed, a.header.Values("Vary") != nil && a.header.Values("Vary")[0] == "Origin")
				if test.want != "" {
					for _, name := range []string{"Age", "Date", "Content-Length", "ETag", "Content-Range"} {
						require.Contains(t, a.header.Get("Access-Control-Expose-Headers"), name)
					}
				}
			}
			a := o.do("OPTIONS", "/hls/live/index.m3u8", "Origin", test.origin, "Access-Control-Request-Method", "GET")
			require.Equal(t, 204, a.status)
			require.Equal(t, test.want, a.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, test.want != "", a.header.Get("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS")
			require.Equal(t, test.want != "", strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Range"))
		})
	}
}

// Nothing in an answer depends on who asks, or a shared cache would hand it to others.
func TestAnswersAreTheSameForAll(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		for _, path := range []string{"/hls/live/index.m3u8", o.base() + "media.m3u8", o.base() + "part-0-0-0.m4s", "/hls/x"} {
			one, other := o.get(path), o.get(path, "Origin", "https://a.example", "Cookie", "a=b", "User-Agent", "x", "X-Forwarded-For", "192.0.2.1")
			require.Equal(t, one.header, other.header)
			require.Equal(t, one.body.Bytes(), other.body.Bytes())
			require.Empty(t, one.header.Values("Set-Cookie"))
		}
	})
}

func TestHTTPPlaylistIsOneWrite(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(3 * time.Second)
		for _, path := range []string{"/hls/live/index.m3u8", o.base() + "media.m3u8", o.base() + "init-0.mp4", o.base() + "part-0-0-0.m4s"} {
			a := o.get(path)
			require.Equal(t, []string{"deadline 10s", fmt.Sprintf("write %d", a.body.Len()), "flush", "deadline lifted"}, roundDeadlines(a.events), path)
		}
		// The deadline of an HTTP/2 stream is nobody else's: nothing is to be lifted, and no frame wasted on a flush.
		r := httptest.NewRequest("GET", o.base()+"init-0.mp4", nil)
		r.ProtoMajor = 2
		two := &answer{header: http.Header{}}
		o.router.ServeHTTP(two, r)
		require.Len(t, two.events, 2)

		segment := o.snapshot("audio").Segment(0)
		a := o.get(o.base() + "segment-0.m4s")
		require.Len(t, a.events, len(segment.Parts)+3, "one write a part")
		require.Equal(t, http.StatusOK, a.status)
	})
}

// roundDeadlines leaves away what a few bytes add to a deadline.
func roundDeadlines(events []string) []string {
	out := make([]string, len(events))
	for i, e := range events {
		if out[i] = e; strings.HasPrefix(e, "deadline 10.") {
			out[i] = "deadline 10s"
		}
	}
	return out
}
