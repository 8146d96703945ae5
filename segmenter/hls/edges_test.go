package hls

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// 6.2.5.2: who asks for what has left the playlist gets all that there is, at once.
func TestReloadOfWhatIsGoneIsTheWholePlaylist_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(80 * time.Second)
		s := o.snapshot("audio")
		first := s.Segments[s.First].MSN
		require.Greater(t, first, int64(3))
		for _, url := range []string{o.reload(0, -1), o.reload(0, 0), o.reload(first-1, 99), o.reload(first-1, -1), o.reload(first, 2), o.reload(0, 1<<30)} {
			a := o.get(url)
			p := a.media(t)
			require.Zero(t, a.took, url)
			require.Nil(t, p.Skip)
			require.Equal(t, first, p.MediaSequence)
			require.Equal(t, "public, max-age=0, s-maxage=12", a.header.Get("Cache-Control"))
		}
		require.NotNil(t, o.get(o.reload(0, -1)+"&_HLS_skip=YES").media(t).Skip, "but what it asks to be left out")
	})
}

// 6.2.5.2: what makes no sense, or lies further ahead than anybody can know of, is refused at once and never remembered.
func TestDirectivesThatAreRefused_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return !last(s).Complete })
		open := last(o.snapshot("audio"))
		msn, parts := open.MSN, int64(len(open.Parts))
		for _, query := range []string{
			"_HLS_part=0", "_HLS_part=1&_HLS_skip=YES", "_HLS_part=&_HLS_msn=1", "_HLS_msn=", "_HLS_msn", "_HLS_msn=&_HLS_part=",
			"_HLS_msn=-1", "_HLS_msn=-9223372036854775808", "_HLS_msn=1&_HLS_part=-1", "_HLS_msn=NaN", "_HLS_msn=1e3", "_HLS_msn=0x10", "_HLS_msn=1.5",
			"_HLS_msn=9223372036854775808", "_HLS_msn=" + strings.Repeat("9", 5000), "_HLS_msn=1&_HLS_part=" + strings.Repeat("1", 5000),
			"_HLS_msn=1&_HLS_msn=2", "_HLS_msn=1&_HLS_msn=1", "_HLS_msn=1&_HLS_part=1&_HLS_part=1", "_HLS_skip=YES&_HLS_skip=YES", "%5FHLS_msn=x", "_HLS_msn=1%00",
			fmt.Sprintf("_HLS_msn=%d", msn+3), fmt.Sprintf("_HLS_msn=%d", int64(1<<63-1)), fmt.Sprintf("_HLS_msn=%d&_HLS_part=0", msn+3),
			fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", msn, parts+13), fmt.Sprintf("_HLS_msn=%d&_HLS_part=%d", msn, int64(1<<63-1)),
			fmt.Sprintf("_HLS_msn=%d&_HLS_part=13", msn+1), fmt.Sprintf("_HLS_msn=%d&_HLS_part=13", msn+2),
		} {
			for _, method := range []string{"GET", "HEAD"} {
				a := o.do(method, o.base()+"media.m3u8?"+query, "If-None-Match", "*", "Range", "bytes=0-5")
				require.Equal(t, 400, a.status, query)
				require.Equal(t, noStoreText, a.header.Get("Cache-Control"), query)
				require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
				require.Less(t, a.body.Len(), 200, "not what was asked for, at length")
				require.Zero(t, a.took, query)
			}
		}
		for _, query := range []string{ // 6.2.5: what is not known is ignored
			"_HLS_later=x", "_HLS_skip=v3", "_HLS_skip=", "_HLS_report=..", "_HLS_msn%=x", "a=b&_HLS_part_=1", "_HLS_push=1&_HLS_msn=0", "&&&", "=", "_HLS_=1",
			fmt.Sprintf("x=1&_HLS_part=0&y=2&_HLS_msn=%d&z", msn),
		} {
			require.Equal(t, 200, o.get(o.base()+"media.m3u8?"+query).status, query)
		}
	})
}

