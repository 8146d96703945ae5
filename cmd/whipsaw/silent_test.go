package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Beside a variant without sound, players that know Opus go on playing the one with it.
func TestBrowserPrefersSound(t *testing.T) {
	realTime(t, loadStream+2*loadPage)
	page := servePlayers(t, playersFolder(t))
	b := startBrowser(t)
	s := serve(t, "--demo", "--video-only-variant")
	index := s.playable("demo")
	pages := map[string]string{"hls.js": s.URL() + "/watch/demo", "Shaka": page("shaka", index)}
	for name, url := range pages {
		t.Run(name, func(t *testing.T) {
			p := b.open(url)
			eventually(t, "it plays", func() bool {
				w := p.watching()
				return w.CurrentTime > 3 && w.Frames > 60
			})
			sounds := evaluate[int](p, "performance.getEntriesByType('resource').filter(e => /\\/audio\\/(part|segment)-/.test(e.name)).length")
			require.Positive(t, sounds, "%+v", p.watching())
		})
	}
}
