package hls

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/segmenter/playlist"
)

// bubble runs a test on a live stream whose clock is the bubble's.
func bubble(t *testing.T, opts Options, kinds []segmenter.Kind, test func(t *testing.T, o *origin)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, opts, nil, kinds...)
		defer o.reg.Close()
		test(t, o)
	})
}

var (
	soundOnly = []segmenter.Kind{segmenter.Audio}
	both      = []segmenter.Kind{segmenter.Video, segmenter.Audio}
)

// route is a request for a stream of sound that has gone on for a while, and what comes of it.
type route struct {
	path        string
	status      int
	cache, kind string
}

func routes(base string, oldest, last *segmenter.Segment) []route {
	const expired, list, sound, text = "public, max-age=2", "application/vnd.apple.mpegurl", "audio/mp4", "text/plain; charset=utf-8"
	return []route{
		{"/hls/live/index.m3u8", 200, "public, max-age=1", list},
		{base + "media.m3u8", 200, "public, max-age=1", list},
		{base + "media.m3u8?_HLS_skip=YES", 200, "public, max-age=1", list},
		{base + "media.m3u8?_HLS_msn=0", 200, "public, max-age=0, s-maxage=12", list},
		{base + "media.m3u8?_HLS_msn=0&_HLS_part=99999", 200, "public, max-age=0, s-maxage=12", list},
		{base + "media.m3u8?other=1", 200, "public, max-age=1", list},
		{base + "media.m3u8?_HLS_part=0", 400, noStoreText, text},
		{base + "media.m3u8?_HLS_msn=x", 400, noStoreText, text},
		{base + fmt.Sprintf("media.m3u8?_HLS_msn=%d", last.MSN+3), 400, noStoreText, text},
		{base + fmt.Sprintf("media.m3u8?_HLS_msn=%d&_HLS_part=%d", last.MSN, len(last.Parts)+13), 400, noStoreText, text},
		{base + "init-0.mp4", 200, foreverText, sound},
		{base + oldest.Parts[0].URI(), 200, foreverText, sound},
		{base + last.Parts[len(last.Parts)-1].URI(), 200, foreverText, sound},
		{base + segmenter.SegmentURI(oldest.MSN), 200, foreverText, sound},
		{base + segmenter.SegmentURI(last.MSN), 404, noStoreText, text},
		{base + segmenter.SegmentURI(last.MSN+1), 404, noStoreText, text},
		{base + segmenter.SegmentURI(oldest.MSN-1), 404, expired, text},
		{base + "part-0-0-0.m4s", 404, expired, text},
		{base + segmenter.PartID{MSN: last.MSN, Index: len(last.Parts) + 1}.URI(), 404, noStoreText, text},
		{base + segmenter.PartID{Epoch: 1, MSN: last.MSN}.URI(), 404, noStoreText, text},
		{base + segmenter.PartID{MSN: oldest.MSN, Index: 99}.URI(), 404, expired, text},
		{base + "init-1.mp4", 404, noStoreText, text},
		{base + "init-00.mp4", 404, noStoreText, text},
		{base + "other.m3u8", 404, noStoreText, text},
		{base + "media.m3u8/", 404, noStoreText, text},
		{base, 404, noStoreText, text},
		{strings.Replace(base, "audio", "video", 1) + "media.m3u8", 404, noStoreText, text},
		{strings.Replace(base, "audio", "subtitles", 1) + "media.m3u8", 404, noStoreText, text},
		{"/hls/live/" + strings.Repeat("a", 16) + "/audio/media.m3u8", 404, noStoreText, text},
		{strings.Replace(base, "live", "other", 1) + "media.m3u8", 404, noStoreText, text},
		{"/hls/other/index.m3u8", 404, noStoreText, text},
		{"/hls/live/media.m3u8", 404, noStoreText, text},
		{"/hls/live", 404, noStoreText, text},
		{"/hls/", 404, noStoreText, text},
		{"/hls/live/../live/index.m3u8", 404, noStoreText, text},
		{"/hls/l%69ve%2f/index.m3u8", 404, noStoreText, text},
	}
}

