package playlist

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// livePlaylist is what a live stream shows: the last complete segments with parts, an open one, hint and report.
func livePlaylist() MediaPlaylist {
	date := time.Date(2026, 5, 1, 10, 0, 0, 123_999_999, time.FixedZone("", 2*3600))
	return MediaPlaylist{
		Version: 9, TargetDuration: 2,
		ServerControl: ServerControl{
			CanBlockReload: true, PartHoldBack: 666 * time.Millisecond, HoldBack: 6 * time.Second, CanSkipUntil: 12 * time.Second,
		},
		PartInf:       PartInf{PartTarget: 222 * time.Millisecond},
		MediaSequence: 41, DiscontinuitySequence: 3,
		Segments: []Segment{
			{URI: "segment-41.m4s", Duration: 2 * time.Second, Map: &Map{"init-1.mp4"}, ProgramDateTime: date},
			{
				URI: "segment-42.m4s", Duration: 400 * time.Millisecond, Discontinuity: true, Map: &Map{"init-2.mp4"},
				ProgramDateTime: date.Add(2 * time.Second), Parts: []Part{
					{URI: "part-2-42-0.m4s", Duration: 200 * time.Millisecond, Independent: true},
					{URI: "part-2-42-1.m4s", Duration: 200 * time.Millisecond},
				},
			},
			{URI: "segment-43.m4s", Duration: time.Second, Gap: true},
			{ProgramDateTime: date.Add(4 * time.Second), Parts: []Part{
				{URI: "part-2-44-0.m4s", Duration: 33_366_667 * time.Nanosecond, Independent: true, Gap: true},
			}},
		},
		PreloadHints:     []PreloadHint{{HintPart, "part-2-44-1.m4s"}},
		RenditionReports: []RenditionReport{{"../audio/media.m3u8", 44, 0}, {"../other/media.m3u8", 43, NoPart}},
	}
}

func TestAppendMedia(t *testing.T) {
	p := livePlaylist()
	require.Equal(t, `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.666000,HOLD-BACK=6.000000,CAN-SKIP-UNTIL=12.000000
#EXT-X-PART-INF:PART-TARGET=0.222000
#EXT-X-MEDIA-SEQUENCE:41
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T08:00:00.123Z
#EXTINF:2.000000,
segment-41.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T08:00:02.123Z
#EXT-X-PART:DURATION=0.200000,URI="part-2-42-0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.200000,URI="part-2-42-1.m4s"
#EXTINF:0.400000,
segment-42.m4s
#EXT-X-GAP
#EXTINF:1.000000,
segment-43.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-05-01T08:00:04.123Z
#EXT-X-PART:DURATION=0.033367,URI="part-2-44-0.m4s",INDEPENDENT=YES,GAP=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-2-44-1.m4s"
#EXT-X-RENDITION-REPORT:URI="../audio/media.m3u8",LAST-MSN=44,LAST-PART=0
#EXT-X-RENDITION-REPORT:URI="../other/media.m3u8",LAST-MSN=43
`, string(p.Append(nil)))
}

func TestAppendLeavesOutWhatIsAbsent(t *testing.T) {
	p := MediaPlaylist{TargetDuration: 4, Segments: []Segment{{URI: "a.m4s", Duration: 4 * time.Second}, {Discontinuity: true}}, EndList: true}
	require.Equal(t, `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXTINF:4.000000,
a.m4s
#EXT-X-ENDLIST
`, string(p.Append(nil)), "an open segment without parts is not written")
}

// 4.4.3.8: what a server cannot do is not said, since AVPlayer takes CAN-BLOCK-RELOAD=NO amiss.
func TestServerControlSaysOnlyWhatIsThere_4_4_3_8(t *testing.T) {
	for text, c := range map[string]ServerControl{
		"": {},
		"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n":                        {CanBlockReload: true},
		"#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=0.600000\n":                     {PartHoldBack: 600 * time.Millisecond},
		"#EXT-X-SERVER-CONTROL:HOLD-BACK=6.000000,CAN-SKIP-UNTIL=12.000000\n": {HoldBack: 6 * time.Second, CanSkipUntil: 12 * time.Second},
	} {
		require.Equal(t, text, string(c.append(nil)))
	}
}

func TestAppendSkipStandsBeforeSegments(t *testing.T) {
	p := livePlaylist()
	p.Skip = &Skip{SkippedSegments: 7}
	p.IndependentSegments = true
	text := string(p.Append(nil))
	require.Contains(t, text, "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA-SEQUENCE:41\n")
	require.Contains(t, text, "#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-SKIP:SKIPPED-SEGMENTS=7\n#EXT-X-MAP")
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	p := livePlaylist()
	require.Equal(t, "before"+string(p.Append(nil)), string(p.Append([]byte("before"))))
}

func TestAppendSeconds(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"0.000000": 0, "0.000001": 500, "0.222000": 222 * time.Millisecond, "0.999999": 999_999_499,
		"1.000000": 999_999_500, "33.366667": 33_366_666_667, "7200.020000": 2*time.Hour + 20*time.Millisecond,
	} {
		require.Equal(t, text, string(appendSeconds(nil, d)), d)
	}
	require.Equal(t, "0.000000", string(appendSeconds(nil, -time.Second)))
}

