package check

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
)

// chunk is a part taken apart, to be bent and written again.
type chunk struct {
	sequence uint32
	time     uint64
	samples  []fmp4.Sample
	payload  []byte
}

func remake(t testing.TB, data []byte, change func(*chunk)) []byte {
	t.Helper()
	fragments, err := fmp4.ParseParts(data)
	require.NoError(t, err)
	var out []byte
	for _, f := range fragments {
		c := chunk{sequence: f.Sequence, time: f.DecodeTime}
		for _, s := range f.Samples {
			c.samples = append(c.samples, s.Sample)
			c.payload = append(c.payload, s.Data...)
		}
		change(&c)
		b, err := fmp4.Part(c.sequence, c.time, c.samples, c.payload)
		require.NoError(t, err)
		out = append(out, b...)
	}
	return out
}

// bytesAt bends what is served under one URI.
func bytesAt(uri string, change func(data []byte) []byte) bend {
	return bend{bytes: func(asked string, data []byte) []byte {
		if asked != uri {
			return data
		}
		return change(data)
	}}
}

func TestMediaRulesBite(t *testing.T) {
	w := videoWorld(t)
	part := func(uri string, change func(*chunk)) bend {
		return bytesAt(uri, func(data []byte) []byte { return remake(t, data, change) })
	}
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		bend   bend
	}{
		// media.go
		"not a part":    {Fragments, "part 1 of segment 1: fmp4: malformed", bytesAt("part-1-1.m4s", func(b []byte) []byte { return b[:len(b)-1] })},
		"empty part":    {Fragments, "part 1 of segment 1 is empty", bytesAt("part-1-1.m4s", func([]byte) []byte { return []byte{} })},
		"empty segment": {Fragments, "segment 1 is empty", bytesAt("segment-1.m4s", func([]byte) []byte { return []byte{} })},
		"part longer than said": {ExtInfExact, "part 1 of segment 1 has 200.011111ms of media", part("part-1-1.m4s", func(c *chunk) {
			c.samples[0].Duration++
		})},
		"segment shorter than said": {ExtInf, "EXTINF is 2s", bytesAt("segment-1.m4s", func(b []byte) []byte {
			return b[:len(b)-len(w.files["part-1-9.m4s"])]
		})},
		"tag says independent":       {IndependentExact, "part 0 of segment 1: INDEPENDENT is true, its first sample is sync: false", part("part-1-0.m4s", func(c *chunk) { c.samples[0].Sync = false })},
		"tag hides independence":     {IndependentExact, "INDEPENDENT is false, its first sample is sync: true", part("part-1-1.m4s", func(c *chunk) { c.samples[0].Sync = true })},
		"hole before a part":         {DecodeTimeExact, "part 1 of segment 1 begins at 199000, what is before ends at 198000", part("part-1-1.m4s", func(c *chunk) { c.time += 1000 })},
		"hole behind a part":         {DecodeTimeExact, "part 2 of segment 1 begins at 216000, what is before ends at 215000", part("part-1-1.m4s", func(c *chunk) { c.time -= 1000 })},
		"hole at a segment":          {DecodeTimeExact, "part 0 of segment 1 begins", part("part-1-0.m4s", func(c *chunk) { c.time++ })},
		"hole at an epoch":           {DecodeTimeExact, "part 0 of segment 3 begins", part("part-3-0.m4s", func(c *chunk) { c.time += 90000 })},
		"sequence number goes back":  {SequenceNumber, "part 1 of segment 1 has sequence number 11 after 11", part("part-1-1.m4s", func(c *chunk) { c.sequence-- })},
		"segment is not its parts":   {PartBytes, "segment 1 is not its parts: they differ in part 0", part("segment-1.m4s", func(c *chunk) { c.payload[8]++ })},
		"segment is more than parts": {PartBytes, "they differ in part 9", bytesAt("segment-1.m4s", func(b []byte) []byte { return append(b[:len(b)-1], 9) })},
		"segment has a tail": {PartBytes, "bytes are left", bytesAt("segment-1.m4s", func(b []byte) []byte {
			return append(b, "\x00\x00\x00\x10stypmsdh\x00\x00\x00\x00"...)
		})},

		// samples.go
		"IDR within a part": {SyncWithinPart, "part 1 of segment 1, chunk 0, sample 3: a sync sample that does not begin a part", part("part-1-1.m4s", func(c *chunk) {
			c.samples[3].Sync = true
			c.payload[3*9+4] = 0x65
		})},
		"IDR not marked":  {SampleFlags, "sync is false, IDR is true", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x65 })},
		"not an IDR":      {SampleFlags, "sync is true, IDR is false", part("part-1-0.m4s", func(c *chunk) { c.payload[4] = 0x41 })},
		"broken lengths":  {Fragments, "NAL unit of 6 bytes where 5 are left", part("part-1-1.m4s", func(c *chunk) { c.payload[3] = 6 })},
		"parameter set":   {AVCSamples, "NAL unit of type 7", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x67 })},
		"delimiter":       {AVCSamples, "NAL unit of type 9", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x09 })},
		"flags of no use": {SampleFlagsExact, "sample flags 00000000, not 02000000", bytesAt("part-1-0.m4s", func(b []byte) []byte { return bytes.Replace(b, []byte{2, 0, 0, 0}, []byte{0, 0, 0, 0}, 1) })},
		"other track":     {Fragments, "the init segment has no track 2", bytesAt("part-1-0.m4s", func(b []byte) []byte { return trackTwo(b) })},
		"box of no use":   {FragmentsHouse, `"free" out of place`, bytesAt("part-1-0.m4s", func(b []byte) []byte { return append([]byte("\x00\x00\x00\x08free"), b...) })},
		"hole in a segment": {DecodeTimeExact, "segment 1, chunk 1 begins at", bytesAt("segment-1.m4s", func(b []byte) []byte {
			first := len(w.files["part-1-0.m4s"])
			return append(remake(t, b[:first], func(c *chunk) { c.time-- }), b[first:]...)
		})},
		"sequence within a segment": {SequenceNumber, "segment 1: chunk 1 has sequence number 12 after 13", bytesAt("segment-1.m4s", func(b []byte) []byte {
			first := len(w.files["part-1-0.m4s"])
			return append(remake(t, b[:first], func(c *chunk) { c.sequence = 13 }), b[first:]...)
		})},

		// initsegment.go
		"init unreadable": {InitSegment, "init-0.mp4: fmp4", bytesAt("init-0.mp4", func(b []byte) []byte { return b[:100] })},
		"brand missing":   {InitHouse, "without cmfc", bytesAt("init-0.mp4", func(b []byte) []byte { return bytes.Replace(b, []byte("cmfc"), []byte("isom"), 1) })},
		"duration":        {InitHouse, "duration 1", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "tkhd", 23, 1) })},
		"time scale":      {AVCInit, "time scale 90001", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x91) })},
		"size":            {AVCInit, "1920x1081, the parameter set says 1920x1080", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "avc1", 27, 0x39) })},
		"edit list": {InitHouse, "an edit list", bytesAt("init-0.mp4", func(b []byte) []byte {
			return withEdit(b)
		})},
		"time scale of the next epoch": {DecodeTimeExact, "time scale 90001 after 90000", bytesAt("init-1.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x91) })},
	} {
		t.Run(name, func(t *testing.T) {
			_, violations := w.play(t, c.bend)
			requireRule(t, violations, c.rule, c.detail)
		})
	}
}

