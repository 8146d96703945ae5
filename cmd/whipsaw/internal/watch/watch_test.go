package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

const stageURL = "https://stage.example/live/index.m3u8"

// watched follows a stage in virtual time.
func watched(t *testing.T, change func(s *stage, o *Options)) *Report {
	t.Helper()
	var report *Report
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		o := Options{URL: stageURL, For: 30 * time.Second, UserAgent: "test", Transport: s}
		if change != nil {
			change(s, &o)
		}
		began := time.Now()
		var err error
		report, err = Run(t.Context(), o)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), o.For+30*time.Second)
		synctest.Wait()
	})
	return report
}

// verdicts are the rules with a verdict.
func (r *Report) verdicts(verdict string) (names []string) {
	for _, rule := range r.Rules {
		if rule.Verdict == verdict {
			names = append(names, rule.Name)
		}
	}
	return names
}

func (r *Report) rule(t *testing.T, name string) Rule {
	t.Helper()
	for _, rule := range r.Rules {
		if rule.Name == name {
			return rule
		}
	}
	t.Fatalf("no rule %q", name)
	return Rule{}
}

func TestFaultlessStream(t *testing.T) {
	r := watched(t, func(_ *stage, o *Options) { o.Strict = true })
	require.Equal(t, Held, r.Verdict, "%v", text(t, r.WriteText))
	require.Empty(t, r.verdicts(Unwise))
	require.Empty(t, r.NotChecked)
	require.Equal(t, []string{"independent-segments", "endlist", "preload-hint-map", "errors-uncached", "rendition-discontinuities"},
		r.verdicts(NotSeen), "there is little that does not come by")
	require.Len(t, r.Renditions, 2)
	v, a := r.Renditions[0], r.Renditions[1]
	require.Equal(t, []string{"avc1.42c01e", "Opus"}, append(v.Codecs, a.Codecs...))
	require.Equal(t, []int{640, 360, 2}, []int{v.Width, v.Height, a.Channels})
	require.InDelta(t, 30, v.FrameRate, 0.001)
	require.InDelta(t, 2, v.GOP.Mean, 0.001)
	require.InDelta(t, 0.222, v.PartTarget, 1e-9)
	require.Equal(t, Spread{v.Parts.Count, 0.2, 0.2, 0.2}, v.Parts)
	require.InDelta(t, 0.2, v.Arrival.Max, 0.001, "a part a time")
	require.InDelta(t, 150, v.Arrival.Count, 5)
	require.InDelta(t, 0, v.Latency.Max, 0.001)
	require.Greater(t, v.Deltas, 50)
	require.Greater(t, r.rule(t, "delta").Seen, 10)
	require.Greater(t, r.rule(t, "rendition-report-true").Seen, 100)
	require.Greater(t, r.rule(t, "hint-answer").Seen, 100)
	require.Equal(t, "HTTP/2.0", r.Protocol)
	require.InDelta(t, 30, r.Seconds, 1)
	require.Positive(t, r.Bytes)
}

// Streams that are legal and other than ours are checked as far as it goes, and what is left is said.
func TestOtherStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("whole streams, of which TestFaultlessStream is one")
	}
	t.Run("ordinary latency", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) { s.noParts = true })
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Greater(t, r.Renditions[0].Segments.Count, 20)
		for _, name := range []string{"part-target", "blocking-reload", "rendition-report", "preload-hint", "http2"} {
			if name != "http2" {
				require.Equal(t, NotSeen, r.rule(t, name).Verdict, name)
			}
		}
	})
	t.Run("over and done", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) { s.ends = time.Nanosecond })
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.True(t, r.Renditions[0].Ended)
		require.Less(t, r.Seconds, 5.0, "what has ended is not waited for")
	})
	t.Run("ends while it is watched", func(t *testing.T) {
		r := watched(t, func(s *stage, o *Options) { s.ends, o.Strict = 10*time.Second, true })
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.True(t, r.Renditions[0].Ended && r.Renditions[1].Ended)
		require.InDelta(t, 10, r.Seconds, 1)
		require.Equal(t, Held, r.rule(t, "endlist").Verdict)
	})
	t.Run("one media playlist", func(t *testing.T) {
		r := watched(t, func(_ *stage, o *Options) { o.URL = strings.Replace(stageURL, "index", "video/media", 1) })
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Len(t, r.Renditions, 1)
		require.Equal(t, NotSeen, r.rule(t, "stream-inf").Verdict)
		require.Equal(t, NotSeen, r.rule(t, "rendition-report").Verdict)
	})
	t.Run("byte ranges", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "video/media.m3u8") {
					s.answerText(w, []byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@0\na.mp4\n"))
					return true
				}
				return false
			}
		})
		require.Equal(t, []string{"video/media.m3u8: line 4: playlist: unsupported: #EXT-X-BYTERANGE"}, r.NotChecked)
		require.Positive(t, r.Renditions[1].Parts.Count, "the other is followed")
	})
	t.Run("transport streams", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) {
			s.noParts = true
			s.bend = func(_ string, p *playlist.MediaPlaylist) { p.Segments[0].Map = nil }
		})
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Len(t, r.NotChecked, 2)
		require.Contains(t, r.NotChecked[0], "no EXT-X-MAP")
		require.Positive(t, r.rule(t, "target-duration").Seen)
	})
	t.Run("a query for each player", func(t *testing.T) {
		n := 0
		r := watched(t, func(s *stage, _ *Options) {
			s.index = func(p *playlist.MultivariantPlaylist) {
				n++
				p.StreamInfs[0].URI += fmt.Sprintf("?session=%d", n)
				p.Media[0].URI += fmt.Sprintf("?session=%d", n)
			}
		})
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Empty(t, r.NotChecked)
		require.Equal(t, Held, r.rule(t, "codecs").Verdict)
		require.Contains(t, r.Renditions[0].URI, "?session=1")
	})
	t.Run("gaps of one name", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) {
			s.noParts, s.ends = true, time.Nanosecond
			s.bend = func(_ string, p *playlist.MediaPlaylist) {
				for i := range 2 {
					p.Segments[i].URI, p.Segments[i].Gap = "gap.mp4", true
				}
			}
		})
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Equal(t, Held, r.rule(t, "one-name").Verdict)
		require.Equal(t, Unwise, r.rule(t, "gap").Verdict)
	})
	t.Run("closed to other origins", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Origin") != "" {
					w.WriteHeader(http.StatusForbidden)
				}
				return r.Header.Get("Origin") != ""
			}
		})
		require.Equal(t, Held, r.Verdict)
		require.Equal(t, NotSeen, r.rule(t, "cors").Verdict)
		require.Equal(t, []string{"how pages of other origins are answered: they are refused"}, r.NotChecked)
	})
	t.Run("subtitles and other schemes", func(t *testing.T) {
		r := watched(t, func(s *stage, _ *Options) {
			s.index = func(p *playlist.MultivariantPlaylist) {
				p.Media = append(p.Media, playlist.Media{Type: playlist.TypeSubtitles, GroupID: "s", Name: "en", URI: "s.m3u8"})
				p.StreamInfs = append(p.StreamInfs, playlist.StreamInf{Bandwidth: 1e6, AverageBandwidth: 1, ClosedCaptions: playlist.NoClosedCaptions, URI: "ftp://elsewhere/x.m3u8"})
			}
		})
		require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
		require.Equal(t, []string{"ftp://elsewhere/x.m3u8: neither http nor https", "s.m3u8: SUBTITLES are not looked at"}, r.NotChecked)
	})
}