// A stream that has only begun gives its playlist in full, whatever is asked to be left out.
func TestDeltaOfAShortPlaylistIsFull_6_2_5_1(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		for _, directive := range []string{"YES", "v2"} {
			a, full := o.get(o.base()+"media.m3u8?_HLS_skip="+directive), o.get(o.base()+"media.m3u8")
			require.Nil(t, a.media(t).Skip)
			require.Equal(t, full.body.Bytes(), a.body.Bytes())
			require.Equal(t, "public, max-age=1", a.header.Get("Cache-Control"), "it was not waited for")
		}
	})
}

// 6.2.6: at the end of a segment the hint is part 0 of the next one, and waits like any other.
func TestHintAtTheEndOfASegment_6_2_6(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return last(s).Complete })
		done := last(o.snapshot("audio"))
		hint := o.hint()
		require.Equal(t, segmenter.PartID{MSN: done.MSN + 1}, hint)
		waits := o.begin(o.base()+hint.URI(), o.reload(done.MSN+1, 0), o.reload(done.MSN, len(done.Parts)))
		over := o.get(o.base() + segmenter.PartID{MSN: done.MSN, Index: len(done.Parts)}.URI())
		require.Equal(t, 404, over.status, "a part past the last of a segment is part 0 of the next for reloads alone")
		require.Zero(t, over.took)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return s.Part(hint) != nil })
		for _, a := range waits {
			require.True(t, a.finished())
			require.Equal(t, 200, a.status)
			require.Equal(t, waits[0].took, a.took, "all at the same moment")
		}
	})
}

// While the publisher is away the playlist goes on with filler, and so do those who wait for it.
func TestWaitersWhileThePublisherIsAway_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.pub.Close(segmenter.ReasonPeerClosed)
		video := strings.Replace(o.base(), "audio", "video", 1)
		for range 30 {
			next := o.snapshot("video").Next()
			a := o.get(fmt.Sprintf("%smedia.m3u8?_HLS_msn=%d&_HLS_part=%d", video, next.MSN, next.Index))
			p := a.media(t)
			require.Empty(t, p.PreloadHints, "what comes after the filler is not known")
			require.LessOrEqual(t, a.took, 2*time.Second)
			require.GreaterOrEqual(t, p.MediaSequence+int64(len(p.Segments)), next.MSN)
			early := o.get(video + o.snapshot("video").Next().URI())
			require.Equal(t, 404, early.status, "a part that is not hinted is not waited for")
			require.Zero(t, early.took)
			require.Equal(t, noStoreText, early.header.Get("Cache-Control"))
		}
	})
}

// A publisher who comes back brings a discontinuity: reloads get it as what they waited for, and a part of the old epoch
// that was hinted never comes.
func TestWaitersAtADiscontinuity_6_2_5_2(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return len(last(s).Parts) == 3 && !last(s).Complete })
		next, hint := o.snapshot("audio").Next(), o.hint()
		require.Zero(t, hint.Epoch)
		waits := o.begin(o.reload(next.MSN, next.Index), o.reload(next.MSN, -1), o.reload(next.MSN+1, 0), o.base()+hint.URI())
		o.pub.Close(segmenter.ReasonPeerClosed)
		o.publish(segmenter.Audio)
		o.sequence, o.frames = [2]uint16{}, o.frames+12345
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return last(s).Epoch == 1 && len(last(s).Parts) > 0 })
		for i, a := range waits[:3] {
			require.True(t, a.finished(), "reload %d", i)
			p := a.media(t)
			require.False(t, p.EndList)
		}
		require.True(t, waits[3].finished())
		if o.snapshot("audio").Part(hint) == nil {
			require.Equal(t, 404, waits[3].status)
			require.Equal(t, "public, max-age=2", waits[3].header.Get("Cache-Control"), "it never will be there")
		}
		p := o.get(o.base() + "media.m3u8").media(t)
		require.True(t, p.Segments[len(p.Segments)-1].Discontinuity)
	})
}

