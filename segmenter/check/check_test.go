package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

func TestFaultlessWorld(t *testing.T) {
	video, audio := videoWorld(t), audioWorld(t)
	v, violations := video.play(t, bend{})
	require.Empty(t, violations)
	require.True(t, v.Ended())
	require.Empty(t, v.Wanted())
	a, violations := audio.play(t, bend{})
	require.Empty(t, violations)
	require.Empty(t, Agree(v, a))
	require.Empty(t, Agree(a, v))
	// The world is rich enough for the checks to have been at work.
	require.Greater(t, v.last.MediaSequence, int64(newEpoch))
	require.Equal(t, int64(1), v.last.DiscontinuitySequence)
	require.Positive(t, v.peak)
	for _, s := range v.segments {
		require.True(t, s.whole.have, "segment %d", s.msn)
		require.Nil(t, s.whole.bytes, "segment %d", s.msn)
	}
}

// A client that joins late, loads every fifth version and only whole segments sees nothing wrong either.
func TestFaultlessWorldSeenInPart(t *testing.T) {
	w := videoWorld(t)
	c := New()
	for n := 33; n <= w.parts(); n += 5 {
		p := w.version(n)
		require.Empty(t, c.Playlist(worldStart.Add(time.Duration(n)*200*time.Millisecond), p.Append(nil)))
		for _, uri := range c.Wanted() {
			if !strings.HasPrefix(uri, "part") {
				require.Empty(t, c.Bytes(uri, w.files[uri]), uri)
			}
		}
	}
}

// Bytes may come before the playlist that names them, and before their init segment.
func TestBytesAhead(t *testing.T) {
	w := videoWorld(t)
	c := New()
	p := w.version(1)
	require.Empty(t, c.Bytes("part-0-1.m4s", w.files["part-0-1.m4s"]))
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	require.Empty(t, c.Bytes("part-0-0.m4s", w.files["part-0-0.m4s"]))
	p = w.version(2)
	p.Segments[0].Parts[1].Duration -= 10 * time.Millisecond
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	violations := c.Bytes("init-0.mp4", w.files["init-0.mp4"])
	requireRule(t, violations, ExtInfExact, "part 1 of segment 0 has 200ms of media")
}

func TestReportedOnce(t *testing.T) {
	w := videoWorld(t)
	_, violations := w.play(t, bend{playlist: func(_ int, p *playlist.MediaPlaylist) { p.ServerControl.HoldBack = time.Second }})
	require.Len(t, violations, 1)
	require.Equal(t, "server-control (rfc8216bis 4.4.3.8): HOLD-BACK 1s is less than three target durations of 2s", violations[0].String())
}

func TestMemoryIsBounded(t *testing.T) {
	w := videoWorld(t)
	c, _ := w.play(t, bend{})
	require.Empty(t, c.waiting)
	first := c.last.MediaSequence
	c.forget(first + 8)
	require.NotContains(t, c.segments, first-1)
	require.Contains(t, c.segments, first)
}

func TestUnreadablePlaylist(t *testing.T) {
	c := New()
	requireRule(t, c.Playlist(worldStart, []byte("#EXTM3U\n#EXT-X-TARGETDURATION:x\n")), Syntax, "line 2")
	require.Nil(t, c.Wanted())
	require.False(t, c.Ended())

	// 4.4.4.9: DISCONTINUITY, MAP and PROGRAM-DATE-TIME stand before the first part.
	w := videoWorld(t)
	p := w.version(3)
	text := strings.Replace(string(p.Append(nil)), "#EXT-X-PART:", "#EXT-X-PART:DURATION=0.2,URI=\"x\"\n#EXT-X-DISCONTINUITY\n#EXT-X-PART:", 1)
	requireRule(t, c.Playlist(worldStart, []byte(text)), Syntax, "after a part")
}

// A delta update stands for the version that it is made of.
func TestPlaylistTakesDeltas(t *testing.T) {
	w := videoWorld(t)
	c := New()
	deltas := 0
	for n := 1; n <= w.parts(); n++ {
		p := w.version(n)
		if d, ok := p.Delta(); ok && n > 80 {
			p, deltas = d, deltas+1
		}
		require.Empty(t, c.Playlist(worldStart.Add(time.Duration(n)*200*time.Millisecond), p.Append(nil)))
	}
	require.Greater(t, deltas, 30)
}

// When several segments come at once, the last parts of the one that was open are never listed.
func TestPartsNeverListed(t *testing.T) {
	w := videoWorld(t)
	for _, broken := range []bool{false, true} {
		c := New()
		p := w.version(5)
		require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
		for _, uri := range c.Wanted() {
			require.Empty(t, c.Bytes(uri, w.files[uri]))
		}
		p = w.version(60)
		require.Empty(t, p.Segments[0].Parts)
		require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
		require.Empty(t, c.Bytes("segment-1.m4s", w.files["segment-1.m4s"]))
		whole := slices.Clone(w.files["segment-0.m4s"])
		if broken {
			whole[len(w.files["part-0-0.m4s"])-1]++
			requireRule(t, c.Bytes("segment-0.m4s", whole), PartBytes, "they differ in part 0")
			continue
		}
		require.Empty(t, c.Bytes("segment-0.m4s", whole))
	}
}
