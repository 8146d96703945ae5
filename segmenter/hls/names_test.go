package hls

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"whipsaw/segmenter"
)

// uri writes the name as playlists do.
func (n name) uri() string {
	switch n.kind {
	case initKind:
		return segmenter.InitURI(n.n)
	case segmentKind:
		return segmenter.SegmentURI(n.msn)
	}
	return n.part.URI()
}

func TestParseName(t *testing.T) {
	for file, want := range map[string]name{
		"init-0.mp4":                      {kind: initKind},
		"init-12.mp4":                     {kind: initKind, n: 12},
		"segment-0.m4s":                   {kind: segmentKind},
		"segment-9223372036854775807.m4s": {kind: segmentKind, msn: 1<<63 - 1},
		"part-0-0-0.m4s":                  {kind: partKind},
		"part-2-345-67.m4s":               {kind: partKind, part: segmenter.PartID{Epoch: 2, MSN: 345, Index: 67}},
	} {
		got, ok := parseName(file)
		require.True(t, ok, file)
		require.Equal(t, want, got, file)
		require.Equal(t, file, got.uri())
	}
}

func TestParseNameIsCanonical(t *testing.T) {
	for _, file := range []string{
		"", ".mp4", ".m4s", "media.m3u8", "init.mp4", "init-.mp4", "init-00.mp4", "init-01.mp4", "init-+1.mp4", "init--1.mp4", "init-1.m4s",
		"Init-1.mp4", "init-1.mp4 ", "init-2147483648.mp4", "segment-.m4s", "segment-01.m4s", "segment--1.m4s", "segment-1.mp4", "segment-1-1.m4s",
		"segment-9223372036854775808.m4s", "segment-1e3.m4s", "segment-١.m4s", "part-1.m4s", "part-1-1.m4s", "part-1-1-.m4s", "part-1-1-1-1.m4s",
		"part-1-1-01.m4s", "part-01-1-1.m4s", "part-1-+1-1.m4s", "part-1-1-2147483648.m4s", "part-1-1-1.mp4", "xpart-1-1-1.m4s", "part--1-1-1.m4s",
		"%70art-1-1-1.m4s", "part-1-1-1.m4s%00",
	} {
		_, ok := parseName(file)
		require.False(t, ok, file)
	}
}

func TestNamesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := name{kind: kind(rapid.IntRange(1, 3).Draw(t, "kind"))}
		switch n.kind {
		case initKind:
			n.n = int(rapid.Int32Min(0).Draw(t, "n"))
		case segmentKind:
			n.msn = rapid.Int64Min(0).Draw(t, "msn")
		case partKind:
			n.part = segmenter.PartID{
				Epoch: rapid.Int64Min(0).Draw(t, "epoch"), MSN: rapid.Int64Min(0).Draw(t, "msn"), Index: int(rapid.Int32Min(0).Draw(t, "index")),
			}
		}
		got, ok := parseName(n.uri())
		require.True(t, ok)
		require.Equal(t, n, got)
	})
}

func FuzzName(f *testing.F) {
	for _, file := range []string{"init-0.mp4", "segment-12.m4s", "part-1-23-4.m4s", "part-1--4.m4s"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		if n, ok := parseName(file); ok {
			require.Equal(t, file, n.uri(), "every thing has one name")
		}
	})
}
