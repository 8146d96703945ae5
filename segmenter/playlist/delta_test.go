package playlist

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// skipping returns a playlist with CAN-SKIP-UNTIL=12 and complete segments of the given seconds.
func skipping(seconds ...float64) MediaPlaylist {
	p := MediaPlaylist{TargetDuration: 2, MediaSequence: 100, DiscontinuitySequence: 5}
	p.ServerControl.CanSkipUntil = 12 * time.Second
	for i, s := range seconds {
		p.Segments = append(p.Segments, Segment{
			URI: fmt.Sprintf("segment-%d.m4s", 100+i), Duration: time.Duration(s * float64(time.Second)),
		})
	}
	return p
}

func open(parts ...time.Duration) Segment {
	var s Segment
	for i, d := range parts {
		s.Parts = append(s.Parts, Part{URI: fmt.Sprintf("part-%d.m4s", i), Duration: d})
	}
	return s
}

func TestDeltaSkipsOnlyWhatIsFurtherThanTheBoundary_6_2_5_1(t *testing.T) {
	for _, test := range []struct {
		name    string
		p       MediaPlaylist
		skipped int
	}{
		{"empty", skipping(), 0},
		{"short", skipping(2, 2, 2), 0},
		{"the boundary itself is not further", skipping(2, 2, 2, 2, 2, 2, 2), 0},
		{"one further", skipping(2, 2, 2, 2, 2, 2, 2, 2), 1},
		{"a boundary inside a segment keeps it", skipping(3, 3, 3, 3, 3, 3), 1},
		{"a hair further", skipping(2, 2, 2, 2, 2, 2, 2.000001), 1},
		{"a hair nearer", skipping(2, 2, 2, 2, 2, 2, 1.999999), 0},
		{"many", skipping(2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2), 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			delta, ok := test.p.Delta()
			require.Equal(t, test.skipped > 0, ok)
			if ok {
				require.Equal(t, &Skip{test.skipped}, delta.Skip)
				require.Equal(t, test.p.Segments[test.skipped:], delta.Segments)
			}
		})
	}
}

func TestDeltaCountsTheOpenSegment(t *testing.T) {
	p := skipping(2, 2, 2, 2, 2, 2, 2)
	p.Segments = append(p.Segments, open(time.Microsecond))
	delta, ok := p.Delta()
	require.True(t, ok)
	require.Equal(t, 1, delta.Skip.SkippedSegments)
	require.True(t, delta.Segments[6].Open())
}

func TestDeltaChangesNothingElse_4_4_5_2(t *testing.T) {
	p := skipping(2, 2, 2, 2, 2, 2, 2, 2, 2)
	p.Segments[0].Map, p.Segments[1].Discontinuity = &Map{"init-0.mp4"}, true
	p.Segments[2].Discontinuity = true
	delta, ok := p.Delta()
	require.True(t, ok)
	require.Equal(t, int64(100), delta.MediaSequence)
	require.Equal(t, int64(5), delta.DiscontinuitySequence, "skipping does not change it")
	require.Nil(t, delta.Segments[0].Map, "the map of a skipped segment is skipped with it")
	require.True(t, delta.Segments[0].Discontinuity, "the tags of what is not skipped stay")
	require.Nil(t, p.Skip)
	require.Len(t, p.Segments, 9)
}

func TestDeltaIsRefused(t *testing.T) {
	long := skipping(2, 2, 2, 2, 2, 2, 2, 2, 2)
	for name, change := range map[string]func(*MediaPlaylist){
		"after the end":          func(p *MediaPlaylist) { p.EndList = true },
		"without CAN-SKIP-UNTIL": func(p *MediaPlaylist) { p.ServerControl.CanSkipUntil = 0 },
		"of a delta":             func(p *MediaPlaylist) { p.Skip = &Skip{1} },
	} {
		p := long
		change(&p)
		_, ok := p.Delta()
		require.False(t, ok, name)
	}
}

func TestApplyDeltaRefusesWhatItDoesNotHold_6_3_7(t *testing.T) {
	full := skipping(2, 2, 2, 2, 2, 2, 2, 2, 2, 2)
	delta, ok := full.Delta()
	require.True(t, ok)
	for name, previous := range map[string]MediaPlaylist{
		"nothing held":    {},
		"too new":         {MediaSequence: 101, Segments: full.Segments[1:]},
		"too old":         {MediaSequence: 98, Segments: full.Segments[:2]},
		"much too old":    {MediaSequence: 1, Segments: full.Segments[:2]},
		"a delta itself":  delta,
		"one still open":  {MediaSequence: 100, Segments: []Segment{full.Segments[0], full.Segments[1], open(time.Second)}},
		"far in the past": {MediaSequence: 0, Segments: full.Segments},
	} {
		_, err := ApplyDelta(&previous, &delta)
		require.ErrorIs(t, err, ErrDelta, name)
	}
	got, err := ApplyDelta(&MediaPlaylist{}, &full)
	require.NoError(t, err, "a full playlist needs nothing held")
	require.Equal(t, full, got)
}