// A blocking reload keeps to HTTP: HEAD waits too, a version that is known already is not sent again, and a range is one of
// the version that came.
func TestBlockingReloadWithConditions(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		held := o.get(o.base() + "media.m3u8").header.Get("ETag")
		next := o.snapshot("audio").Next()
		url := o.reload(next.MSN, next.Index)
		head := o.start(t.Context(), "HEAD", url)
		known := o.start(t.Context(), "GET", url, "If-None-Match", held)
		any := o.start(t.Context(), "GET", url, "If-None-Match", "*")
		ranged := o.start(t.Context(), "GET", url, "Range", "bytes=0-6", "Accept-Encoding", "gzip")
		plain := o.start(t.Context(), "GET", url, "Accept-Encoding", "gzip;q=0, identity")
		small := o.start(t.Context(), "GET", url, "Accept-Encoding", "gzip")
		synctest.Wait()
		all := []*answer{head, known, any, ranged, plain, small}
		for _, a := range all {
			require.False(t, a.finished())
		}
		before := o.snapshot("audio")
		o.playUntil("audio", func(s *segmenter.Snapshot) bool { return s != before })
		body := o.snapshot("audio").Playlist().Body
		for _, a := range all {
			require.True(t, a.finished())
			require.Equal(t, "public, max-age=0, s-maxage=12", a.header.Get("Cache-Control"))
			require.Equal(t, []string{"Accept-Encoding"}, a.header.Values("Vary"))
		}
		require.Equal(t, []int{200, 200, 304, 206, 200, 200}, []int{head.status, known.status, any.status, ranged.status, plain.status, small.status})
		require.Equal(t, fmt.Sprint(len(body)), head.header.Get("Content-Length"))
		require.Zero(t, head.body.Len())
		require.Equal(t, body, known.body.Bytes(), "another version than the one that is held")
		require.Equal(t, "#EXTM3U", ranged.body.String())
		require.Equal(t, fmt.Sprintf("bytes 0-6/%d", len(body)), ranged.header.Get("Content-Range"))
		require.Empty(t, plain.header.Get("Content-Encoding"))
		require.Equal(t, body, plain.body.Bytes())
		z, err := gzip.NewReader(&small.body)
		require.NoError(t, err)
		text, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, body, text)

		again := o.get(url, "If-None-Match", known.header.Get("ETag"))
		require.Equal(t, 304, again.status, "it is there by now, and known")
		require.Zero(t, again.took)
	})
}

// No error is ever remembered by a cache, but that a name has expired for a moment.
func TestErrorsAreNeverCached(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(80 * time.Second)
		next, base := o.snapshot("audio").Next(), o.base()
		o.freeze()
		for _, c := range []struct {
			method, path, cache string
			status              int
			header              []string
		}{
			{"GET", base + "media.m3u8?_HLS_part=1", noStoreText, 400, nil},
			{"GET", "/hls/none/index.m3u8", noStoreText, 404, nil},
			{"GET", strings.Replace(base, "audio", "video", 1) + "media.m3u8", noStoreText, 404, nil},
			{"GET", base + segmenter.PartID{MSN: next.MSN, Index: next.Index + 1}.URI(), noStoreText, 404, nil},
			{"GET", base + segmenter.SegmentURI(next.MSN+1), noStoreText, 404, nil},
			{"GET", base + "init-7.mp4", noStoreText, 404, nil},
			{"GET", base + "part-0-0-0.m4s", "public, max-age=2", 404, nil},
			{"GET", base + "segment-0.m4s", "public, max-age=2", 404, nil},
			{"GET", base + segmenter.PartID{MSN: next.MSN - 1, Index: 99}.URI(), "public, max-age=2", 404, nil},
			{"POST", base + "media.m3u8", noStoreText, 405, nil},
			{"GET", base + "media.m3u8", noStoreText, 416, []string{"Range", "bytes=99999999-"}},
			{"GET", base + "init-0.mp4", noStoreText, 416, []string{"Range", "bytes=-0"}},
			{"GET", o.reload(next.MSN, next.Index), noStoreText, 503, nil},
			{"HEAD", o.reload(next.MSN, next.Index), noStoreText, 503, nil},
			{"GET", base + o.hint().URI(), noStoreText, 503, nil},
		} {
			a := o.do(c.method, c.path, c.header...)
			require.Equal(t, c.status, a.status, "%s %s", c.method, c.path)
			require.Equal(t, c.cache, a.header.Get("Cache-Control"), "%s %s", c.method, c.path)
			require.Empty(t, a.header.Get("Expires"))
			if c.status != http.StatusRequestedRangeNotSatisfiable {
				require.Empty(t, a.header.Get("ETag"), "an error has no version")
			}
		}
	})
}
