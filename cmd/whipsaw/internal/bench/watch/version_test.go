package watch

import (
	"bytes"
	"compress/gzip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const full = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=0.6,CAN-SKIP-UNTIL=12.0
#EXT-X-PART-INF:PART-TARGET=0.2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4?s=KEY"
#EXTINF:2.0,
s7.m4s?s=KEY
#EXT-X-PART:DURATION=0.2,URI="p8-0.m4s?s=KEY",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI="p8-1.m4s?s=KEY"
#EXTINF:0.4,
s8.m4s?s=KEY
#EXT-X-PART:DURATION=0.2,URI="/other/p9-0.m4s?s=KEY",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p9-1.m4s?s=KEY"
#EXT-X-RENDITION-REPORT:URI="../audio/media.m3u8?s=KEY",LAST-MSN=9,LAST-PART=3
`

var base = &url.URL{Scheme: "http", Host: "127.0.0.1:8080", Path: "/hls/a/video/media.m3u8"}

func TestRead(t *testing.T) {
	v, err := read([]byte(full), base)
	require.NoError(t, err)
	require.Equal(t, place{9, 1}, v.next)
	require.Equal(t, "/hls/a/video/p9-1.m4s?s=KEY", v.hint)
	require.Equal(t, []report{{"/hls/a/audio/media.m3u8", place{9, 3}}}, v.reports)
	require.Equal(t, 600*time.Millisecond, v.control.PartHoldBack)
	require.Equal(t, []media{
		{place: place{8, 0}, target: "/hls/a/video/p8-0.m4s?s=KEY", name: "/hls/a/video/p8-0.m4s", duration: 200 * time.Millisecond,
			independent: true, init: "/hls/a/video/init.mp4?s=KEY"},
		{place: place{8, 1}, target: "/hls/a/video/p8-1.m4s?s=KEY", name: "/hls/a/video/p8-1.m4s", duration: 200 * time.Millisecond,
			init: "/hls/a/video/init.mp4?s=KEY"},
		{place: place{9, 0}, target: "/other/p9-0.m4s?s=KEY", name: "/other/p9-0.m4s", duration: 200 * time.Millisecond,
			independent: true, init: "/hls/a/video/init.mp4?s=KEY"},
	}, v.parts)
	require.Len(t, v.from(place{8, 0}), 3)
	require.Len(t, v.from(place{8, 1}), 2)
	require.Len(t, v.from(place{8, 2}), 1, "there is none: the next segment's first")
	require.Len(t, v.from(place{9, 1}), 0)
}

// A segment that is complete makes the next part the first of the segment after it.
func TestNextAfterCompleteSegment(t *testing.T) {
	text := full[:strings.Index(full, `#EXT-X-PART:DURATION=0.2,URI="/other`)]
	v, err := read([]byte(text), base)
	require.NoError(t, err)
	require.Equal(t, place{9, 0}, v.next)
	delta := strings.Replace(strings.Replace(text, "#EXTINF:2.0,\ns7.m4s?s=KEY\n", "", 1), "#EXT-X-MAP:URI=\"init.mp4?s=KEY\"", "#EXT-X-SKIP:SKIPPED-SEGMENTS=1", 1)
	d, err := read([]byte(delta), base)
	require.NoError(t, err)
	require.Equal(t, v.next, d.next)
	require.Empty(t, d.parts[0].init, "skipped with what it stands before")
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to string }{
		"no parts":       {"#EXT-X-PART-INF:PART-TARGET=0.2\n", ""},
		"cannot block":   {"CAN-BLOCK-RELOAD=YES,", ""},
		"elsewhere":      {"/other/p9-0", "http://127.0.0.2:8080/p9-0"},
		"another scheme": {"/other/p9-0", "https://127.0.0.1:8080/p9-0"},
		"map elsewhere":  {"init.mp4", "//127.0.0.2/init.mp4"},
		"hint elsewhere": {"p9-1.m4s", "//127.0.0.2/p9-1.m4s"},
		"bad URI":        {"p8-1.m4s", "%zz"},
	} {
		_, err := read([]byte(strings.Replace(full, c.from, c.to, 1)), base)
		require.Error(t, err, name)
	}
	_, err := read([]byte(strings.Replace(full, "/other/p9-0", "http://127.0.0.2/p9-0", 1)), base)
	require.ErrorIs(t, err, errElsewhere)
	_, err = read([]byte(strings.Replace(full, "CAN-BLOCK-RELOAD=YES,", "", 1)), base)
	require.ErrorIs(t, err, errNotLive)
}

func zipped(t *testing.T, s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// A version is read once, whatever form it comes in to whom.
func TestLibrary(t *testing.T) {
	var l library
	get := func(body []byte, compressed bool, secret string) *version {
		v, err := l.version(body, compressed, base, secret)
		require.NoError(t, err)
		return v
	}
	z := zipped(t, full)
	require.Same(t, get(z, true, ""), get(bytes.Clone(z), true, ""))
	of := func(secret string) []byte { return []byte(strings.ReplaceAll(full, "s=KEY", secret)) }
	first := get(of("session=abc"), false, "session=abc")
	require.Same(t, first, get(of("session=defghi"), false, "session=defghi"))
	require.Same(t, first, get(zipped(t, string(of("session=xyz"))), true, "session=xyz"))
	require.Equal(t, "/hls/a/video/p9-1.m4s?"+placeholder, first.hint)
	require.Equal(t, "/hls/a/video/p9-1.m4s?session=q", (&viewer{secret: "session=q"}).revealed(first.hint))
	require.Equal(t, "/x?session=q", (&viewer{}).revealed("/x?session=q"))
	for i := range 2 * len(l.shelf) { // old ones make room
		get([]byte(strings.Replace(full, "SEQUENCE:7", "SEQUENCE:"+strings.Repeat("1", i+1), 1)), false, "")
	}
	require.NotSame(t, first, get(of("session=abc"), false, "session=abc"))
	_, err := l.version([]byte("no gzip"), true, base, "")
	require.Error(t, err)
	_, err = l.version([]byte("no gzip"), true, base, "x")
	require.Error(t, err)
	_, err = l.version([]byte("no playlist"), false, base, "")
	require.Error(t, err)
}

func TestBuffer(t *testing.T) {
	var b buffer
	now := time.Unix(100, 0)
	b.start(now, 600*time.Millisecond)
	add := func(after time.Duration) time.Duration {
		now = now.Add(after)
		return b.add(now, 200*time.Millisecond)
	}
	require.Zero(t, add(500*time.Millisecond), "100 ms were left")
	require.Zero(t, add(300*time.Millisecond), "0 ms were left")
	require.Equal(t, 50*time.Millisecond, add(250*time.Millisecond))
	require.Zero(t, add(200*time.Millisecond), "it stood still for as long as it had to")
	require.Equal(t, time.Second, add(1200*time.Millisecond))
}
