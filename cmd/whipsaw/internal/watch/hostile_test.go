package watch

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

func TestUnreachable(t *testing.T) {
	for name, c := range map[string]struct {
		says   string
		change func(s *stage, o *Options)
	}{
		"no such host": {"lookup nowhere.invalid", func(_ *stage, o *Options) { o.URL, o.Transport = "http://nowhere.invalid/x.m3u8", failing{} }},
		"not found":    {"status 404 Not Found", func(_ *stage, o *Options) { o.URL = "https://stage.example/live/video/x.m4s" }},
		"no playlist":  {"does not begin with #EXTM3U", func(_ *stage, o *Options) { o.URL = "https://stage.example/live/video/init.mp4" }},
		"nothing in it": {"no rendition of it", func(s *stage, _ *Options) {
			s.index = func(p *playlist.MultivariantPlaylist) { p.Media, p.StreamInfs[0].URI = nil, "mailto:x" }
		}},
		"broken": {"line 2", func(s *stage, _ *Options) { s.before = plainly("#EXTM3U\n#EXT-X-STREAM-INF:X\nx\n") }},
		"encrypted": {"unsupported", func(s *stage, _ *Options) {
			s.before = plainly("#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=X\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n")
		}},
		"endless": {"larger than anything of its kind", func(s *stage, _ *Options) { s.before = plainly("#EXTM3U\n" + strings.Repeat("#\n", maxPlaylist/2)) }},
		"a bomb":  {"larger than anything of its kind", func(s *stage, _ *Options) { s.before = bomb(s) }},
		"broken gzip": {"gzip", func(s *stage, _ *Options) {
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Encoding", "gzip")
				w.Write([]byte("x"))
				return true
			}
		}},
		"redirects":      {"more than 5 redirects", func(s *stage, _ *Options) { s.before = moved("/live/index.m3u8") }},
		"to other kinds": {"a redirect from https to file", func(s *stage, _ *Options) { s.before = moved("file:///etc/passwd") }},
		"to the clear":   {"a redirect from https to http", func(s *stage, _ *Options) { s.before = moved("http://stage.example/live/index.m3u8") }},
		"it hangs": {"deadline exceeded", func(s *stage, _ *Options) {
			s.before = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				o := Options{URL: stageURL, For: 30 * time.Second, Transport: s}
				c.change(s, &o)
				report, err := Run(t.Context(), o)
				require.ErrorIs(t, err, ErrUnreachable)
				require.ErrorContains(t, err, c.says)
				require.Nil(t, report)
			})
		})
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("lookup nowhere.invalid: no such host")
}

func plainly(text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Write([]byte(text))
		return true
	}
}

func bomb(s *stage) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		s.answerText(w, bytes.Repeat([]byte("#\n"), maxPlaylist))
		return true
	}
}

func moved(to string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, to, http.StatusFound)
		return true
	}
}
