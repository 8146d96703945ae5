package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

// recording is what a server that breaks a rule shows, as in testdata/faults: its first lines say what is wrong and which
// rule has to find it, then come versions of its playlist, each under a line "== at TIME" with "reload MSN PART" where it
// was the answer to a blocking reload.
type recording struct {
	rule, detail string
	versions     []recorded
}

type recorded struct {
	at        time.Duration
	msn, part int64 // below 0: no reload
	body      string
}

func readRecording(t *testing.T, path string) recording {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	head, rest, _ := strings.Cut(string(raw), "== ")
	var r recording
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "rule":
			r.rule = value
		case "detail":
			r.detail = value
		default:
			require.Equal(t, "about", name, path)
		}
	}
	for block := range strings.SplitSeq(rest, "\n== ") {
		title, body, _ := strings.Cut(block, "\n")
		v := recorded{msn: -1, part: -1, body: strings.TrimSuffix(body, "\n") + "\n"}
		words := strings.Fields(title)
		require.Equal(t, "at", words[0], path)
		v.at, err = time.ParseDuration(words[1])
		require.NoError(t, err)
		if len(words) > 2 {
			_, err = fmt.Sscanf(strings.Join(words[2:], " "), "reload %d %d", &v.msn, &v.part)
			require.NoError(t, err)
		}
		r.versions = append(r.versions, v)
	}
	return r
}

// play shows a recording to a checker for any server.
func (r recording) play() (c *Checker, all []Violation) {
	c = NewFor(General)
	for _, v := range r.versions {
		all = append(all, c.Playlist(worldStart.Add(v.at), []byte(v.body))...)
		if v.msn >= 0 {
			all = append(all, c.Reload(v.msn, v.part)...)
		}
	}
	return c, all
}

// Faults that servers are known for are found, under the name of their rule.
func TestKnownFaultsOfPlaylists(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.txt")
	require.NoError(t, err)
	require.Greater(t, len(files), 25)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			r := readRecording(t, path)
			c, violations := r.play()
			require.NoError(t, c.Cannot())
			if r.rule == "" {
				require.Empty(t, violations)
				return
			}
			i := slices.IndexFunc(violations, func(v Violation) bool {
				return v.Rule.Name() == r.rule && strings.Contains(v.Detail, r.detail)
			})
			require.GreaterOrEqual(t, i, 0, "%s: ...%s...; got %v", r.rule, r.detail, violations)
			bitten[violations[i].Rule] = true
			row := c.Tally()[violations[i].Rule]
			require.Positive(t, row.Broken)
			require.Positive(t, row.Seen, "what is broken has been seen")
		})
	}
}

// The same of bytes, of renditions with each other, and of the multivariant playlist.
func TestKnownFaultsOfMedia(t *testing.T) {
	video, audio := videoWorld(t), audioWorld(t)
	part := func(uri string, change func(*chunk)) bend {
		return bytesAt(uri, func(data []byte) []byte { return remake(t, data, change) })
	}
	for name, c := range map[string]struct {
		rule   string
		detail string
		bend   bend
	}{
		"a part is said to be independent": {"independent", "part 1 of segment 1: INDEPENDENT=YES, but no sample", bend{playlist: segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 1 {
				s.Parts[1].Independent = true
			}
		})}},
		"independence is not said": {"independent-exact", "INDEPENDENT is false, its first sample is sync: true", bend{playlist: segmentAt(0, 1, func(s *playlist.Segment) {
			if len(s.Parts) > 0 {
				s.Parts[0].Independent = false
			}
		})}},
		"a frame is lost between parts":   {"decode-time", "part 1 of segment 1 begins at 201000, what is before ends at 198000", part("part-1-1.m4s", func(c *chunk) { c.time += 3000 })},
		"a frame is in two parts":         {"decode-time", "part 1 of segment 1 begins at 195000", part("part-1-1.m4s", func(c *chunk) { c.time -= 3000 })},
		"an IDR in the middle of a part":  {"idr-begins-part", "part 1 of segment 1", part("part-1-1.m4s", func(c *chunk) { c.samples[3].Sync, c.payload[3*9+4] = true, 0x65 })},
		"a segment without its last part": {"part-samples", "segment 1 does not have the samples of its part 9", bytesAt("segment-1.m4s", func(b []byte) []byte { return b[:len(b)-len(video.files["part-1-9.m4s"])] })},
		"a segment with other pictures":   {"part-samples", "segment 1 does not have the samples of its part 0", part("segment-1.m4s", func(c *chunk) { c.payload[8]++ })},
		"a part much longer than said":    {"extinf", "part 1 of segment 1 has", part("part-1-1.m4s", func(c *chunk) { c.samples[0].Duration *= 3 })},
		"broken boxes":                    {"fragments", "part 1 of segment 1", bytesAt("part-1-1.m4s", func(b []byte) []byte { return b[:len(b)-1] })},
		"an init segment without mvex":    {"init-segment", "init-0.mp4", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "mvex", -4, 'x') })},
	} {
		t.Run(name, func(t *testing.T) {
			_, violations := video.playFor(t, General, c.bend)
			requireNamed(t, violations, c.rule, c.detail)
		})
	}
	v, found := video.playFor(t, General, bend{})
	require.Empty(t, found)
	a, found := audio.playFor(t, General, bend{})
	require.Empty(t, found)
	require.Empty(t, Agree(v, a))
	require.Empty(t, Agree(a, v))

	alone, _ := audio.playFor(t, General, bend{playlist: from(0, func(p *playlist.MediaPlaylist) {
		for i := range p.Segments {
			p.Segments[i].Discontinuity = false
		}
		p.DiscontinuitySequence = 0
	})})
	requireNamed(t, Agree(v, alone), "rendition-discontinuities", "discontinuity 1, at segment 3")

	p := video.version(60)
	w := NewFor(General)
	require.Empty(t, w.Playlist(worldStart, p.Append(nil)))
	requireNamed(t, Reports(w, map[string]*Checker{"../audio/media.m3u8": a}), "rendition-report", `no EXT-X-RENDITION-REPORT of "../audio/media.m3u8"`)

	renditions := map[string]*Checker{"v.m3u8": v, "a.m3u8": a}
	index := func(change func(p *playlist.MultivariantPlaylist)) []Violation {
		p := goodMultivariant(v.peak + a.peak)
		change(&p)
		return NewIndex(General).Playlist(p.Append(nil), renditions)
	}
	require.Empty(t, index(func(*playlist.MultivariantPlaylist) {}))
	requireNamed(t, index(func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Codecs = "avc1.42c01e,opus" }), "codec-spelling", `"opus" for "Opus"`)
	requireNamed(t, index(func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Bandwidth = int(v.peak) }), "bandwidth", "measured")
	requireNamed(t, index(func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Codecs = "Opus" }), "codecs", `does not have "avc1.42c01e"`)
}

func requireNamed(t *testing.T, violations []Violation, rule, detail string) {
	t.Helper()
	for _, r := range Rules() {
		if r.Name() == rule {
			requireRule(t, violations, r, detail)
			return
		}
	}
	t.Fatalf("there is no rule %q", rule)
}