// channel is a small origin: it publishes part by part and shows a window.
type channel struct {
	msn      int64
	segments []Segment
	maps     []*Map // in force for each segment
	part     int
}

// publish adds a part, and closes or begins segments as told.
func (c *channel) publish(t *rapid.T) {
	last := len(c.segments) - 1
	if last < 0 || !c.segments[last].Open() {
		s := Segment{ProgramDateTime: time.UnixMilli(int64(c.part)).UTC()}
		inForce := &Map{"init-0.mp4"}
		if last >= 0 {
			inForce = c.maps[last]
			if rapid.IntRange(0, 4).Draw(t, "new epoch") == 0 {
				s.Discontinuity, inForce = true, &Map{fmt.Sprintf("init-%d.mp4", c.part)}
			}
		}
		c.segments, c.maps = append(c.segments, s), append(c.maps, inForce)
		last++
	}
	s := &c.segments[last]
	d := time.Duration(rapid.IntRange(1, 222).Draw(t, "ms")) * time.Millisecond
	s.Parts = append(s.Parts, Part{URI: fmt.Sprintf("part-%d.m4s", c.part), Duration: d})
	c.part++
	if len(s.Parts) >= 9 || rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
		s.Duration, s.URI = s.length(), fmt.Sprintf("segment-%d.m4s", c.msn+int64(last))
	}
}

// show is the full playlist now: old segments removed, parts only within three target durations of the end, maps where
// they change and on the first segment.
func (c *channel) show(window time.Duration) MediaPlaylist {
	p := MediaPlaylist{TargetDuration: 2, PartInf: PartInf{PartTarget: 222 * time.Millisecond}}
	p.ServerControl.CanSkipUntil = 12 * time.Second
	var behind time.Duration
	first := len(c.segments)
	for first > 0 && behind < window {
		first--
		behind += c.segments[first].length()
	}
	for i := range first {
		if c.segments[i].Discontinuity {
			p.DiscontinuitySequence++
		}
	}
	p.MediaSequence = c.msn + int64(first)
	for i := first; i < len(c.segments); i++ {
		s := c.segments[i]
		if i == first || *c.maps[i] != *c.maps[i-1] {
			s.Map = c.maps[i]
		}
		behind -= s.length()
		if behind > 6*time.Second {
			s.Parts = nil
		}
		p.Segments = append(p.Segments, s)
	}
	return p
}

func TestApplyDeltaGivesTheFullPlaylist(t *testing.T) {
	merged := 0
	rapid.Check(t, func(t *rapid.T) {
		c := &channel{msn: rapid.Int64Range(0, 1000).Draw(t, "msn")}
		window := time.Duration(rapid.IntRange(14, 30).Draw(t, "window")) * time.Second
		for range rapid.IntRange(1, 250).Draw(t, "before") {
			c.publish(t)
		}
		held := c.show(window)
		// 6.3.7: what a client holds is no older than half the boundary.
		for range rapid.IntRange(0, 20).Draw(t, "meanwhile") {
			c.publish(t)
		}
		full := c.show(window)
		delta, ok := full.Delta()
		if !ok {
			return
		}
		text := delta.Append(nil)
		read, err := ParseMedia(text)
		require.NoError(t, err)
		got, err := ApplyDelta(&held, &read)
		require.NoError(t, err)
		require.Equal(t, full, got)
		require.Less(t, len(text), len(full.Append(nil)))
		merged++
	})
	require.Positive(t, merged)
}

// Whatever the playlist: nothing within the boundary goes, and everything beyond it does.
func TestDeltaIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawMedia(t)
		p.EndList, p.Skip = false, nil
		delta, ok := p.Delta()
		skipped := 0
		if ok {
			skipped = delta.Skip.SkippedSegments
		}
		require.Equal(t, ok, skipped > 0)
		var behind time.Duration
		for i := len(p.Segments) - 1; i >= 0; i-- {
			further := p.ServerControl.CanSkipUntil > 0 && behind > p.ServerControl.CanSkipUntil
			require.Equal(t, further, i < skipped, "segment %d, %v from the end", i, behind)
			behind += p.Segments[i].length()
		}
	})
}
