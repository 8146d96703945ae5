package segmenter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// index is the multivariant playlist as it is now.
func (w *world) index() playlist.MultivariantPlaylist {
	w.t.Helper()
	body := w.gens[len(w.gens)-1].Multivariant()
	require.NotNil(w.t, body)
	p, err := playlist.ParseMultivariant(body.Body)
	require.NoError(w.t, err)
	return p
}

func TestMultivariant_4_4_6_2(t *testing.T) {
	w := newWorld(t)
	w.publish(loadUnits(t, "plain.h264"), 30000.0/1001, true)
	w.run(10 * time.Second)
	w.legal() // the strict checker holds BANDWIDTH, CODECS, RESOLUTION and CHANNELS against what it measured
	p := w.index()
	id := w.gens[0].ID()
	require.Len(t, p.StreamInfs, 1)
	v := p.StreamInfs[0]
	require.Equal(t, "avc1.42c00b,Opus", v.Codecs, "the profile, constraints and level of the SPS; Opus as Safari wants it")
	require.Contains(t, string(w.gens[0].Multivariant().Body), ",FRAME-RATE=29.970,")
	require.Equal(t, playlist.NoClosedCaptions, v.ClosedCaptions)
	require.Positive(t, v.AverageBandwidth)
	require.LessOrEqual(t, v.AverageBandwidth, v.Bandwidth)
	require.Equal(t, id+"/video/media.m3u8", v.URI)
	require.Equal(t, []playlist.Media{{
		Type: playlist.TypeAudio, GroupID: v.Audio, Name: "Audio", Default: true, Autoselect: true, Channels: "2", URI: id + "/audio/media.m3u8",
	}}, p.Media)
}

// A multivariant playlist may gain renditions; what it has listed stays, under the same URIs.
func TestMultivariantGainsRenditions_6_2_4(t *testing.T) {
	for _, late := range []Kind{Audio, Video} {
		w := newWorld(t)
		s := w.publish(loadUnits(t, "plain.h264"), 30, true)
		s.cam.obeys = true
		s.cam.pass = func(int, []byte) bool { return late == Audio || w.now > 9*time.Second }
		s.mic.pass = func(int) bool { return late == Video || w.now > 9*time.Second }
		index := check.NewIndex(check.Strict)
		sizes := map[int]bool{}
		for until := 5 * time.Second; until < 16*time.Second; until += 100 * time.Millisecond {
			w.run(until)
			require.Empty(t, index.Playlist(w.gens[0].Multivariant().Body, nil), "at %v", until)
			p := w.index()
			sizes[len(p.StreamInfs)+len(p.Media)] = true
		}
		require.Len(t, sizes, 2, "one rendition first, then two")
		require.Len(t, w.gens, 1)
	}
}

// Players that do not know Opus find a variant of the picture alone, where that is wanted.
func TestVideoOnlyVariant(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.VideoOnlyVariant = true })
	w.publish(loadUnits(t, "plain.h264"), 30, true)
	w.run(10 * time.Second)
	w.legal()
	p := w.index()
	require.Len(t, p.StreamInfs, 2)
	both, silent := p.StreamInfs[0], p.StreamInfs[1]
	require.Equal(t, both.URI, silent.URI, "one playlist serves both")
	require.Equal(t, "avc1.42c00b", silent.Codecs)
	require.Empty(t, silent.Audio)
	require.NotEmpty(t, both.Audio)
	require.Less(t, silent.Bandwidth, both.Bandwidth)
	require.LessOrEqual(t, silent.AverageBandwidth, silent.Bandwidth)
	require.Less(t, silent.Score, both.Score)
	require.Positive(t, silent.Score, "on all variants or none")
	require.Equal(t, both.Resolution, silent.Resolution)
	require.Equal(t, both.FrameRate, silent.FrameRate)
	require.Equal(t, both.ClosedCaptions, silent.ClosedCaptions)

	for _, sound := range []bool{true, false} { // nothing to leave out
		w = newWorld(t, func(c *Config) { c.VideoOnlyVariant = true })
		units := loadUnits(t, "plain.h264")
		if sound {
			units = nil
		}
		w.publish(units, 30, sound)
		w.run(10 * time.Second)
		require.Len(t, w.index().StreamInfs, 1)
		require.Zero(t, w.index().StreamInfs[0].Score)
	}
}
