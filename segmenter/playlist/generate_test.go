package playlist

import (
	"time"

	"pgregory.net/rapid"
)

// Generators of playlists that Append may be asked to write: URIs and strings as the draft allows them, durations in
// whole microseconds, dates in whole milliseconds.

var (
	anyURI    = rapid.StringMatching(`[a-zA-Z0-9./_~?&=-][a-zA-Z0-9#./_~?&=,:é-]{0,20}`)
	anyString = rapid.StringMatching(`[a-zA-Z0-9 ,=;#é.-]{1,12}`)
	noString  = rapid.Just("")
	maybe     = rapid.OneOf(noString, anyString)
	anyWord   = rapid.OneOf(noString, rapid.SampledFrom([]string{"SDR", "PQ", "TYPE-0", "NONE"}))
)

func microseconds(t *rapid.T, low int64, label string) time.Duration {
	return time.Duration(rapid.Int64Range(low, 40_000_000).Draw(t, label)) * time.Microsecond
}

func drawPart(t *rapid.T) Part {
	return Part{
		URI:         anyURI.Draw(t, "part"),
		Duration:    microseconds(t, 0, "duration"),
		Independent: rapid.Bool().Draw(t, "independent"),
		Gap:         rapid.Bool().Draw(t, "gap"),
	}
}

func drawSegment(t *rapid.T, open bool) Segment {
	s := Segment{
		Discontinuity: rapid.Bool().Draw(t, "discontinuity"),
		Gap:           rapid.Bool().Draw(t, "gap"),
	}
	if rapid.Bool().Draw(t, "map") {
		s.Map = &Map{URI: anyURI.Draw(t, "map")}
	}
	if rapid.Bool().Draw(t, "dated") {
		s.ProgramDateTime = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "date")).UTC()
	}
	least := 0
	if open {
		least = 1
	} else {
		s.URI, s.Duration = anyURI.Draw(t, "segment"), microseconds(t, 0, "extinf")
	}
	for range rapid.IntRange(least, 4).Draw(t, "parts") {
		s.Parts = append(s.Parts, drawPart(t))
	}
	return s
}

func drawMedia(t *rapid.T) MediaPlaylist {
	p := MediaPlaylist{
		Version:        rapid.IntRange(0, 12).Draw(t, "version"),
		TargetDuration: rapid.IntRange(1, 60).Draw(t, "target"),
		ServerControl: ServerControl{
			CanBlockReload: rapid.Bool().Draw(t, "block"), PartHoldBack: microseconds(t, 0, "phb"),
			HoldBack: microseconds(t, 0, "hb"), CanSkipUntil: microseconds(t, 0, "skip"),
		},
		PartInf:               PartInf{PartTarget: microseconds(t, 1, "part-target")},
		IndependentSegments:   rapid.Bool().Draw(t, "independent"),
		MediaSequence:         rapid.Int64Range(0, 1<<62).Draw(t, "msn"),
		DiscontinuitySequence: rapid.Int64Min(0).Draw(t, "dsn"),
		EndList:               rapid.Bool().Draw(t, "end"),
	}
	if rapid.Bool().Draw(t, "delta") {
		p.Skip = &Skip{SkippedSegments: rapid.IntRange(0, 1000).Draw(t, "skipped")}
	}
	for range rapid.IntRange(0, 5).Draw(t, "segments") {
		p.Segments = append(p.Segments, drawSegment(t, false))
	}
	if rapid.Bool().Draw(t, "open") {
		p.Segments = append(p.Segments, drawSegment(t, true))
	}
	for range rapid.IntRange(0, 2).Draw(t, "hints") {
		if !p.EndList {
			kind := rapid.SampledFrom([]string{HintPart, HintMap}).Draw(t, "kind")
			p.PreloadHints = append(p.PreloadHints, PreloadHint{Type: kind, URI: anyURI.Draw(t, "hint")})
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "reports") {
		p.RenditionReports = append(p.RenditionReports, RenditionReport{
			URI: anyURI.Draw(t, "report"), LastMSN: rapid.Int64Min(0).Draw(t, "last"), LastPart: rapid.IntRange(NoPart, 40).Draw(t, "part"),
		})
	}
	return p
}

func drawMultivariant(t *rapid.T) MultivariantPlaylist {
	p := MultivariantPlaylist{
		Version:             rapid.IntRange(0, 12).Draw(t, "version"),
		IndependentSegments: rapid.Bool().Draw(t, "independent"),
		Start:               time.Duration(rapid.IntRange(-100_000, 100_000).Draw(t, "start")) * time.Millisecond,
	}
	for range rapid.IntRange(0, 3).Draw(t, "media") {
		m := Media{
			Type: rapid.SampledFrom([]string{TypeAudio, TypeVideo, TypeSubtitles, TypeClosedCaptions}).Draw(t, "type"),
			URI:  maybe.Draw(t, "uri"), GroupID: anyString.Draw(t, "group"), Language: maybe.Draw(t, "language"),
			AssocLanguage: maybe.Draw(t, "assoc"), Name: anyString.Draw(t, "name"), StableRenditionID: maybe.Draw(t, "stable"),
			Default: rapid.Bool().Draw(t, "default"), Forced: rapid.Bool().Draw(t, "forced"), InstreamID: maybe.Draw(t, "instream"),
			BitDepth: rapid.IntRange(0, 32).Draw(t, "depth"), SampleRate: rapid.IntRange(0, 192000).Draw(t, "rate"),
			Characteristics: maybe.Draw(t, "characteristics"), Channels: maybe.Draw(t, "channels"),
		}
		m.Autoselect = rapid.Bool().Draw(t, "autoselect")
		p.Media = append(p.Media, m)
	}
	for range rapid.IntRange(0, 3).Draw(t, "variants") {
		p.StreamInfs = append(p.StreamInfs, drawStreamInf(t))
	}
	return p
}

func drawStreamInf(t *rapid.T) StreamInf {
	s := StreamInf{
		URI: anyURI.Draw(t, "uri"), Bandwidth: rapid.IntRange(0, 1<<31-1).Draw(t, "bandwidth"),
		AverageBandwidth: rapid.IntRange(0, 1<<31-1).Draw(t, "average"), Score: float64(rapid.IntRange(0, 9999).Draw(t, "score")) / 100,
		Codecs: maybe.Draw(t, "codecs"), SupplementalCodecs: maybe.Draw(t, "supplemental"),
		FrameRate: float64(rapid.IntRange(0, 240_000).Draw(t, "rate")) / 1000, HDCPLevel: anyWord.Draw(t, "hdcp"),
		AllowedCPC: maybe.Draw(t, "cpc"), VideoRange: anyWord.Draw(t, "range"), ReqVideoLayout: maybe.Draw(t, "layout"),
		StableVariantID: maybe.Draw(t, "stable"), Audio: maybe.Draw(t, "audio"), Video: maybe.Draw(t, "video"),
		Subtitles: maybe.Draw(t, "subtitles"), PathwayID: maybe.Draw(t, "pathway"),
		ClosedCaptions: rapid.SampledFrom([]string{"", NoClosedCaptions, "cc"}).Draw(t, "cc"),
	}
	if rapid.Bool().Draw(t, "sized") {
		s.Resolution = Resolution{rapid.IntRange(1, 8192).Draw(t, "width"), rapid.IntRange(1, 8192).Draw(t, "height")}
	}
	return s
}
