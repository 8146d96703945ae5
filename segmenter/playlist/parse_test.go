package playlist

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"

// mediaRefusals are playlists that break a rule, and what the error must say.
var mediaRefusals = []struct{ name, text, message string }{
	{"nothing", "", "no #EXTM3U"},
	{"a byte order mark 4.1", "\ufeff" + head, "line 1"},
	{"another first line", "#EXT-X-VERSION:9\n", "line 1"},
	{"EXTM3U twice", head + "#EXTM3U\n", "line 3: playlist: bad syntax: #EXTM3U stands twice"},
	{"no target duration 4.4.3.1", "#EXTM3U\n", "at the end: playlist: bad syntax: no EXT-X-TARGETDURATION"},
	{"a target duration of 0", "#EXTM3U\n#EXT-X-TARGETDURATION:0\n", "line 2"},
	{"a fraction as target duration", "#EXTM3U\n#EXT-X-TARGETDURATION:2.0\n", "line 2"},
	{"control characters 4.1", head + "#comment \x07\n", "line 3"},
	{"C1 control characters", head + "#comment \u0085\n", "line 3"},
	{"broken UTF-8", head + "a\xff.m4s\n", "line 3"},
	{"an empty value", head + "#EXT-X-MAP:\n", "empty value"},
	{"version 0", head + "#EXT-X-VERSION:0\n", "line 3"},
	{"version x", head + "#EXT-X-VERSION:x\n", "line 3"},
	{"two versions", head + "#EXT-X-VERSION:9\n#EXT-X-VERSION:9\n", "line 4: playlist: bad syntax: #EXT-X-VERSION stands twice"},
	{"two target durations", head + "#EXT-X-TARGETDURATION:2\n", "line 3"},
	{"two server controls", head + strings.Repeat("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n", 2), "line 4"},
	{"two part infs", head + strings.Repeat("#EXT-X-PART-INF:PART-TARGET=1\n", 2), "line 4"},
	{"two media sequences", head + strings.Repeat("#EXT-X-MEDIA-SEQUENCE:1\n", 2), "line 4"},
	{"two discontinuity sequences", head + strings.Repeat("#EXT-X-DISCONTINUITY-SEQUENCE:1\n", 2), "line 4"},
	{"two skips 4.4.5.2", head + strings.Repeat("#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n", 2), "line 4"},
	{"two endlists", head + strings.Repeat("#EXT-X-ENDLIST\n", 2), "line 4"},
	{"two independent segments", head + strings.Repeat("#EXT-X-INDEPENDENT-SEGMENTS\n", 2), "line 4"},
	{"endlist with a value", head + "#EXT-X-ENDLIST:1\n", "has a value"},
	{"a negative media sequence", head + "#EXT-X-MEDIA-SEQUENCE:-1\n", "line 3"},
	{"a media sequence of 2^63", head + "#EXT-X-MEDIA-SEQUENCE:9223372036854775808\n", "line 3"},
	{"no room after the media sequence", head + "#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n", "no room"},
	{"media sequence after a segment 4.4.3.2", head + "#EXTINF:1,\na\n#EXT-X-MEDIA-SEQUENCE:1\n", "line 5"},
	{"discontinuity sequence after a tag 4.4.3.3", head + "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n", "line 4"},
	{"skip after a segment", head + "#EXTINF:1,\na\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n", "line 5"},
	{"skip without a number", head + "#EXT-X-SKIP:OTHER=1\n", "SKIPPED-SEGMENTS is missing"},
	{"a segment without EXTINF 4.4.4.1", head + "a.m4s\n", "line 3"},
	{"EXTINF without a segment", head + "#EXTINF:1,\n", "at the end"},
	{"EXTINF without a comma", head + "#EXTINF:1\na\n", "line 3"},
	{"EXTINF without a number", head + "#EXTINF:,\na\n", "line 3"},
	{"a negative EXTINF", head + "#EXTINF:-1,\na\n", "line 3"},
	{"an exponent in EXTINF", head + "#EXTINF:1e3,\na\n", "line 3"},
	{"an endless EXTINF", head + "#EXTINF:1000001,\na\n", "line 3"},
	{"two EXTINF", head + "#EXTINF:1,\n#EXTINF:1,\na\n", "line 4"},
	{"two maps before a segment", head + strings.Repeat("#EXT-X-MAP:URI=\"i\"\n", 2), "line 4"},
	{"two dates before a segment", head + strings.Repeat("#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n", 2), "line 4"},
	{"two discontinuities before a segment", head + strings.Repeat("#EXT-X-DISCONTINUITY\n", 2), "line 4"},
	{"two gaps before a segment", head + strings.Repeat("#EXT-X-GAP\n", 2), "line 4"},
	{"a date without a zone", head + "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00\n", "line 3"},
	{"a date with a comma", head + "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00,5Z\n", "line 3"},
	{"tags without a segment", head + "#EXT-X-DISCONTINUITY\n", "tags without a segment"},
	{"a map without URI", head + "#EXT-X-MAP:X=1\n", "URI is missing"},
	{"a map with an empty URI", head + "#EXT-X-MAP:URI=\"\"\n", "URI is missing or empty"},
	{"a map with a bare URI", head + "#EXT-X-MAP:URI=init\n", "no quotes"},
	{"part target 0", head + "#EXT-X-PART-INF:PART-TARGET=0\n", "line 3"},
	{"parts without part inf 4.4.3.7", head + "#EXT-X-PART:URI=\"p\",DURATION=1\n", "EXT-X-PART-INF"},
	{"a part without duration", head + "#EXT-X-PART:URI=\"p\"\n", "DURATION is missing"},
	{"a part with a quoted duration", head + "#EXT-X-PART:URI=\"p\",DURATION=\"1\"\n", "has quotes"},
	{"a part that is maybe independent", head + "#EXT-X-PART:URI=\"p\",DURATION=1,INDEPENDENT=MAYBE\n", "YES nor NO"},
	{"a part after EXTINF", head + "#EXTINF:1,\n#EXT-X-PART:URI=\"p\",DURATION=1\na\n", "line 4"},
	{"a discontinuity after a part 4.4.4.9", head + "#EXT-X-PART:URI=\"p\",DURATION=1\n#EXT-X-DISCONTINUITY\n", "line 4"},
	{"a map after a part", head + "#EXT-X-PART:URI=\"p\",DURATION=1\n#EXT-X-MAP:URI=\"i\"\n", "line 4"},
	{"a date after a part", head + "#EXT-X-PART:URI=\"p\",DURATION=1\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n", "line 4"},
	{"a hint after the end 4.4.5.3", head + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n#EXT-X-ENDLIST\n", "EXT-X-PRELOAD-HINT with EXT-X-ENDLIST"},
	{"a hint without type", head + "#EXT-X-PRELOAD-HINT:URI=\"p\"\n", "TYPE is missing"},
	{"a report without a number", head + "#EXT-X-RENDITION-REPORT:URI=\"p\"\n", "LAST-MSN is missing"},
	{"a report with a negative part", head + "#EXT-X-RENDITION-REPORT:URI=\"p\",LAST-MSN=1,LAST-PART=-1\n", "LAST-PART"},
	{"a multivariant tag 4.4.6", head + "#EXT-X-STREAM-INF:BANDWIDTH=1\n", "line 3"},
	{"an attribute twice 4.2", head + "#EXT-X-PART-INF:PART-TARGET=1,PART-TARGET=1\n", "PART-TARGET stands twice"},
	{"a small letter in a name", head + "#EXT-X-PART-INF:part-target=1\n", "NAME=value"},
	{"an attribute without value", head + "#EXT-X-PART-INF:PART-TARGET\n", "NAME=value"},
	{"an attribute with an empty value", head + "#EXT-X-PART-INF:PART-TARGET=,A=1\n", "good value"},
	{"white space before a value", head + "#EXT-X-PART-INF:PART-TARGET= 1\n", "good value"},
	{"white space after a comma", head + "#EXT-X-PART-INF:PART-TARGET=1, A=1\n", "NAME=value"},
	{"a comma at the end", head + "#EXT-X-PART-INF:PART-TARGET=1,\n", "NAME=value"},
	{"open quotes", head + "#EXT-X-MAP:URI=\"a\n", "quotes"},
	{"text after quotes", head + "#EXT-X-MAP:URI=\"a\"b\n", "quotes"},
	{"a quote within", head + "#EXT-X-PART-INF:PART-TARGET=1\"\n", "good value"},
}

func TestParseMediaRefuses(t *testing.T) {
	for _, test := range mediaRefusals {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseMedia([]byte(test.text))
			require.ErrorIs(t, err, ErrSyntax)
			require.ErrorContains(t, err, test.message)
		})
	}
}