// A server that goes away in the middle is told, not waited for.
func TestServerGoesAway(t *testing.T) {
	r := watched(t, func(s *stage, _ *Options) {
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if s.edge() > 200 {
				w.WriteHeader(http.StatusBadGateway)
			}
			return s.edge() > 200
		}
	})
	require.Equal(t, Violated, r.Verdict)
	require.Contains(t, r.Renditions[0].Lost, "status 502 Bad Gateway")
	require.Contains(t, r.rule(t, "available").Example, "status 502")
	require.Less(t, r.Seconds, 20.0)
	require.Contains(t, text(t, r.WriteText), "lost        status 502 Bad Gateway")
}

// A redirect leads to where URIs start from.
func TestRedirect(t *testing.T) {
	r := watched(t, func(s *stage, o *Options) {
		o.URL = "https://stage.example/here.m3u8"
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/here.m3u8" {
				return false
			}
			http.Redirect(w, r, "/live/index.m3u8", http.StatusFound)
			return true
		}
	})
	require.Equal(t, Held, r.Verdict, text(t, r.WriteText))
	require.Len(t, r.Renditions, 2)
}

// Who is tired of waiting gets what is known by then.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		r, err := Run(ctx, Options{URL: stageURL, For: time.Hour, Transport: s})
		require.NoError(t, err)
		require.Equal(t, Held, r.Verdict)
		require.InDelta(t, 5, r.Seconds, 0.5)
		require.Positive(t, r.Renditions[0].Parts.Count)
	})
}

func TestManyRenditions(t *testing.T) {
	r := watched(t, func(s *stage, o *Options) {
		o.For = 5 * time.Second
		s.index = func(p *playlist.MultivariantPlaylist) {
			for i := range 30 {
				v := p.StreamInfs[0]
				v.URI = fmt.Sprintf("video/media.m3u8?copy=%d", i)
				p.StreamInfs = append(p.StreamInfs, v)
			}
		}
	})
	require.Len(t, r.Renditions, maxRenditions)
	require.Len(t, r.NotChecked, 31-maxRenditions+1)
}

func TestProgress(t *testing.T) {
	var line bytes.Buffer
	watched(t, func(_ *stage, o *Options) { o.Progress, o.For = &line, 5*time.Second })
	require.Contains(t, line.String(), "\r4 of 5 s, 2 playlists, ")
	require.Contains(t, line.String(), "0 rules violated\x1b[K")
	require.True(t, strings.HasSuffix(line.String(), "\r\x1b[K"), "it is gone in the end")
}

func TestReportForms(t *testing.T) {
	r := watched(t, func(s *stage, o *Options) {
		o.For = 5 * time.Second
		s.bend = func(_ string, p *playlist.MediaPlaylist) { p.RenditionReports = nil }
	})
	shown := text(t, r.WriteText)
	for _, says := range []string{
		"avc1.42c01e, 640x360, 30.00 pictures/s, peak", "Opus, 2 channels", "target duration 2 s, PART-TARGET 0.222 s, PART-HOLD-BACK 0.666 s, blocking reloads",
		"parts       ", "keyframes   ", "VIOLATED  rendition-report            rfc8216bis Appendix B.1    a low-latency",
		`          no EXT-X-RENDITION-REPORT of "audio/media.m3u8"; and 1 more`, "1 rule violated; ",
	} {
		require.Contains(t, shown, says)
	}
	require.Less(t, strings.Index(shown, "VIOLATED"), strings.Index(shown, "\nok "), "what is wrong stands first")
	var again Report
	require.NoError(t, json.Unmarshal([]byte(text(t, r.WriteJSON)), &again))
	require.Equal(t, *r, again)
	require.Len(t, again.Rules, len(check.Rules())-house())
}

func house() (n int) {
	for _, r := range check.Rules() {
		if r.Level() == check.House {
			n++
		}
	}
	return n
}
