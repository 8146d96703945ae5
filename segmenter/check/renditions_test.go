package check

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

func TestAgreeBites(t *testing.T) {
	video, audio := videoWorld(t), audioWorld(t)
	v, _ := video.play(t, bend{})
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		change func(int, *playlist.MediaPlaylist)
	}{
		"target duration": {RenditionConstants, "2 and 3", from(0, func(p *playlist.MediaPlaylist) { p.TargetDuration = 3 })},
		"server control":  {RenditionConstants, "renditions have", from(0, func(p *playlist.MediaPlaylist) { p.ServerControl.HoldBack = 7 * time.Second })},
		"part target":     {RenditionConstants, "222ms and 250ms", from(0, func(p *playlist.MediaPlaylist) { p.PartInf.PartTarget = 250 * time.Millisecond })},
		"numbers":         {RenditionNumbers, "segment 8 has discontinuity numbers 1 and 2", from(0, func(p *playlist.MediaPlaylist) { p.DiscontinuitySequence++ })},
		"tags": {RenditionNumbers, "tags false and true", segmentAt(0, 9, func(s *playlist.Segment) {
			s.Discontinuity = true
		})},
		"times": {RenditionNumbers, "begins at", from(0, func(p *playlist.MediaPlaylist) {
			for i := range p.Segments {
				p.Segments[i].ProgramDateTime = p.Segments[i].ProgramDateTime.Add(2 * time.Second)
			}
		})},
		"shifted by one": {RenditionNumbers, "begins at", from(0, func(p *playlist.MediaPlaylist) { p.MediaSequence++ })},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := audio.play(t, bend{playlist: c.change})
			requireRule(t, Agree(v, a), c.rule, c.detail)
		})
	}
	require.Empty(t, Agree(New(), v))

	late, early := New(), New()
	p, q := video.version(60), audio.version(30)
	require.Empty(t, late.Playlist(worldStart, p.Append(nil)))
	require.Empty(t, early.Playlist(worldStart, q.Append(nil)))
	requireRule(t, Agree(late, early), RenditionTimes, "one rendition ends at")
}

// A multivariant playlist may gain renditions, and loses none.
func TestIndexIsConstant(t *testing.T) {
	x := NewIndex(Strict)
	p := goodMultivariant(1e6)
	sound := p.Media
	p.Media, p.StreamInfs[0].Audio = nil, ""
	require.Empty(t, x.Playlist(p.Append(nil), nil))
	p.Media, p.StreamInfs[0].Audio = sound, "a"
	require.Empty(t, x.Playlist(p.Append(nil), nil))
	p.Media[0].URI = "b.m3u8"
	requireRule(t, x.Playlist(p.Append(nil), nil), IndexConstant, `"a.m3u8" is listed no more`)
	require.NoError(t, x.Cannot())
	require.Empty(t, NewIndex(General).Playlist([]byte("#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128\n"), nil))
}

func TestReports(t *testing.T) {
	w := videoWorld(t)
	other := New()
	p := w.version(24) // segment 2, parts 0 to 3
	other.Playlist(worldStart, p.Append(nil))
	others := map[string]*Checker{"../audio/media.m3u8": other}
	reporting := func(reports ...playlist.RenditionReport) []Violation {
		c := New()
		p := w.version(24)
		p.RenditionReports = reports
		require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
		return Reports(c, others)
	}
	report := func(msn int64, part int) playlist.RenditionReport {
		return playlist.RenditionReport{URI: "../audio/media.m3u8", LastMSN: msn, LastPart: part}
	}
	for _, near := range []playlist.RenditionReport{report(2, 3), report(2, 1), report(2, 5)} {
		require.Empty(t, reporting(near), "%+v", near)
	}
	for _, far := range []playlist.RenditionReport{report(2, 0), report(2, 6), report(1, 9), report(3, 3), report(4, 0), report(7, 0)} {
		requireRule(t, reporting(far), ReportTrue, fmt.Sprintf("is reported at segment %d part %d, its playlist is at segment 2 part 3", far.LastMSN, far.LastPart))
	}
	p = w.version(21) // segment 2, part 0: the last parts of segment 1 are near
	other.Playlist(worldStart, p.Append(nil))
	for _, near := range []playlist.RenditionReport{report(1, 9), report(1, 8), report(2, 2)} {
		require.Empty(t, reporting(near), "%+v", near)
	}
	requireRule(t, reporting(report(1, 7)), ReportTrue, "is reported at segment 1 part 7, its playlist is at segment 2 part 0")
	p = w.version(20) // segment 1 is whole
	other.Playlist(worldStart, p.Append(nil))
	for _, near := range []playlist.RenditionReport{report(1, 9), report(2, 0), report(2, 1), report(2, playlist.NoPart)} {
		require.Empty(t, reporting(near), "%+v", near)
	}
	requireRule(t, reporting(), Report, "no EXT-X-RENDITION-REPORT")
	requireRule(t, reporting(report(2, 3), report(2, 3)), Report, "two reports")
	require.Empty(t, Reports(New(), others))

	// What has hardly begun needs no report yet.
	first := w.version(1)
	other = New()
	other.Playlist(worldStart, first.Append(nil))
	others["../audio/media.m3u8"] = other
	require.Empty(t, reporting())
	others["../audio/media.m3u8"] = New()
	require.Empty(t, reporting())
}

