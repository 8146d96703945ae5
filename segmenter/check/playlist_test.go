package check

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

// from bends every version from the n-th on.
func from(n int, change func(p *playlist.MediaPlaylist)) func(int, *playlist.MediaPlaylist) {
	return func(at int, p *playlist.MediaPlaylist) {
		if at >= n {
			change(p)
		}
	}
}

// segmentAt bends one segment wherever it is listed, from the n-th version on.
func segmentAt(n int, msn int64, change func(s *playlist.Segment)) func(int, *playlist.MediaPlaylist) {
	return from(n, func(p *playlist.MediaPlaylist) {
		if i := msn - p.MediaSequence; i >= 0 && i < int64(len(p.Segments)) {
			change(&p.Segments[i])
		}
	})
}

func TestPlaylistRulesBite(t *testing.T) {
	type change = func(int, *playlist.MediaPlaylist)
	w := videoWorld(t)
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		change change
	}{
		// constants.go
		"version too low":         {Version, "CAN-SKIP-UNTIL", from(0, func(p *playlist.MediaPlaylist) { p.Version = 8 })},
		"version changes":         {HeaderConstant, "from 9 to 10", from(5, func(p *playlist.MediaPlaylist) { p.Version = 10 })},
		"target duration changes": {TargetDurationConstant, "from 2 to 3", from(5, func(p *playlist.MediaPlaylist) { p.TargetDuration = 3 })},
		"part target changes":     {PartTargetConstant, "changed", from(5, func(p *playlist.MediaPlaylist) { p.PartInf.PartTarget += 1e6 })},
		"no part target": {PartInf, "no EXT-X-PART-INF", from(0, func(p *playlist.MediaPlaylist) {
			p.PartInf.PartTarget = 0
			for i := range p.Segments {
				p.Segments[i].Parts = nil
			}
			p.Segments = slices.DeleteFunc(p.Segments, func(s playlist.Segment) bool { return s.Open() })
		})},
		"part target above target": {PartInf, "above", from(0, func(p *playlist.MediaPlaylist) { p.PartInf.PartTarget = 3 * time.Second })},
		"server control changes":   {ServerControlConstant, "changed", from(5, func(p *playlist.MediaPlaylist) { p.ServerControl.HoldBack += time.Second })},
		"part hold back short":     {PartHoldBack, "PART-HOLD-BACK", from(0, func(p *playlist.MediaPlaylist) { p.ServerControl.PartHoldBack = 2 * partTarget })},
		"hold back short":          {ServerControl, "HOLD-BACK 5s", from(0, func(p *playlist.MediaPlaylist) { p.ServerControl.HoldBack = 5 * time.Second })},
		"skip until short":         {ServerControl, "CAN-SKIP-UNTIL 11s", from(0, func(p *playlist.MediaPlaylist) { p.ServerControl.CanSkipUntil = 11 * time.Second })},
		"does not block":           {BlockReload, "CAN-BLOCK-RELOAD", from(0, func(p *playlist.MediaPlaylist) { p.ServerControl.CanBlockReload = false })},
		"independence changes":     {HeaderConstant, "changed", from(5, func(p *playlist.MediaPlaylist) { p.IndependentSegments = true })},

		// durations.go
		"segment too long": {TargetDuration, "segment 1 of 2.5", segmentAt(0, 1, func(s *playlist.Segment) {
			if !s.Open() {
				s.Duration = 2500 * time.Millisecond
			}
		})},
		"segment without length": {ExtInf, "segment 1 of no length", segmentAt(0, 1, func(s *playlist.Segment) { s.Duration = 0 })},
		"parts are not the segment": {PartSumExact, "has parts of", segmentAt(0, 1, func(s *playlist.Segment) {
			if !s.Open() {
				s.Duration -= time.Millisecond
			}
		})},
		"part too long": {PartDuration, "part 2 of segment 1 lasts 223ms", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 2 {
				s.Parts[2].Duration = 223 * time.Millisecond
			}
		})},
		"part too short": {PartShort, "part 2 of segment 1 lasts 188ms", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 2 {
				s.Parts[2].Duration = 188 * time.Millisecond
			}
		})},
		"part without length": {PartDuration, "part 2 of segment 1 has no length", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 2 {
				s.Parts[2].Duration = 0
			}
		})},

		// tags.go
		"no map":              {MapTag, "no EXT-X-MAP", from(0, func(p *playlist.MediaPlaylist) { p.Segments[0].Map = nil })},
		"no date":             {DateTimeExact, "on segment 2", segmentAt(0, 2, func(s *playlist.Segment) { s.ProgramDateTime = time.Time{} })},
		"date goes back":      {DateTimeOrder, "goes back", segmentAt(0, newEpoch, func(s *playlist.Segment) { s.ProgramDateTime = worldStart })},
		"date jumps":          {DateTimeExact, "advances by 2.1s", segmentAt(0, 2, func(s *playlist.Segment) { s.ProgramDateTime = s.ProgramDateTime.Add(100 * time.Millisecond) })},
		"not independent":     {IndependentSegments, "segment 4", from(0, func(p *playlist.MediaPlaylist) { p.IndependentSegments = true })},
		"open after the end":  {EndList, "open segment", from(7, func(p *playlist.MediaPlaylist) { p.EndList, p.PreloadHints = true, nil })},
		"two hints of a kind": {Hint, "2 EXT-X-PRELOAD-HINT", from(0, func(p *playlist.MediaPlaylist) { p.PreloadHints = append(p.PreloadHints, p.PreloadHints...) })},
		"parts for ever": {PartLeaves, "still has parts", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) == 0 {
				s.Parts = []playlist.Part{{URI: "part-1-0.m4s", Duration: 2 * time.Second}}
			}
		})},

		// succession.go
		"media sequence goes back": {MediaSequence, "went back", from(115, func(p *playlist.MediaPlaylist) { p.MediaSequence-- })},
		"media sequence jumps":     {Immutable, "segment 1: EXT-X-PROGRAM-DATE-TIME was", from(15, func(p *playlist.MediaPlaylist) { p.MediaSequence++ })},
		"discontinuity not counted": {DiscontinuitySequence, "while 1 tags left", from(0, func(p *playlist.MediaPlaylist) {
			p.DiscontinuitySequence = 0
		})},
		"discontinuity counted early": {DiscontinuitySequence, "from 0 to 1 while 0", from(5, func(p *playlist.MediaPlaylist) { p.DiscontinuitySequence++ })},
		"segments vanish": {SegmentsVanish, "are gone", func(n int, p *playlist.MediaPlaylist) {
			if n == 35 {
				p.Segments = p.Segments[:2]
			}
		}},
		"goes on after the end": {EndList, "changed after", func(n int, p *playlist.MediaPlaylist) {
			if n == 20 {
				p.EndList, p.PreloadHints = true, nil
			}
		}},
		"too few segments": {WindowShort, "fewer than three", from(0, func(p *playlist.MediaPlaylist) {
			for len(p.Segments) > 2 {
				p.Segments = p.Segments[1:]
				p.MediaSequence++
			}
			p.Segments[0].Map = &playlist.Map{URI: "init-0.mp4"}
		})},

		// merge.go
		"discontinuity moves": {Immutable, "EXT-X-DISCONTINUITY was false", segmentAt(20, 1, func(s *playlist.Segment) { s.Discontinuity = true })},
		"number changes":      {DiscontinuitySequence, "segment 1 had discontinuity sequence number 0, now 1", segmentAt(20, 0, func(s *playlist.Segment) { s.Discontinuity = true })},
		"map changes":         {MapTag, `had map "init-0.mp4", now "init-1.mp4"`, segmentAt(20, 0, func(s *playlist.Segment) { s.Map.URI = "init-1.mp4" })},
		"date changes":        {Immutable, "EXT-X-PROGRAM-DATE-TIME was", segmentAt(20, 1, func(s *playlist.Segment) { s.ProgramDateTime = s.ProgramDateTime.Add(time.Millisecond) })},
		"duration changes":    {Immutable, "segment 0 was", segmentAt(20, 0, func(s *playlist.Segment) { s.Duration += time.Microsecond })},
		"URI changes":         {Immutable, "segment 0 was", segmentAt(20, 0, func(s *playlist.Segment) { s.URI = "other.m4s" })},
		"part changes": {Immutable, "part 0 of segment 1 was", segmentAt(15, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 0 {
				s.Parts[0].Independent = false
			}
		})},
		"part is withdrawn": {Immutable, "segment 1 had 5 parts, now 4", func(n int, p *playlist.MediaPlaylist) {
			if n == 16 {
				p.Segments[1].Parts = p.Segments[1].Parts[:4]
			}
		}},
		"parts leave early": {PartStays, "the parts of segment 1 are gone", segmentAt(30, 1, func(s *playlist.Segment) { s.Parts = nil })},

		// names.go
		"segment URI again": {OneName, "segment-0.m4s is used again", segmentAt(0, 2, func(s *playlist.Segment) {
			if !s.Open() {
				s.URI = "segment-0.m4s"
			}
		})},
		"part URI again": {OneName, "part-0-0.m4s is used again", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 0 {
				s.Parts[0].URI = "part-0-0.m4s"
			}
		})},
		"part has the URI of the map": {OneName, "init-0.mp4 is used again", segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 0 {
				s.Parts[0].URI = "init-0.mp4"
			}
		})},

		// hints.go
		"hint is not kept": {Hint, `hinted was "other.m4s", it came neither next nor as the first part of segment 2`, func(n int, p *playlist.MediaPlaylist) {
			if n == 12 {
				p.PreloadHints[0].URI = "other.m4s"
			}
		}},
		"new map not hinted": {HintMap, `with map "init-1.mp4", hinted was ""`, from(0, func(p *playlist.MediaPlaylist) {
			p.PreloadHints = slices.DeleteFunc(p.PreloadHints, func(h playlist.PreloadHint) bool { return h.Type == playlist.HintMap })
		})},
	} {
		t.Run(name, func(t *testing.T) {
			_, violations := w.play(t, bend{playlist: c.change})
			requireRule(t, violations, c.rule, c.detail)
		})
	}
}