func TestRoutes(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(80 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return !last(s).Complete })
		base, s := o.base(), o.snapshot("audio")
		oldest := s.Segments[0]
		require.Positive(t, oldest.MSN, "segments have expired")
		for _, test := range routes(base, oldest, last(s)) {
			for _, method := range []string{"GET", "HEAD"} {
				a := o.do(method, test.path)
				require.Equal(t, test.status, a.status, "%s %s: %s", method, test.path, a.body.String())
				require.Equal(t, test.cache, a.header.Get("Cache-Control"), test.path)
				require.Equal(t, test.kind, a.header.Get("Content-Type"), test.path)
				require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"), test.path)
				require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), test.path)
				require.Zero(t, a.took, "at once: %s", test.path)
				if method == "GET" {
					require.Equal(t, fmt.Sprint(a.body.Len()), a.header.Get("Content-Length"), test.path)
				} else {
					require.Zero(t, a.body.Len())
				}
			}
		}
	})
}

func TestBeforeAnythingIsPlayable(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		require.Equal(t, 404, o.get("/hls/live/index.m3u8").status, "no generation")
		o.play(400 * time.Millisecond)
		a := o.get("/hls/live/index.m3u8")
		require.Equal(t, 404, a.status, "no whole segment")
		require.Equal(t, noStoreText, a.header.Get("Cache-Control"))
		o.play(2 * time.Second)
		require.Equal(t, 200, o.get("/hls/live/index.m3u8").status)
	})
}

// What a player is led to from the stable URL is all there, and every segment is its parts.
func TestEverythingListedCanBeHad(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(40 * time.Second)
		index := o.get("/hls/live/index.m3u8")
		m, err := playlist.ParseMultivariant(index.body.Bytes())
		require.NoError(t, err)
		require.Len(t, m.StreamInfs, 1)
		require.Len(t, m.Media, 1)
		for _, uri := range []string{m.StreamInfs[0].URI, m.Media[0].URI} {
			rendition := "/hls/live/" + uri
			base := strings.TrimSuffix(rendition, "media.m3u8")
			p := o.get(rendition).media(t)
			require.GreaterOrEqual(t, len(p.Segments), 15)
			for _, s := range p.Segments {
				if s.Map != nil {
					require.Equal(t, 200, o.get(base+s.Map.URI).status)
				}
				var parts bytes.Buffer
				for _, part := range s.Parts {
					a := o.get(base + part.URI)
					require.Equal(t, 200, a.status)
					require.Equal(t, "u=2", a.header.Get("Priority"))
					parts.Write(a.body.Bytes())
				}
				if s.Open() {
					continue
				}
				a := o.get(base + s.URI)
				require.Equal(t, 200, a.status, s.URI)
				if len(s.Parts) > 0 {
					require.Equal(t, parts.Bytes(), a.body.Bytes())
				}
			}
			for _, report := range p.RenditionReports {
				require.Equal(t, 200, o.get("/hls/live/"+o.generation().ID()+strings.TrimPrefix(report.URI, "..")).status)
			}
		}
	})
}

func TestDeltaUpdates_6_2_5_1(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(40 * time.Second)
		held := o.get(o.base() + "media.m3u8").media(t)
		o.play(5 * time.Second)
		full := o.get(o.base() + "media.m3u8").media(t)
		require.Nil(t, full.Skip)
		for _, directive := range []string{"YES", "v2"} {
			delta := o.get(o.base() + "media.m3u8?_HLS_skip=" + directive).media(t)
			require.NotNil(t, delta.Skip)
			merged, err := playlist.ApplyDelta(&held, &delta)
			require.NoError(t, err)
			require.Equal(t, full, merged)
		}
		require.Equal(t, full, o.get(o.base()+"media.m3u8?_HLS_skip=NO").media(t))
	})
}

func TestTheEnd(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(40 * time.Second)
		media := o.base() + "media.m3u8"
		o.pub.Close(segmenter.ReasonDeleted)
		<-o.generation().Done()
		for _, directives := range []string{"", "?_HLS_msn=1000000", "?_HLS_part=1", "?_HLS_msn=x", "?_HLS_skip=YES", "?_HLS_msn=1&_HLS_skip=YES"} {
			a := o.get(media + directives)
			p := a.media(t)
			require.True(t, p.EndList, directives)
			require.Nil(t, p.Skip)
			require.Equal(t, "public, max-age=60", a.header.Get("Cache-Control"))
			require.Zero(t, a.took)
		}
	})
}