func TestParseMediaSaysWhatItCannotRead(t *testing.T) {
	for _, line := range []string{
		"#EXT-X-KEY:METHOD=AES-128", "#EXT-X-BYTERANGE:10@0", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"", "#EXT-X-I-FRAMES-ONLY",
		`#EXT-X-MAP:URI="a",BYTERANGE="1@0"`, `#EXT-X-PART:URI="a",DURATION=1,BYTERANGE="1@0"`,
		`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="a",BYTERANGE-START=10`,
	} {
		_, err := ParseMedia([]byte(head + line + "\n"))
		require.ErrorIs(t, err, ErrUnsupported, line)
		require.ErrorContains(t, err, "line 3", line)
	}
}

func TestParseIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"bytes":  head + strings.Repeat("#"+strings.Repeat("x", 1000)+"\n", 9000),
		"a line": head + "#" + strings.Repeat("x", maxLine) + "\n",
		"lines":  head + strings.Repeat("\n", maxLines),
	} {
		_, err := ParseMedia([]byte(text))
		require.ErrorIs(t, err, ErrTooLarge, name)
		_, err = ParseMultivariant([]byte(strings.Replace(text, "#EXT-X-TARGETDURATION:2\n", "", 1)))
		require.ErrorIs(t, err, ErrTooLarge, name)
	}
	var list strings.Builder
	for i := range maxAttributes + 1 {
		fmt.Fprintf(&list, ",A%d=1", i)
	}
	_, err := ParseMedia([]byte(head + "#EXT-X-PART-INF:" + list.String()[1:] + "\n"))
	require.ErrorContains(t, err, "more than 64 attributes")
}