// A following independent part excuses a short one in video alone.
func TestShortPartOfAudio(t *testing.T) {
	_, violations := audioWorld(t).play(t, bend{playlist: segmentAt(0, 1, func(s *playlist.Segment) {
		if len(s.Parts) > 2 {
			s.Parts[2].Duration = 180 * time.Millisecond
		}
	})})
	requireRule(t, violations, PartShort, "part 2 of segment 1 lasts 180ms")
}

// Gaps excuse short parts, theirs and the one before them.
func TestShortPartAtGap(t *testing.T) {
	w := videoWorld(t)
	p := w.version(15)
	p.Segments[1].Parts[2].Duration = 100 * time.Millisecond
	p.Segments[1].Parts[3] = playlist.Part{URI: "gap", Duration: 50 * time.Millisecond, Gap: true}
	f := New().open()
	partDurations(f, &p, false)
	require.Empty(t, f.list)
}

// hinting replaces the hint of a part by that of another.
func hinting(uri, instead string) func(int, *playlist.MediaPlaylist) {
	return from(0, func(p *playlist.MediaPlaylist) {
		for i := range p.PreloadHints {
			if p.PreloadHints[i].URI == uri {
				p.PreloadHints[i].URI = instead
			}
		}
	})
}

func TestBrokenHints(t *testing.T) {
	w := videoWorld(t)
	for name, c := range map[string]struct{ uri, instead string }{
		"the segment was cut":       {"part-2-0.m4s", "part-1-10.m4s"},
		"the segment went on":       {"part-1-9.m4s", "part-2-0.m4s"},
		"the epoch came first":      {"part-3-0.m4s", "part-2-10.m4s"},
		"the epoch came after that": {"part-2-9.m4s", "part-2-99.m4s"},
	} {
		t.Run(name, func(t *testing.T) {
			checker, violations := w.play(t, bend{playlist: hinting(c.uri, c.instead)})
			require.Empty(t, violations)
			require.Equal(t, 1, checker.BrokenHints())
		})
	}
	checker, _ := w.play(t, bend{})
	require.Zero(t, checker.BrokenHints())
}

