package segmenter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What was announced holds for a generation, whatever is set meanwhile; the next one goes by what is set then.
func TestSettingsOfOneStreamHoldForAGeneration(t *testing.T) {
	own := DefaultConfig().StreamConfig
	own.Part, own.Segment, own.Resume = 100*time.Millisecond, time.Second, 2*time.Second
	asked := 0
	w := newWorld(t, func(c *Config) {
		c.Stream = func(string) StreamConfig {
			asked++
			return own
		}
	})
	units := loadUnits(t, "plain.h264")
	first := w.publish(units, 30, true)
	w.run(5 * time.Second)
	playlist := func() string { return string(w.gens[len(w.gens)-1].Rendition("video").Snapshot().Playlist().Body) }
	require.Contains(t, playlist(), "PART-TARGET=0.100000\n")
	require.Contains(t, playlist(), "#EXT-X-TARGETDURATION:1\n")

	own.Part, own.Segment = 200*time.Millisecond, 3*time.Second
	before := asked
	w.run(7 * time.Second)
	w.ch.detach(w.now, ReasonPeerClosed) // its encoder crashed, and comes back within the resume window
	first.stop()
	w.run(8 * time.Second)
	second := w.publish(units, 30, true)
	w.run(12 * time.Second)
	require.Len(t, w.gens, 1)
	require.Equal(t, before, asked, "nobody asks within a generation")
	require.Contains(t, playlist(), "PART-TARGET=0.100000\n")
	require.Contains(t, playlist(), "#EXT-X-TARGETDURATION:1\n")

	second.stop()
	w.ch.detach(w.now, ReasonPeerClosed)
	w.run(15 * time.Second)
	require.True(t, w.gens[0].over(), "its own resume window was two seconds")
	w.publish(units, 30, true)
	w.run(25 * time.Second)
	require.Len(t, w.gens, 2)
	require.Contains(t, playlist(), "PART-TARGET=0.200000\n")
	require.Contains(t, playlist(), "#EXT-X-TARGETDURATION:3\n")
	require.True(t, strings.HasSuffix(string(w.gens[0].Rendition("video").Snapshot().Playlist().Body), "#EXT-X-ENDLIST\n"))
	for i, g := range w.gens { // that playlists agree with themselves was checked version by version
		for _, name := range []string{"video", "audio"} {
			for _, part := range w.views[g.Rendition(name)].parts {
				require.LessOrEqual(t, part.Duration, time.Duration(i+1)*100*time.Millisecond, name)
			}
		}
	}
}

// Streams of one registry go by settings of their own.
func TestEachStreamAsksForItsSettings(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Stream = func(name string) StreamConfig {
		own := DefaultConfig().StreamConfig
		if name == "fast" {
			own.Part = 50 * time.Millisecond
		}
		return own
	}
	r := NewRegistry(cfg, quiet())
	defer r.Close()
	for name, part := range map[string]time.Duration{"fast": 50 * time.Millisecond, "other": 222 * time.Millisecond} {
		_, err := r.Publish(name, PublisherConfig{Tracks: audioTrack})
		require.NoError(t, err)
		require.Equal(t, part, r.Lookup(name).channel.all.of(name).Part, name)
	}
	require.Equal(t, 222*time.Millisecond, r.Config().Part)
}
