package cmcd

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func header(lines ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(lines); i += 2 {
		h.Add(lines[i], lines[i+1])
	}
	return h
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   Report
		any    bool
	}{
		"as hls.js sends":        {header("CMCD-Request", `bl=2100,dl=2100,mtp=48100,su`, "CMCD-Session", `sid="6e2fb550-c457",cid="a"`, "CMCD-Status", "bs"), Report{2100 * time.Millisecond, -1, true}, true},
		"version 2":              {header("CMCD-Request", "bl=900,ltc=1450"), Report{900 * time.Millisecond, 1450 * time.Millisecond, false}, true},
		"in another header":      {header("CMCD-Object", "br=3000, bl=300"), Report{300 * time.Millisecond, -1, false}, true},
		"zero":                   {header("CMCD-Request", "bl=0"), Report{0, -1, false}, true},
		"commas in a string":     {header("CMCD-Session", `cid="a,bl=5,\",bl=6"`), Report{-1, -1, false}, false},
		"no number":              {header("CMCD-Request", "bl=x,ltc=-5,bs=false"), Report{-1, -1, false}, false},
		"too long to be true":    {header("CMCD-Request", "bl=999999999"), Report{-1, -1, false}, false},
		"more than there can be": {header("CMCD-Request", "bl=99999999999999999999"), Report{-1, -1, false}, false},
		"cut off":                {header("CMCD-Request", strings.Repeat("x", maxHeader)+",bl=5"), Report{-1, -1, false}, false},
		"an open string":         {header("CMCD-Request", `cid="abc\`), Report{-1, -1, false}, false},
		"nothing":                {header("X", "bl=5"), Report{-1, -1, false}, false},
	} {
		got, any := Parse(c.header)
		require.Equal(t, c.any, any, name)
		require.Equal(t, c.want, got, name)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"bl=2100,bs", `cid="a,b\"",ltc=5`, ",,=,", `"`, `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, any := Parse(http.Header{"Cmcd-Request": {line}})
		if r.Buffer > maxTime || r.Latency > maxTime {
			t.Fatalf("%q: %v", line, r)
		}
		if any != (r.Buffer >= 0 || r.Latency >= 0 || r.Starved) {
			t.Fatalf("%q: %v %v", line, r, any)
		}
	})
}

// What players tell is counted for their stream, whichever of its files they ask for, and for nothing that is no stream.
func TestStats(t *testing.T) {
	m := New(func(name string) bool { return name == "live" })
	ask := func(path, line string) { m.Read(http.Header{"Cmcd-Request": {line}}, path) }
	ask("/live/g/video/media.m3u8", "bl=900,ltc=1450")
	ask("/live/g/video/part-0-0-0.m4s", "bl=100000,bs")
	ask("/live/index.m3u8", "su")
	ask("/other/index.m3u8", "bl=900")
	s := m.Stats("live")
	require.EqualValues(t, 2, s.Buffer.Count())
	require.InDelta(t, 100.9, s.Buffer.Sum, 1e-9)
	require.EqualValues(t, 1, s.Buffer.Counts[3], "up to a second")
	require.EqualValues(t, 1, s.Buffer.Counts[len(bufferBounds)], "above all")
	require.EqualValues(t, 1, s.Latency.Count())
	require.EqualValues(t, 1, s.Stalls)
	require.Nil(t, m.Stats("other"))
	ask("/live/index.m3u8", "bs")
	require.EqualValues(t, 1, s.Stalls, "it is a copy")
	m.exists = func(string) bool { return false }
	m.Forget()
	require.Nil(t, m.Stats("live"))
}