func TestParseMediaReadsWhatOthersWrite(t *testing.T) {
	p, err := ParseMedia([]byte("#EXTM3U\r\n#EXT-X-VERSION:6\r\n# a comment\r\n#EXT-X-TARGETDURATION:4\r\n\r\n" +
		"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=NO,PART-HOLD-BACK=3.012,CAN-SKIP-DATERANGES=YES\r\n" +
		"#EXT-X-PART-INF:PART-TARGET=1.004\r\n#EXT-X-MEDIA-SEQUENCE:0007\r\n" +
		"#EXT-X-PROGRAM-DATE-TIME:2019-02-14T02:13:36.106+02:00\r\n" +
		"#EXT-X-PART:DURATION=.5,URI=\"no\"\r\n"))
	require.ErrorContains(t, err, "DURATION is not", "a leading digit is needed to be sure")
	require.Zero(t, p)

	p, err = ParseMedia([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=NO,PART-HOLD-BACK=3.012\n" +
		"#EXT-X-PROGRAM-DATE-TIME:2019-02-14T02:13:36.106+02:00\n#EXTINF:4,a title, with a comma\nhttps://example.com/a.mp4?x=1#y\n" +
		"#EXT-X-PRELOAD-HINT:TYPE=LATER,URI=\"x\"\n#EXT-X-DATERANGE:ID=\"x\"\n#EXTINF:3.1415926535,\nb.mp4"))
	require.NoError(t, err)
	basic, err := ParseMedia([]byte(head + "#EXT-X-PROGRAM-DATE-TIME:2019-02-14T02:13:36.106+0200\n#EXTINF:2,\na\n"))
	require.NoError(t, err)
	require.Equal(t, p.Segments[0].ProgramDateTime, basic.Segments[0].ProgramDateTime)
	require.Equal(t, MediaPlaylist{
		TargetDuration: 4, ServerControl: ServerControl{PartHoldBack: 3012 * time.Millisecond},
		Segments: []Segment{
			{URI: "https://example.com/a.mp4?x=1#y", Duration: 4 * time.Second, ProgramDateTime: time.Date(2019, 2, 14, 0, 13, 36, 106e6, time.UTC)},
			{URI: "b.mp4", Duration: 3_141_593 * time.Microsecond},
		},
	}, p, "6.3.8: a hint of an unknown type is ignored")
}

func TestParseMultivariantRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, message string }{
		{"nothing", "", "no #EXTM3U"},
		{"a media tag 4.4.6", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "line 2"},
		{"a segment tag", "#EXTM3U\n#EXTINF:2,\n", "line 2"},
		{"a URI alone", "#EXTM3U\na.m3u8\n", "line 2"},
		{"EXTM3U twice", "#EXTM3U\n#EXTM3U\n", "twice"},
		{"two versions", "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-VERSION:9\n", "line 3"},
		{"two independent segments", "#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-INDEPENDENT-SEGMENTS\n", "line 3"},
		{"two starts 4.4.2.2", "#EXTM3U\n#EXT-X-START:TIME-OFFSET=-3\n#EXT-X-START:TIME-OFFSET=-3\n", "line 3"},
		{"a start without an offset", "#EXTM3U\n#EXT-X-START:PRECISE=YES\n", "TIME-OFFSET is missing"},
		{"a start in words", "#EXTM3U\n#EXT-X-START:TIME-OFFSET=--3\n", "TIME-OFFSET is not"},
		{"a variant without bandwidth 4.4.6.2", "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"Opus\"\na\n", "BANDWIDTH is missing"},
		{"a variant without URI", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "at the end"},
		{"a tag before the URI", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:9\na\n", "line 3"},
		{"half a resolution", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640\na\n", "RESOLUTION"},
		{"a negative resolution", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x-1\na\n", "RESOLUTION"},
		{"a frame rate in words", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=thirty\na\n", "FRAME-RATE"},
		{"an infinite frame rate", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=Inf\na\n", "FRAME-RATE"},
		{"a score in hex", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,SCORE=0x1p4\na\n", "SCORE"},
		{"captions without quotes", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=cc\na\n", "CLOSED-CAPTIONS"},
		{"NONE in quotes", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=\"NONE\"\na\n", "CLOSED-CAPTIONS"},
		{"a rendition without name 4.4.6.1", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\"\n", "NAME is missing"},
		{"a rendition of no known type", "#EXTM3U\n#EXT-X-MEDIA:TYPE=SMELL,GROUP-ID=\"a\",NAME=\"b\"\n", "TYPE"},
		{"default but not autoselect", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\",DEFAULT=YES,AUTOSELECT=NO\n", "AUTOSELECT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseMultivariant([]byte(test.text))
			require.ErrorIs(t, err, ErrSyntax)
			require.ErrorContains(t, err, test.message)
		})
	}
	_, err := ParseMultivariant([]byte("#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=AES-128\n"))
	require.ErrorIs(t, err, ErrUnsupported)
}

func FuzzParseMedia(f *testing.F) {
	live, long := livePlaylist(), skipping(9, 9, 9, 9)
	f.Add(live.Append(nil))
	delta, _ := long.Delta()
	f.Add(delta.Append(nil))
	f.Add([]byte(head + "#EXTINF:1,\na\n#EXT-X-ENDLIST\n"))
	f.Add([]byte(head + "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-PART:URI=\"p\",DURATION=1,GAP=YES\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseMedia(b)
		if err != nil {
			require.Zero(t, p)
			return
		}
		again, err := ParseMedia(p.Append(nil))
		require.NoError(t, err)
		require.Equal(t, p, again)
		if delta, ok := p.Delta(); ok {
			full, err := ApplyDelta(&p, &delta)
			require.NoError(t, err)
			require.Len(t, full.Segments, len(p.Segments))
		}
	})
}

func FuzzParseMultivariant(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"a/media.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=1,SCORE=1.5,CODECS=\"avc1.64001f,Opus\",RESOLUTION=640x360,FRAME-RATE=29.97,AUDIO=\"a\",CLOSED-CAPTIONS=NONE\nv/media.m3u8\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-START:TIME-OFFSET=-0.0004,PRECISE=NO\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseMultivariant(b)
		if err != nil {
			require.Zero(t, p)
			return
		}
		// FRAME-RATE is cut to three decimals once.
		once, err := ParseMultivariant(p.Append(nil))
		require.NoError(t, err)
		text := once.Append(nil)
		twice, err := ParseMultivariant(text)
		require.NoError(t, err)
		require.Equal(t, once, twice)
		require.True(t, bytes.Equal(text, p.Append(nil)))
	})
}