// A change of parameters is known to the multivariant playlist once a segment of it is whole.
func TestMultivariantAfterChange(t *testing.T) {
	w := videoWorld(t)
	c := New()
	p := goodMultivariant(1e6)
	p.Media, p.StreamInfs[0].Audio = nil, ""
	p.StreamInfs[0].Codecs, p.StreamInfs[0].Resolution = "avc1.640028", playlist.Resolution{Width: 1920, Height: 1080}
	for n := 1; n <= 40; n++ { // segment 3, of the new epoch, is whole after 40 parts
		version := w.version(n)
		c.Playlist(worldStart, version.Append(nil))
		for _, uri := range c.Wanted() {
			c.Bytes(uri, w.files[uri])
		}
		violations := Multivariant(p.Append(nil), map[string]*Checker{"v.m3u8": c})
		if n < 40 {
			require.Empty(t, violations)
			continue
		}
		requireRule(t, violations, Codecs, `does not have "avc1.42c01e"`)
	}
}

func goodMultivariant(peak float64) playlist.MultivariantPlaylist {
	return playlist.MultivariantPlaylist{
		Version: 9,
		Media: []playlist.Media{{
			Type: playlist.TypeAudio, GroupID: "a", Name: "Audio", Default: true, Autoselect: true, Channels: "2", URI: "a.m3u8",
		}},
		StreamInfs: []playlist.StreamInf{{
			URI: "v.m3u8", Bandwidth: int(peak) + 1, AverageBandwidth: int(peak), Codecs: "avc1.42c01e,Opus", FrameRate: 30,
			Resolution: playlist.Resolution{Width: 640, Height: 360}, Audio: "a", ClosedCaptions: playlist.NoClosedCaptions,
		}},
	}
}

func TestMultivariant(t *testing.T) {
	v, _ := videoWorld(t).play(t, bend{})
	a, _ := audioWorld(t).play(t, bend{})
	renditions := map[string]*Checker{"v.m3u8": v, "a.m3u8": a}
	good := goodMultivariant(v.peak + a.peak)
	require.Empty(t, Multivariant(good.Append(nil), renditions))

	for name, c := range map[string]struct {
		rule   Rule
		detail string
		change func(p *playlist.MultivariantPlaylist)
	}{
		"no variant":        {StreamInf, "no variant", func(p *playlist.MultivariantPlaylist) { p.StreamInfs = nil }},
		"bandwidth too low": {Bandwidth, "measured", func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Bandwidth = int(v.peak) }},
		"no average":        {AverageBandwidth, "AVERAGE-BANDWIDTH 0", func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].AverageBandwidth = 0 }},
		"average above":     {AverageBandwidth, "AVERAGE-BANDWIDTH", func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].AverageBandwidth *= 2 }},
		"codec missing":     {CodecSpelling, `has "opus" for "Opus"`, func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Codecs = "avc1.42c01e,opus" }},
		"codec wrong":       {Codecs, `does not have "avc1.42c01e"`, func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Codecs = "avc1.640028,Opus" }},
		"resolution":        {Resolution, "RESOLUTION", func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].Resolution.Height = 361 }},
		"no frame rate":     {FrameRate, "FRAME-RATE", func(p *playlist.MultivariantPlaylist) { p.StreamInfs[0].FrameRate = 0 }},
		"no group":          {StreamInf, "no EXT-X-MEDIA", func(p *playlist.MultivariantPlaylist) { p.Media[0].GroupID = "b" }},
		"not listed":        {StreamInf, `"a.m3u8" is in no variant`, func(p *playlist.MultivariantPlaylist) { p.Media[0].URI = "b.m3u8" }},
		"no channels":       {Channels, "without CHANNELS", func(p *playlist.MultivariantPlaylist) { p.Media[0].Channels = "" }},
		"channels":          {Channels, `CHANNELS "1", the init segment 2`, func(p *playlist.MultivariantPlaylist) { p.Media[0].Channels = "1" }},
		"not autoselect":    {MediaTag, "not AUTOSELECT", func(p *playlist.MultivariantPlaylist) { p.Media[0].Autoselect = false }},
		"two defaults": {MediaTag, "2 default renditions", func(p *playlist.MultivariantPlaylist) {
			p.Media = append(p.Media, p.Media[0])
			p.Media[1].Name = "Other"
		}},
		"same name": {MediaTag, "no name of its own", func(p *playlist.MultivariantPlaylist) { p.Media = append(p.Media, p.Media[0]) }},
		"captions": {ClosedCaptions, "CLOSED-CAPTIONS", func(p *playlist.MultivariantPlaylist) {
			p.StreamInfs = append(p.StreamInfs, p.StreamInfs[0])
			p.StreamInfs[1].ClosedCaptions = ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := goodMultivariant(v.peak + a.peak)
			c.change(&p)
			requireRule(t, Multivariant(p.Append(nil), renditions), c.rule, c.detail)
		})
	}
	requireRule(t, Multivariant([]byte("no"), nil), Syntax, "EXTM3U")
}

