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
		rule, detail string
		bend         bend
	}{
		// media.go
		"not a part":    {ruleCMAFChunk, "part 1 of segment 1: fmp4: malformed", bytesAt("part-1-1.m4s", func(b []byte) []byte { return b[:len(b)-1] })},
		"empty part":    {ruleCMAFChunk, "part 1 of segment 1 is empty", bytesAt("part-1-1.m4s", func([]byte) []byte { return []byte{} })},
		"empty segment": {ruleCMAFChunk, "segment 1 is empty", bytesAt("segment-1.m4s", func([]byte) []byte { return []byte{} })},
		"part longer than said": {rulePart, "part 1 of segment 1 has 200.011111ms of media", part("part-1-1.m4s", func(c *chunk) {
			c.samples[0].Duration++
		})},
		"segment shorter than said": {ruleExtInf, "EXTINF is 2s", bytesAt("segment-1.m4s", func(b []byte) []byte {
			return b[:len(b)-len(w.files["part-1-9.m4s"])]
		})},
		"tag says independent":       {rulePart, "part 0 of segment 1: INDEPENDENT is true, its first sample is sync: false", part("part-1-0.m4s", func(c *chunk) { c.samples[0].Sync = false })},
		"tag hides independence":     {rulePart, "INDEPENDENT is false, its first sample is sync: true", part("part-1-1.m4s", func(c *chunk) { c.samples[0].Sync = true })},
		"hole before a part":         {ruleDecodeTime, "part 1 of segment 1 begins at 199000, what is before ends at 198000", part("part-1-1.m4s", func(c *chunk) { c.time += 1000 })},
		"hole behind a part":         {ruleDecodeTime, "part 2 of segment 1 begins at 216000, what is before ends at 215000", part("part-1-1.m4s", func(c *chunk) { c.time -= 1000 })},
		"hole at a segment":          {ruleDecodeTime, "part 0 of segment 1 begins", part("part-1-0.m4s", func(c *chunk) { c.time++ })},
		"hole at an epoch":           {ruleDecodeTime, "part 0 of segment 3 begins", part("part-3-0.m4s", func(c *chunk) { c.time += 90000 })},
		"sequence number goes back":  {ruleSequence, "part 1 of segment 1 has sequence number 11 after 11", part("part-1-1.m4s", func(c *chunk) { c.sequence-- })},
		"segment is not its parts":   {rulePart, "segment 1 is not its parts: they differ in part 0", part("segment-1.m4s", func(c *chunk) { c.payload[8]++ })},
		"segment is more than parts": {rulePart, "they differ in part 9", bytesAt("segment-1.m4s", func(b []byte) []byte { return append(b[:len(b)-1], 9) })},
		"segment has a tail": {rulePart, "bytes are left", bytesAt("segment-1.m4s", func(b []byte) []byte {
			return append(b, "\x00\x00\x00\x10stypmsdh\x00\x00\x00\x00"...)
		})},

		// samples.go
		"IDR within a part": {rulePart, "part 1 of segment 1, chunk 0, sample 3: a sync sample that does not begin a part", part("part-1-1.m4s", func(c *chunk) {
			c.samples[3].Sync = true
			c.payload[3*9+4] = 0x65
		})},
		"IDR not marked":  {ruleSampleFlags, "sync is false, IDR is true", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x65 })},
		"not an IDR":      {ruleSampleFlags, "sync is true, IDR is false", part("part-1-0.m4s", func(c *chunk) { c.payload[4] = 0x41 })},
		"broken lengths":  {ruleAVC, "NAL unit of 6 bytes where 5 are left", part("part-1-1.m4s", func(c *chunk) { c.payload[3] = 6 })},
		"parameter set":   {ruleAVC, "NAL unit of type 7", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x67 })},
		"delimiter":       {ruleAVC, "NAL unit of type 9", part("part-1-1.m4s", func(c *chunk) { c.payload[4] = 0x09 })},
		"flags of no use": {ruleSampleFlags, "sample flags 00000000, not 02000000", bytesAt("part-1-0.m4s", func(b []byte) []byte { return bytes.Replace(b, []byte{2, 0, 0, 0}, []byte{0, 0, 0, 0}, 1) })},
		"other track":     {ruleCMAFChunk, "is of track 2, the init segment of 1", bytesAt("part-1-0.m4s", func(b []byte) []byte { return trackTwo(b) })},
		"hole in a segment": {ruleDecodeTime, "segment 1: chunk 1 begins at", bytesAt("segment-1.m4s", func(b []byte) []byte {
			first := len(w.files["part-1-0.m4s"])
			return append(remake(t, b[:first], func(c *chunk) { c.time-- }), b[first:]...)
		})},
		"sequence within a segment": {ruleSequence, "segment 1: chunk 1 has sequence number 12 after 13", bytesAt("segment-1.m4s", func(b []byte) []byte {
			first := len(w.files["part-1-0.m4s"])
			return append(remake(t, b[:first], func(c *chunk) { c.sequence = 13 }), b[first:]...)
		})},

		// initsegment.go
		"init unreadable": {ruleCMAFHeader, "init-0.mp4: fmp4", bytesAt("init-0.mp4", func(b []byte) []byte { return b[:100] })},
		"brand missing":   {ruleCMAFHeader, "without cmfc", bytesAt("init-0.mp4", func(b []byte) []byte { return bytes.Replace(b, []byte("cmfc"), []byte("isom"), 1) })},
		"duration":        {ruleCMAFHeader, "duration 1", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "tkhd", 23, 1) })},
		"time scale":      {ruleCMAFHeader, "time scale 90001", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x91) })},
		"size":            {ruleAVC, "1920x1081, the parameter set says 1920x1080", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "avc1", 27, 0x39) })},
		"edit list": {ruleCMAFHeader, "an edit list", bytesAt("init-0.mp4", func(b []byte) []byte {
			return withEdit(b)
		})},
		"time scale of the next epoch": {ruleDecodeTime, "time scale 90001 after 90000", bytesAt("init-1.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x91) })},
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
		rule, detail string
		bend         bend
	}{
		"not sync": {ruleOpus, "part 1 of segment 1, chunk 0, sample 2: sync false", bytesAt("part-1-1.m4s", func(b []byte) []byte {
			return remake(t, b, func(c *chunk) { c.samples[2].Sync = false })
		})},
		"reordered": {ruleOpus, "composition offset 7", bytesAt("part-1-1.m4s", func(b []byte) []byte {
			return remake(t, b, func(c *chunk) { c.samples[2].Offset = 7 })
		})},
		"no pre-roll": {ruleOpus, "roll distance -5", bytesAt("init-0.mp4", func(b []byte) []byte {
			return bytes.Replace(b, []byte{0xff, 0xfc}, []byte{0xff, 0xfb}, 1)
		})},
		"time scale": {ruleOpus, "time scale 48001", bytesAt("init-0.mp4", func(b []byte) []byte { return after(b, "mdhd", 15, 0x81) })},
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
	requireRule(t, c.Bytes("part-1-1.m4s", w.files["part-1-2.m4s"]), ruleImmutable, "part-1-1.m4s: other bytes")
	requireRule(t, c.Bytes("init-0.mp4", w.files["init-1.mp4"]), ruleImmutable, "init-0.mp4: other bytes")
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
	requireRule(t, c.Bytes("segment-7.m4s", late), ruleDecodeTime, "segment 8 begins at")
	require.Empty(t, c.Bytes("segment-10.m4s", w.files["segment-10.m4s"]))
	early := remake(t, w.files["segment-9.m4s"], func(c *chunk) { c.time++ })
	violations := c.Bytes("segment-9.m4s", early)
	requireRule(t, violations, ruleDecodeTime, "segment 9 begins at")
	requireRule(t, violations, ruleDecodeTime, "segment 10 begins at")
}

func TestSequenceNumbersWrap(t *testing.T) {
	var f findings
	one := media{have: true, timescale: 1, lastSequence: 1<<32 - 1}
	contiguous(&f, thing{}, one, media{have: true, timescale: 1})
	require.Empty(t, f)
	contiguous(&f, thing{kind: isSegment}, media{have: true, timescale: 1}, media{have: true, timescale: 1, firstSequence: 1<<32 - 1})
	require.Len(t, f, 1)
}
