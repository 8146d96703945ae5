package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

func TestAnswer(t *testing.T) {
	good := Answer{
		URI: "/live/index", Playlist: true, Status: 200, ContentType: "application/vnd.apple.mpegurl", CacheControl: "max-age=1",
		Encoding: "gzip", CrossOrigin: true, AllowOrigin: "*", Major: 2, Secure: true,
	}
	require.Empty(t, New().Answer(good))
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		change func(a *Answer)
	}{
		"other type":        {ContentType, `Content-Type "text/plain"`, func(a *Answer) { a.ContentType = "text/plain" }},
		"no gzip":           {Compressed, "as they are", func(a *Answer) { a.Encoding = "" }},
		"no CORS":           {CrossOrigin, "a playlist: no Access-Control-Allow-Origin", func(a *Answer) { a.AllowOrigin = "" }},
		"no CORS for media": {CrossOrigin, "media: no", func(a *Answer) { a.AllowOrigin, a.Playlist = "", false }},
		"HTTP/1.1":          {HTTPVersion, "HTTP/1.1", func(a *Answer) { a.Major = 1 }},
		"cached errors":     {ErrorsUncached, "status 404", func(a *Answer) { a.Status, a.CacheControl = 404, "" }},
	} {
		t.Run(name, func(t *testing.T) {
			a := good
			c.change(&a)
			requireRule(t, New().Answer(a), c.rule, c.detail)
		})
	}
	for name, change := range map[string]func(a *Answer){
		"the other type":          func(a *Answer) { a.ContentType = "audio/mpegurl" },
		"with a character set":    func(a *Answer) { a.ContentType = "Application/VND.apple.mpegURL ; charset=utf-8" },
		"known by its name":       func(a *Answer) { a.ContentType, a.URI = "text/plain", "/live/index.m3u8?token=x" },
		"HTTP/1.1 in the clear":   func(a *Answer) { a.Major, a.Secure = 1, false },
		"one origin":              func(a *Answer) { a.CrossOrigin, a.AllowOrigin = false, "" },
		"media as they are":       func(a *Answer) { a.Playlist, a.Encoding, a.ContentType = false, "", "video/mp4" },
		"an error with a life":    func(a *Answer) { a.Status, a.CacheControl = 404, "max-age=1" },
		"an error without a life": func(a *Answer) { a.Status, a.CacheControl = 404, "no-store" },
	} {
		a := good
		change(&a)
		require.Empty(t, New().Answer(a), name)
	}
}

func TestReload_6_2_5_2(t *testing.T) {
	w := videoWorld(t)
	for _, c := range []struct {
		parts     int // segment 1 has parts 10 to 19
		msn, part int64
		ok        bool
	}{
		{15, 1, 4, true}, {15, 1, 3, true}, {15, 1, 5, false}, {15, 0, -1, true}, {15, 0, 9, true}, {15, 0, 50, true},
		{15, 1, -1, false}, {20, 1, -1, true}, {20, 1, 9, true}, {20, 1, 10, false}, {20, 2, 0, false}, {21, 1, 10, true}, {21, 2, 0, true}, {15, 3, -1, false},
	} {
		checker := New()
		p := w.version(c.parts)
		require.Empty(t, checker.Playlist(worldStart, p.Append(nil)))
		violations := checker.Reload(c.msn, c.part)
		require.Equal(t, c.ok, len(violations) == 0, "%+v: %v", c, violations)
		if !c.ok {
			requireRule(t, violations, BlockingReload, "the answer ends at segment 1")
		}
	}
	ended := New()
	p := w.version(w.parts())
	require.Empty(t, ended.Playlist(worldStart, p.Append(nil)))
	require.Empty(t, ended.Reload(1000, 0), "6.2.5.2: after the end directives mean nothing")
	require.Empty(t, New().Reload(0, 0))
}

func TestNoteAndMissing(t *testing.T) {
	c := New()
	for _, r := range []Rule{OldReload, BadDirectives, HintAnswer} {
		require.Empty(t, c.Note(r, ""))
		requireRule(t, c.Note(r, "it was not so"), r, "it was not so")
		require.Equal(t, Row{Seen: 2, Broken: 1, First: "it was not so"}, c.Tally()[r])
	}
	w := videoWorld(t)
	p := w.version(3)
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	require.Contains(t, c.Wanted(), "part-0-1.m4s")
	requireRule(t, c.Missing("part-0-1.m4s", "404 Not Found"), Available, "part-0-1.m4s: 404 Not Found")
	require.NotContains(t, c.Wanted(), "part-0-1.m4s", "it is not asked for again")
}

// Where a playlist of the other rendition ended before and after bounds what a report may say, however slow the network.
func TestReportBetween(t *testing.T) {
	w := videoWorld(t)
	c, other := New(), New()
	p := w.version(28) // segment 2, parts 0 to 7
	require.Empty(t, other.Playlist(worldStart, p.Append(nil)))
	before, after := Edge{2, 1}, Edge{2, 7}
	require.True(t, before.Before(after))
	require.False(t, after.Before(before))
	for part, ok := range map[int]bool{0: true, 1: true, 4: true, 7: true, 9: true, 10: false} {
		r := playlistReport(2, part)
		require.Equal(t, ok, len(ReportBetween(c, r, other, before, after)) == 0, "part %d", part)
	}
	require.Empty(t, ReportBetween(c, playlistReport(1, 9), other, before, after), "one before the first")
	requireRule(t, ReportBetween(c, playlistReport(1, 8), other, before, after), ReportTrue, "is reported at segment 1 part 8")
	require.Empty(t, ReportBetween(c, playlistReport(1, 8), other, Edge{-5, 0}, after), "so long ago that nothing is known")
	require.Empty(t, ReportBetween(c, playlistReport(1, 8), New(), before, after))
}

func playlistReport(msn int64, part int) playlist.RenditionReport {
	return playlist.RenditionReport{URI: "../audio/media.m3u8", LastMSN: msn, LastPart: part}
}

func TestFacts(t *testing.T) {
	v, _ := videoWorld(t).playFor(t, General, bend{})
	f := v.Facts()
	require.Equal(t, []string{"avc1.42c01e"}, f.Codecs)
	require.Equal(t, []int{640, 360, 0}, []int{f.Width, f.Height, f.Channels})
	require.InDelta(t, 30, f.FrameRate, 0.01)
	require.Equal(t, videoWorld(t).parts(), f.Versions)
	require.Equal(t, f.Versions, f.Parts.Count)
	require.Equal(t, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond}, []time.Duration{f.Parts.Min, f.Parts.Max})
	require.Equal(t, segmentsAll, f.Segments.Count)
	require.Equal(t, 2*time.Second, f.Segments.Max)
	require.Equal(t, 1, f.Discontinuities)
	require.Equal(t, 900*time.Millisecond, f.GOP.Min, "from the IDR that begins segment 2 to the one within")
	require.Positive(t, f.Peak)
	require.Positive(t, f.Hints)
	require.Zero(t, f.Latency.Max/time.Second, "parts of the world are listed when they end")
	a, _ := audioWorld(t).playFor(t, General, bend{})
	require.Equal(t, []string{"Opus"}, a.Facts().Codecs)
	require.Equal(t, 2, a.Facts().Channels)
	require.Zero(t, a.Facts().GOP.Count)
	require.Zero(t, (&Spread{}).Mean())
}
