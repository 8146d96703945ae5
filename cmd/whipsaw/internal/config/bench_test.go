package config

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBench(t *testing.T) {
	usual := Bench{Streams: 1, Viewers: 10, HTTP: "1.1", Warm: 5 * time.Second, Time: 20 * time.Second}
	for args, change := range map[string]func(*Bench){
		"run http://h/whip/x http://h/hls/x/index.m3u8": func(b *Bench) {
			b.Mode, b.WHIP, b.HLS = BenchRun, "http://h/whip/x", "http://h/hls/x/index.m3u8"
		},
		"publish http://h/{n}/whip --streams 25 --clip a.mp4 --token t": func(b *Bench) {
			b.Mode, b.WHIP, b.Streams, b.Viewers, b.Clip, b.Token = BenchPublish, "http://h/{n}/whip", 25, 0, "a.mp4", "t"
		},
		"watch --viewers 300 https://h/x.m3u8 --http 3 --insecure --hints --video-only --waiters": func(b *Bench) {
			b.Mode, b.HLS, b.Viewers, b.HTTP = BenchWatch, "https://h/x.m3u8", 300, "3"
			b.Insecure, b.Hints, b.VideoOnly, b.Waiters = true, true, true, true
		},
		"run http://h/w http://h/x.m3u8 --viewers 0 --pid 7 --warm 0s --time 1m --label a --json -": func(b *Bench) {
			b.Mode, b.WHIP, b.HLS, b.Viewers, b.PID = BenchRun, "http://h/w", "http://h/x.m3u8", 0, 7
			b.Warm, b.Time, b.Label, b.JSON = 0, time.Minute, "a", "-"
		},
		"run http://h/w http://h/x.m3u8 --viewers 100 --within 200ms": func(b *Bench) {
			b.Mode, b.WHIP, b.HLS, b.Viewers, b.Within = BenchRun, "http://h/w", "http://h/x.m3u8", 100, 200*time.Millisecond
		},
		"report a.json b.json --svg g.svg": func(b *Bench) {
			b.Mode, b.Results, b.SVG = BenchReport, []string{"a.json", "b.json"}, "g.svg"
		},
	} {
		want := usual
		change(&want)
		got, err := ParseBench(strings.Fields(args), env{}.lookup)
		require.NoError(t, err, args)
		require.Equal(t, want, got, args)
	}
}

func TestBenchRefuses(t *testing.T) {
	for args, says := range map[string]string{
		"":                                       "publish, watch, run and report",
		"load http://h/x":                        `bench has no "load"`,
		"run http://h/w":                         "takes 2 URL(s), and got 1",
		"publish":                                "takes 1 URL(s), and got 0",
		"watch http://h/x http://h/y":            "takes 1 URL(s), and got 2",
		"publish h/x":                            "is no URL like http://",
		"publish ftp://h/x":                      "is no URL like http://",
		"publish http://h/x --streams 2":         "needs {n}",
		"publish http://h{n}/x":                  "in the path only",
		"publish http://h/x --streams 0":         "no number from 1 to 1000",
		"publish http://h/{n} --streams 1001":    "no number from 1 to 1000",
		"watch http://h/x --viewers 20001":       "no number from 0 to 20000",
		"watch http://h/x --viewers 0":           "needs viewers",
		"publish http://h/x --viewers 3":         "has no viewers",
		"watch http://h/x --time 500ms":          "--time",
		"watch http://h/x --time 25h":            "--time",
		"watch http://h/x --warm 25h":            "--warm",
		"watch http://h/x --http 3":              "needs an https URL",
		"watch http://h/x --http 4":              "none of 1.1, 2, 3",
		"publish http://h/x --within 1s":         "needs viewers",
		"watch http://h/x --within 1s --waiters": "do not fetch",
		"watch http://h/x --pid 0":               "--pid",
		"watch http://h/x --svg a.svg":           "bench report",
		"report":                                 "takes the files",
	} {
		_, err := ParseBench(strings.Fields(args), env{}.lookup)
		require.ErrorIs(t, err, ErrUsage, args)
		require.ErrorContains(t, err, says, args)
	}
	_, err := ParseBench([]string{"run", "--help"}, env{}.lookup)
	require.ErrorIs(t, err, ErrHelp)
}

func TestBenchHelp(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteHelp(&out, "bench"))
	for _, d := range BenchSettings(new(Bench)) {
		require.Contains(t, out.String(), "--"+d.Name)
		require.Contains(t, out.String(), d.Help)
		require.False(t, strings.HasSuffix(d.Help, "."))
	}
	for _, mode := range []string{BenchPublish, BenchWatch, BenchRun, BenchReport} {
		require.Contains(t, out.String(), "whipsaw bench "+mode+" ")
	}
}
