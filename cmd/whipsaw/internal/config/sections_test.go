package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
	"whipsaw/signaling"
)

const sectionsText = `segment: 4s
max-bitrate: 8000
streams:
  "studio-*":
    part: 100ms
    publish-token: hunter2
    codec: [h264]
  studio-1:
    segment: 1s
    window: 1m
    resume: 5s
    on-loss: show
    publish-token: [hunter3, "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    watch-token: hunter4
    max-bitrate: 2500
    on-excess: end
  "*":
    max-bitrate: 100
watch-key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
`

// A stream goes by the section with its name, else by the first whose pattern it fits, else by what holds for all.
func TestSections(t *testing.T) {
	c := parseServe(t, nil, "--config", inFile(t, sectionsText), "--recovery-points")
	all := segmenter.DefaultConfig().StreamConfig
	all.Segment, all.RecoveryPoints = 4*time.Second, true
	one := all
	one.Segment, one.Window, one.Resume, one.OnLoss = time.Second, time.Minute, 5*time.Second, segmenter.Show
	studios := all
	studios.Part = 100 * time.Millisecond

	require.Equal(t, one, c.Stream("studio-1").StreamConfig)
	require.Equal(t, signaling.StreamRules{MaxBitrate: 2_500_000, EndExcess: true}, c.Stream("studio-1").Rules, "sections are not mixed")
	require.Equal(t, studios, c.Stream("studio-2").StreamConfig)
	require.Equal(t, signaling.StreamRules{Codecs: []string{"H264"}, MaxBitrate: 8_000_000}, c.Stream("studio-2").Rules)
	require.Equal(t, all, c.Stream("other").StreamConfig)
	require.EqualValues(t, 100_000, c.Stream("other").Rules.MaxBitrate)
	require.EqualValues(t, 8_000_000, parseServe(t, nil, "--max-bitrate", "8000").Stream("x").Rules.MaxBitrate)

	require.True(t, c.Authenticated())
	var tokens []string
	for _, token := range append(c.StreamTokens, c.WatchTokens...) {
		tokens = append(tokens, fmt.Sprintf("%s %s %v", token.Right, token.Pattern, token.Except))
	}
	require.Equal(t, []string{"publish studio-1 []", "publish studio-1 []", "publish studio-* [studio-1]", "watch studio-1 []"}, tokens)
	require.NotContains(t, fmt.Sprintf("%+v %v", c, Report(c)), "hunter")
}

func TestSectionsRefuse(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"streams: a\n", "F:1: streams: this is a table of streams"},
		{"streams:\n  \"a b\": {}\n", "F:2: a b: this is no name or pattern of streams"},
		{"streams:\n  a: 5\n", "F:2: streams.a: this is a table of settings: part, segment, max-segment,"},
		{"streams:\n  a:\n    listen: :80\n", "F:3: listen: there is no such setting here; a stream may have of its own: part, "},
		{"streams:\n  a:\n    segmnt: 2s\n", "F:3: segmnt: there is no such setting here; segment is; "},
		{"streams:\n  a: {window: 1m}\n  a: {window: 1m}\n", "F:3: a: it was set in line 2 already"},
		{"streams:\n  a:\n    window: 1m\n    window: 1m\n", "F:4: window: it was set in line 3 already"},
		{"streams:\n  a:\n    part: soon\n", `F:3: streams.a.part: "soon" is no duration`},
		{"streams:\n  a:\n    window: 1m\n    part: 10ms\n", "F:4: streams.a.part: part 10ms is not between 50ms and 1s"},
		{"max-segment: 3s\nstreams:\n  a:\n    segment: 4s\n", "F:3: streams.a.max-segment: max-segment 3s is not between the segment and 30s"},
		{"streams:\n  a:\n    codec: [h264, vp8]\n", `F:3: streams.a.codec: "vp8" is no codec that can be served: h264, opus`},
		{"streams:\n  a:\n    max-bitrate: 2M\n", `F:3: streams.a.max-bitrate: "2M" is no bit rate in kbit/s`},
		{"streams:\n  a:\n    on-excess: shout\n", `F:3: streams.a.on-excess: "shout" is none of tell, end`},
		{"streams:\n  a:\n    publish-token: \"hunter2 x\"\n", "F:3: streams.a.publish-token: a token has at least one character"},
		{"streams:\n  a:\n    watch-token: x\n", "--watch-token gives signed links"},
	} {
		all := faultsIn(t, c.text)
		require.Len(t, all, 1, "%q: %v", c.text, all)
		require.Contains(t, all[0], c.says, "%q", c.text)
		require.NotContains(t, all[0], "hunter2")
	}
	require.Len(t, faultsIn(t, "part: 2s\nstreams: {a: {window: 1m}, b: {}}\n"), 2, "what all have wrong is told once: part, and so segment")
}