// A part that is not longer than PART-TARGET (4.4.4.9) must not look longer in text either.
func TestAppendSecondsKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := time.Duration(rapid.Int64Range(0, 3e9).Draw(t, "a"))
		b := a + time.Duration(rapid.Int64Range(0, 3e3).Draw(t, "more"))
		readA, _ := parseSeconds(string(appendSeconds(nil, a)))
		readB, ok := parseSeconds(string(appendSeconds(nil, b)))
		require.True(t, ok)
		require.LessOrEqual(t, readA, readB)
		require.LessOrEqual(t, (readA - a).Abs(), 500*time.Nanosecond)
	})
}

func TestAppendMultivariant(t *testing.T) {
	p := MultivariantPlaylist{
		Version: 9, IndependentSegments: true, Start: -2500 * time.Millisecond,
		Media: []Media{{
			Type: TypeAudio, GroupID: "audio", Name: "Audio", Language: "und", Default: true, Autoselect: true, Channels: "2", URI: "g/audio/media.m3u8",
		}},
		StreamInfs: []StreamInf{
			{
				Bandwidth: 1_500_000, AverageBandwidth: 900_000, Score: 2, Codecs: "avc1.64001f,Opus", Resolution: Resolution{1280, 720},
				FrameRate: 30000.0 / 1001, VideoRange: "SDR", Audio: "audio", ClosedCaptions: NoClosedCaptions, URI: "g/video/media.m3u8",
			},
			{Bandwidth: 1_300_000, Score: 1.5, Codecs: "avc1.64001f", ClosedCaptions: "cc", URI: "g/video/media.m3u8"},
		},
	}
	require.Equal(t, `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=-2.500
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="g/audio/media.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=900000,SCORE=2,CODECS="avc1.64001f,Opus",RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="audio",CLOSED-CAPTIONS=NONE
g/video/media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=1300000,SCORE=1.5,CODECS="avc1.64001f",CLOSED-CAPTIONS="cc"
g/video/media.m3u8
`, string(p.Append(nil)))
}

func TestAppendAllocates(t *testing.T) {
	p := benchmarkPlaylist()
	buffer := p.Append(nil)
	require.Zero(t, testing.AllocsPerRun(100, func() { buffer = p.Append(buffer[:0]) }), "into a buffer that was used before")
	require.Less(t, p.sizeHint(), 2*len(buffer), "what is estimated is little more than what is needed")
}

// benchmarkPlaylist is a 30 s window: 15 segments, ten parts in each of the last three.
func benchmarkPlaylist() MediaPlaylist {
	p := livePlaylist()
	p.MediaSequence, p.Segments = 123_456, nil
	date := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	for i := range 15 {
		s := Segment{URI: "segment-123456.m4s", Duration: 2 * time.Second, ProgramDateTime: date.Add(time.Duration(i) * 2 * time.Second)}
		if i == 0 {
			s.Map = &Map{"init-1.mp4"}
		}
		if i >= 12 {
			for j := range 10 {
				s.Parts = append(s.Parts, Part{URI: "part-1-123456-9.m4s", Duration: 200 * time.Millisecond, Independent: j == 0})
			}
		}
		p.Segments = append(p.Segments, s)
	}
	return p
}

func BenchmarkAppendMedia(b *testing.B) {
	p := benchmarkPlaylist()
	b.Run("reused", func(b *testing.B) {
		buffer := p.Append(nil)
		b.SetBytes(int64(len(buffer)))
		b.ReportAllocs()
		for b.Loop() {
			buffer = p.Append(buffer[:0])
		}
	})
	b.Run("fresh", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Append(nil)
		}
	})
}

func BenchmarkParseMedia(b *testing.B) {
	p := benchmarkPlaylist()
	text := p.Append(nil)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMedia(text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRoundTripMedia(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawMedia(t)
		text := p.Append(nil)
		require.LessOrEqual(t, len(text), p.sizeHint(), "so that one allocation is enough")
		read, err := ParseMedia(text)
		require.NoError(t, err, string(text))
		require.Equal(t, p, read)
		// Line ends of either kind, comments and tags of a later draft change nothing (4.1, 6.3.1).
		other := strings.ReplaceAll(string(text), "\n", "\r\n#comment\r\n\r\n#EXT-X-LATER:A=\"b\"\r\n")
		read, err = ParseMedia([]byte(other))
		require.NoError(t, err, other)
		require.Equal(t, p, read)
	})
}

func TestRoundTripMultivariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawMultivariant(t)
		for i := range p.Media {
			// An AUTOSELECT that is absent stands for NO, so that no pair contradicts itself.
			p.Media[i].Autoselect = p.Media[i].Autoselect || p.Media[i].Default
		}
		text := p.Append(nil)
		read, err := ParseMultivariant(text)
		require.NoError(t, err, string(text))
		require.Equal(t, p, read)
	})
}
