package bench

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sought is what a search finds that begins with start, at a server that can serve most and a bench that can ask for full.
func sought(t *rapid.T, start, most, full int) *Search {
	s := &Search{}
	for n := start; n > 0; n = s.next() {
		s.add(Step{Viewers: n, Kept: n <= min(most, full), Full: n > full})
		if len(s.Steps) > 60 {
			t.Fatalf("it does not end: %+v", s)
		}
	}
	return s
}

// Whatever the server can do and wherever the search begins, it ends within a tenth of the truth, and says whose bound it is.
func TestSearchFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.IntRange(1, maxViewers).Draw(t, "start")
		most, full := rapid.IntRange(0, 2*maxViewers).Draw(t, "most"), rapid.IntRange(0, 2*maxViewers).Draw(t, "full")
		s := sought(t, start, most, full)
		truth := min(most, full)
		if s.TooMany == 0 {
			require.GreaterOrEqual(t, 2*s.Viewers, maxViewers, "it stops before it must")
			return
		}
		require.LessOrEqual(t, s.Viewers, truth)
		require.Greater(t, s.TooMany, truth)
		require.LessOrEqual(t, s.TooMany-s.Viewers, max(s.Viewers/10, 1))
		require.Equal(t, s.TooMany > full, s.Full)
		require.LessOrEqual(t, len(s.Steps), 40)
	})
}

// A server that nobody asks much of serves all who are tried, and a bound that nothing can keep is told as none.
func TestSearchRuns(t *testing.T) {
	t.Parallel()
	at := serve(t)
	c, err := OpenClip("")
	require.NoError(t, err)
	o := Options{
		WHIP: at + "/whip/s", HLS: at + "/hls/s/index.m3u8", Publishers: 1, Viewers: 2, Clip: c, HTTP: "1.1",
		Time: time.Second, Within: time.Nanosecond, Label: "test", Version: "v",
	}
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Nil(t, r.Watch)
	s := r.Search
	require.Zero(t, s.Viewers)
	require.Equal(t, 1, s.TooMany)
	require.Len(t, s.Steps, 2)
	for _, step := range s.Steps {
		require.Positive(t, step.PartP50, "it was measured")
		require.Zero(t, step.Errors)
	}
	var table bytes.Buffer
	require.NoError(t, r.WriteTable(&table))
	require.Contains(t, table.String(), "most viewers")
	require.Contains(t, table.String(), "too many")
}
