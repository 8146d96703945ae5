package watch

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

// What servers are known to do wrong is told with the name of the rule, and the rest of the stream is still judged.
func TestFaultyServers(t *testing.T) {
	if testing.Short() {
		t.Skip("whole streams, of which TestFaultlessStream is one")
	}
	query := func(answer func(w http.ResponseWriter, q map[string][]string) bool) func(s *stage, o *Options) {
		return func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, "media.m3u8") && answer(w, r.URL.Query())
			}
		}
	}
	bent := func(change func(rendition string, p *playlist.MediaPlaylist)) func(s *stage, o *Options) {
		return func(s *stage, _ *Options) { s.bend = change }
	}
	status := func(contains string, code int) func(s *stage, o *Options) {
		return func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, contains) {
					return false
				}
				w.WriteHeader(code)
				return true
			}
		}
	}
	for name, c := range map[string]struct {
		rule, verdict, example string
		change                 func(s *stage, o *Options)
	}{
		"stale answers to blocking reloads": {"blocking-reload", Violated, "the answer ends at", func(s *stage, _ *Options) { s.noBlock = true }},
		"old reloads refused": {"old-reload", Violated, "status 400, not 200", query(func(w http.ResponseWriter, q map[string][]string) bool {
			if len(q["_HLS_part"]) > 0 || len(q["_HLS_msn"]) == 0 || len(q["_HLS_msn"][0]) > 2 {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			return true
		})},
		"any directive taken": {"bad-directives", Unwise, "?_HLS_part=0: status 200, not 400", func(s *stage, _ *Options) {
			s.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if q := r.URL.Query(); q.Has("_HLS_part") && !q.Has("_HLS_msn") {
					r.URL.RawQuery = ""
				}
				return false
			}
		}},
		"a part that is listed is not there": {"available", Violated, "status 404 Not Found", status("video/part-163.", 404)},
		"a segment that is not there":        {"available", Violated, "segment-15.m4s: status 500", status("video/segment-15.", 500)},
		"hints are not waited for": {"hint-answer", Unwise, "status 404 Not Found for a hinted part that came", func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, fmt.Sprintf("/part-%d.m4s", s.edge())) {
					return false
				}
				http.NotFound(w, r)
				return true
			}
		}},
		"no reports": {"rendition-report", Violated, `no EXT-X-RENDITION-REPORT of "audio/media.m3u8"`, bent(func(_ string, p *playlist.MediaPlaylist) { p.RenditionReports = nil })},
		"reports that lag": {"rendition-report-true", Violated, "is reported at segment", bent(func(_ string, p *playlist.MediaPlaylist) {
			for i := range p.RenditionReports {
				p.RenditionReports[i].LastMSN--
			}
		})},
		"no compression": {"gzip", Unwise, "as they are", func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "index.m3u8") && strings.HasSuffix(r.URL.Path, ".m3u8") && r.URL.RawQuery == "" {
					p := s.playlist(strings.Split(r.URL.Path, "/")[2])
					w.Write(p.Append(nil))
					return true
				}
				return false
			}
		}},
		"the target duration changes": {"target-duration-constant", Violated, "from 2 to 3", func(s *stage, _ *Options) {
			s.bend = func(_ string, p *playlist.MediaPlaylist) {
				if s.edge() > 180 {
					p.TargetDuration, p.ServerControl.HoldBack, p.ServerControl.CanSkipUntil = 3, 9*time.Second, 18*time.Second
				}
			}
		}},
		"parts without blocking": {"can-block-reload", Violated, "no CAN-BLOCK-RELOAD=YES", bent(func(_ string, p *playlist.MediaPlaylist) { p.ServerControl.CanBlockReload = false })},
		"a delta update of another window": {"delta", Violated, "is not the full playlist", func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !r.URL.Query().Has("_HLS_skip") || s.edge() < 180 {
					return false
				}
				s.until(r, s.edge()+1)
				p := s.playlist(strings.Split(r.URL.Path, "/")[2])
				d, _ := p.Delta()
				d.Segments[0].ProgramDateTime = d.Segments[0].ProgramDateTime.Add(time.Millisecond)
				s.answerText(w, d.Append(nil))
				return true
			}
		}},
		"the name of Opus in small letters": {"codec-spelling", Violated, `"opus" for "Opus"`, func(s *stage, _ *Options) {
			s.index = func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Codecs = "avc1.42c01e,opus" }
		}},
		"less bandwidth announced than used": {"bandwidth", Violated, "BANDWIDTH 10000", func(s *stage, _ *Options) {
			s.index = func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Bandwidth = 10_000 }
		}},
		"it stands still": {"fresh", Violated, "what follows was waited for 5", func(s *stage, _ *Options) { s.halts = 5 * time.Second }},
	} {
		t.Run(name, func(t *testing.T) {
			r := watched(t, func(s *stage, o *Options) {
				o.For = 15 * time.Second
				c.change(s, o)
			})
			rule := r.rule(t, c.rule)
			require.Equal(t, c.verdict, rule.Verdict, "%v", text(t, r.WriteText))
			require.Contains(t, rule.Example, c.example)
			require.Positive(t, rule.Broken)
			require.Equal(t, c.verdict == Violated, r.Verdict == Violated)
			require.Greater(t, len(r.verdicts(Held)), 25)
		})
	}
}