// No hint at all is no fault: while the publisher is away nothing is announced.
func TestNoHint(t *testing.T) {
	_, violations := videoWorld(t).play(t, bend{playlist: func(n int, p *playlist.MediaPlaylist) {
		if n > 20 && n < 40 {
			p.PreloadHints = nil
		}
	}})
	require.Empty(t, violations)
}

func TestHintChangesBeforeItsPart(t *testing.T) {
	w, c := videoWorld(t), New()
	p := w.version(5)
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	p.PreloadHints[0].URI = "other.m4s"
	requireRule(t, c.Playlist(worldStart, p.Append(nil)), Hint, "the hint changed")
}

func TestStandstill(t *testing.T) {
	w, c := videoWorld(t), New()
	p := w.version(5)
	body := p.Append(nil)
	for i := range 31 {
		require.Empty(t, c.Playlist(worldStart.Add(time.Duration(i)*100*time.Millisecond), body))
	}
	requireRule(t, c.Playlist(worldStart.Add(3100*time.Millisecond), body), Fresh, "nothing new after segment 0")
	// It goes on, and the clock begins anew.
	p = w.version(6)
	require.Empty(t, c.Playlist(worldStart.Add(3200*time.Millisecond), p.Append(nil)))
	require.Empty(t, c.Playlist(worldStart.Add(6100*time.Millisecond), p.Append(nil)))
	// After the end nothing is waited for.
	p = w.version(w.parts())
	c = New()
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	require.Empty(t, c.Playlist(worldStart.Add(time.Hour), p.Append(nil)))
}

func TestEverythingReplaced(t *testing.T) {
	w, c := videoWorld(t), New()
	p := w.version(65)
	p.DiscontinuitySequence = 3
	c.Playlist(worldStart, p.Append(nil))
	p.MediaSequence += 100
	p.DiscontinuitySequence = 2
	requireRule(t, c.Playlist(worldStart, p.Append(nil)), DiscontinuitySequence, "went back from 3 to 2")
}