func TestDelta(t *testing.T) {
	w := videoWorld(t)
	compared := 0
	for n := 60; n < w.parts()-1; n++ {
		held, full := w.version(n-3), w.version(n)
		delta, ok := full.Delta()
		if !ok {
			delta = full
		} else {
			compared++
		}
		require.Empty(t, Delta(held.Append(nil), delta.Append(nil), full.Append(nil)))
	}
	require.Greater(t, compared, 20)
}

func TestDeltaBites(t *testing.T) {
	w := videoWorld(t)
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		change func(delta *playlist.MediaPlaylist)
	}{
		"skips too near":  {SkipBoundary, "segment 5 is skipped", func(p *playlist.MediaPlaylist) { skipMore(p, 3) }},
		"skips too much":  {SkipTag, "it skips 40", func(p *playlist.MediaPlaylist) { p.Skip.SkippedSegments = 40 }},
		"other segment":   {DeltaEqual, "instead of", func(p *playlist.MediaPlaylist) { p.Segments[0].Duration += time.Millisecond }},
		"other number":    {DeltaEqual, "EXT-X-DISCONTINUITY-SEQUENCE", func(p *playlist.MediaPlaylist) { p.DiscontinuitySequence++ }},
		"skips less":      {DeltaEqual, "applied", func(p *playlist.MediaPlaylist) { p.Skip.SkippedSegments-- }},
		"after the end":   {DeltaAfterEnd, "with EXT-X-ENDLIST", func(p *playlist.MediaPlaylist) { p.EndList, p.PreloadHints = true, nil }},
		"nothing allowed": {DeltaAfterEnd, "without CAN-SKIP-UNTIL", func(p *playlist.MediaPlaylist) { p.ServerControl.CanSkipUntil = 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			held, full := w.version(97), w.version(98)
			delta, ok := full.Delta()
			require.True(t, ok)
			delta.Segments = append([]playlist.Segment(nil), delta.Segments...)
			c.change(&delta)
			requireRule(t, Delta(held.Append(nil), delta.Append(nil), full.Append(nil)), c.rule, c.detail)

			checker := New()
			require.Empty(t, checker.Playlist(worldStart, held.Append(nil)))
			require.NotEmpty(t, checker.Playlist(worldStart, delta.Append(nil)), "fed as a version")
		})
	}
	full := w.version(98)
	body := full.Append(nil)
	requireRule(t, Delta(body, []byte("x"), body), Syntax, "EXTM3U")
	delta, _ := full.Delta()
	requireRule(t, New().Playlist(worldStart, delta.Append(nil)), SkipTag, "first version")
}

func skipMore(p *playlist.MediaPlaylist, n int) {
	p.Skip.SkippedSegments += n
	p.Segments = p.Segments[n:]
}

// Segments shorter than half a target duration count only together with their neighbours, whatever comes first.
func TestPeak(t *testing.T) {
	for _, order := range [][]int64{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}} {
		c := New()
		c.last = &playlist.MediaPlaylist{TargetDuration: 2}
		lengths := []time.Duration{2 * time.Second, 100 * time.Millisecond, 1900 * time.Millisecond, 4 * time.Second}
		sizes := []int{1000, 500, 100, 1 << 20}
		for _, msn := range order {
			c.segments[msn] = &segment{whole: media{have: true, size: sizes[msn]}, tag: playlist.Segment{Duration: lengths[msn]}}
			c.measure(msn)
		}
		require.InDelta(t, 1500*8/2.1, c.peak, 0.01, "%v", order)
	}
}
