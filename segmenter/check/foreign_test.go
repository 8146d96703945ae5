package check

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter/playlist"
)

// boxIn is the whole of the first box of a kind.
func boxIn(b []byte, kind string) []byte {
	i := bytes.Index(b, []byte(kind)) - 4
	return slices.Clone(b[i : i+int(binary.BigEndian.Uint32(b[i:]))])
}

// boxOf makes a box.
func boxOf(kind string, body ...[]byte) []byte {
	all := slices.Concat(body...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(all)+8)), kind...), all...)
}

// muxInit makes one init segment of two; the second track gets number 2.
func muxInit(video, audio []byte) []byte {
	trak, trex := after(boxIn(audio, "trak"), "tkhd", 15, 2), after(boxIn(audio, "trex"), "trex", 7, 2)
	return slices.Concat(boxIn(video, "ftyp"),
		boxOf("moov", boxIn(video, "mvhd"), boxIn(video, "trak"), trak, boxOf("mvex", boxIn(video, "trex"), trex)))
}

// mux makes one chunk of two.
func mux(video, audio []byte) []byte {
	one, two := boxIn(video, "traf"), after(boxIn(audio, "traf"), "tfhd", 7, 2)
	pictures, sounds := boxIn(video, "mdat")[8:], boxIn(audio, "mdat")[8:]
	mfhd := boxIn(video, "mfhd")
	header := 8 + len(mfhd) + len(one) + len(two) + 8
	setOffset := func(traf []byte, n int) []byte {
		at := bytes.Index(traf, []byte("trun")) + 12 // version and flags, count
		binary.BigEndian.PutUint32(traf[at:], uint32(n))
		return traf
	}
	return slices.Concat(boxOf("moof", mfhd, setOffset(one, header), setOffset(two, header+len(pictures))), boxOf("mdat", pictures, sounds))
}

// muxedWorld has sound and picture in one, and no parts.
func muxedWorld(t *testing.T) (w *world, text []byte) {
	video, audio := videoWorld(t), audioWorld(t)
	w = &world{files: map[string][]byte{"init.mp4": muxInit(video.files["init-0.mp4"], audio.files["init-0.mp4"])}}
	p := playlist.MediaPlaylist{Version: 6, TargetDuration: 2, EndList: true}
	for msn := range 2 {
		var whole []byte
		for i := range 10 {
			name := fmt.Sprintf("part-%d-%d.m4s", msn, i)
			whole = append(whole, mux(video.files[name], audio.files[name])...)
		}
		s := playlist.Segment{URI: fmt.Sprintf("s%d.mp4", msn), Duration: 2 * time.Second}
		if msn == 0 {
			s.Map = &playlist.Map{URI: "init.mp4"}
		}
		w.files[s.URI] = whole
		p.Segments = append(p.Segments, s)
	}
	return w, p.Append(nil)
}

// Streams of other packagers are held to the rules for all: muxed, without parts, with what our own do not have.
func TestMuxedStream(t *testing.T) {
	w, text := muxedWorld(t)
	c := NewFor(General)
	require.Empty(t, c.Playlist(worldStart, text))
	require.Equal(t, []string{"init.mp4", "s0.mp4", "s1.mp4"}, c.Wanted())
	for _, uri := range c.Wanted() {
		require.Empty(t, c.Bytes(uri, w.files[uri]), uri)
	}
	f := c.Facts()
	require.Equal(t, []string{"avc1.640028", "Opus"}, f.Codecs)
	require.Equal(t, []int{1920, 1080, 1}, []int{f.Width, f.Height, f.Channels})
	require.Zero(t, f.Parts.Count)
	tally := c.Tally()
	for _, r := range []Rule{PartDuration, PartShort, PartSamples, Hint, BlockReload, DateTime, SkipBoundary, AVCInit, InitHouse, DecodeTimeExact} {
		require.Zero(t, tally[r].Seen, "%v", r)
	}
	for _, r := range []Rule{Syntax, TargetDuration, ExtInf, InitSegment, Fragments, DecodeTime, SampleFlags} {
		require.Positive(t, tally[r].Seen, "%v", r)
	}

	variant := playlist.MultivariantPlaylist{StreamInfs: []playlist.StreamInf{{
		URI: "v.m3u8", Bandwidth: 1e6, AverageBandwidth: 1e5, Codecs: "AVC1.640028, Opus", FrameRate: 30, Resolution: playlist.Resolution{Width: 1920, Height: 1080},
	}}}
	require.Empty(t, NewIndex(General).Playlist(variant.Append(nil), map[string]*Checker{"v.m3u8": c}))
	variant.StreamInfs[0].Codecs = "avc1.640028"
	requireRule(t, NewIndex(General).Playlist(variant.Append(nil), map[string]*Checker{"v.m3u8": c}), Codecs, `does not have "Opus"`)

	// A hole in the sound alone.
	late := remakeSound(w.files["s1.mp4"])
	c = NewFor(General)
	require.Empty(t, c.Playlist(worldStart, text))
	require.Empty(t, c.Bytes("init.mp4", w.files["init.mp4"]))
	require.Empty(t, c.Bytes("s0.mp4", w.files["s0.mp4"]))
	requireRule(t, c.Bytes("s1.mp4", late), DecodeTime, "segment 1 begins at")
}

// remakeSound moves the decode times of the second track by 21 ms.
func remakeSound(b []byte) []byte {
	b = slices.Clone(b)
	for i, n := 0, 0; ; n++ {
		next := bytes.Index(b[i:], []byte("tfdt"))
		if next < 0 {
			return b
		}
		if i += next + 4; n%2 == 1 {
			binary.BigEndian.PutUint64(b[i+4:], binary.BigEndian.Uint64(b[i+4:])+1000)
		}
	}
}

// What is legal and not read here is said, not complained of, but in our own output.
func TestCannot(t *testing.T) {
	text := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:100@0\na.mp4\n"
	c := NewFor(General)
	require.Empty(t, c.Playlist(worldStart, []byte(text)))
	require.ErrorIs(t, c.Cannot(), playlist.ErrUnsupported)
	require.Nil(t, c.Newest())
	require.Empty(t, c.Playlist(worldStart, []byte(strings.Replace(text, "#EXT-X-BYTERANGE:100@0\n", "", 1))))
	require.NoError(t, c.Cannot())
	require.NotNil(t, c.Newest())
	requireRule(t, New().Playlist(worldStart, []byte(text)), Syntax, "unsupported")
}

// Names are remembered for long, not for ever.
func TestNamesAreBounded(t *testing.T) {
	c := New()
	for i := range maxNames {
		c.names[fmt.Sprint(i)] = thing{isSegment, int64(i), 0}
	}
	c.names["init"] = thing{kind: isInit}
	c.forgetNames(maxNames)
	require.Less(t, len(c.names), maxNames/2+3)
	require.NotZero(t, c.names[fmt.Sprint(maxNames-1)])
	require.NotZero(t, c.names["init"])
	c.forgetNames(maxNames)
	require.Less(t, len(c.names), maxNames/2+3)
}

// A server may date the first segment of its playlist alone.
func TestDateOnTheFirstSegmentAlone(t *testing.T) {
	w, c := videoWorld(t), NewFor(General)
	for n := 60; n < 90; n++ {
		p := w.version(n)
		for i := range p.Segments {
			if i > 0 && !p.Segments[i].Discontinuity {
				p.Segments[i].ProgramDateTime = time.Time{}
			}
		}
		require.Empty(t, c.Playlist(worldStart.Add(time.Duration(n)*200*time.Millisecond), p.Append(nil)))
	}
	require.Positive(t, c.Tally()[DateTime].Seen)
}