// after changes one byte at an offset behind a box's type.
func after(b []byte, kind string, at int, value byte) []byte {
	b[bytes.Index(b, []byte(kind))+4+at] = value
	return b
}

// trackTwo changes the track ID of a fragment.
func trackTwo(b []byte) []byte { return after(b, "tfhd", 7, 2) }

// withEdit puts an empty edts box into the trak of an init segment.
func withEdit(b []byte) []byte {
	i := bytes.Index(b, []byte("mdia")) - 4
	b = slices.Insert(b, i, []byte("\x00\x00\x00\x08edts")...)
	for _, kind := range []string{"trak", "moov"} {
		b[bytes.Index(b, []byte(kind))-1] += 8
	}
	return b
}

func TestAudioRulesBite(t *testing.T) {
	w := audioWorld(t)
	for name, c := range map[string]struct {
		rule   Rule
		detail string
		bend   bend
	}{
		"not sync": {Opus, "part 1 of segment 1, chunk 0, sample 2: sync false", bytesAt("part-1-1.m4s", func(b []byte) []byte {
			return remake(t, b, func(c *chunk) { c.samples[2].Sync = false })
		})},
		"reordered": {Opus, "composition offset 7", bytesAt("part-1-1.m4s", func(b []byte) []byte {
			return remake(t, b, func(c *chunk) { c.samples[2].Offset = 7 })
		})},
		"no pre-roll": {Opus, "roll distance -5", bytesAt("init-0.mp4", func(b []byte) []byte {
			return bytes.Replace(b, []byte{0xff, 0xfc}, []byte{0xff, 0xfb}, 1)
		})},
		"time scale": {Opus, "time scale 48001", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x81) })},
	} {
		t.Run(name, func(t *testing.T) {
			_, violations := w.play(t, c.bend)
			requireRule(t, violations, c.rule, c.detail)
		})
	}
}

// One URI is one thing for ever.
func TestOtherBytes(t *testing.T) {
	w := videoWorld(t)
	c, violations := w.play(t, bend{})
	require.Empty(t, violations)
	require.Empty(t, c.Bytes("part-1-1.m4s", w.files["part-1-1.m4s"]))
	requireRule(t, c.Bytes("part-1-1.m4s", w.files["part-1-2.m4s"]), OneContent, "part-1-1.m4s: other bytes")
	requireRule(t, c.Bytes("init-0.mp4", w.files["init-1.mp4"]), OneContent, "init-0.mp4: other bytes")
}

// Segments alone are held against each other too, in whatever order they come.
func TestSegmentsAlone(t *testing.T) {
	w := videoWorld(t)
	c := New()
	p := w.version(w.parts())
	require.Empty(t, c.Playlist(worldStart, p.Append(nil)))
	require.Empty(t, c.Bytes(p.Segments[0].Map.URI, w.files[p.Segments[0].Map.URI]))
	require.Empty(t, c.Bytes("segment-8.m4s", w.files["segment-8.m4s"]))
	late := remake(t, w.files["segment-7.m4s"], func(c *chunk) { c.time-- })
	requireRule(t, c.Bytes("segment-7.m4s", late), DecodeTimeExact, "segment 8 begins at")
	require.Empty(t, c.Bytes("segment-10.m4s", w.files["segment-10.m4s"]))
	early := remake(t, w.files["segment-9.m4s"], func(c *chunk) { c.time++ })
	violations := c.Bytes("segment-9.m4s", early)
	requireRule(t, violations, DecodeTimeExact, "segment 9 begins at")
	requireRule(t, violations, DecodeTimeExact, "segment 10 begins at")
}

func TestSequenceNumbersWrap(t *testing.T) {
	f := New().open()
	contiguous(f, thing{}, media{have: true, lastSequence: 1<<32 - 1}, media{have: true}, true)
	require.Empty(t, f.list)
	contiguous(f, thing{kind: isSegment}, media{have: true}, media{have: true, firstSequence: 1<<32 - 1}, true)
	require.Len(t, f.list, 1)
}
