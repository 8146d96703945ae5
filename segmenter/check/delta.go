package check

import (
	"bytes"
	"time"

	"whipsaw/segmenter/playlist"
)

// applyDelta does with a delta update what a player does.
func (c *Checker) applyDelta(f *findings, p *playlist.MediaPlaylist) (playlist.MediaPlaylist, bool) {
	f.saw(SkipTag)
	c.facts.Deltas++
	if c.last == nil {
		f.add(SkipTag, "a delta update as the first version")
		return playlist.MediaPlaylist{}, false
	}
	full, err := playlist.ApplyDelta(c.last, p)
	if err != nil {
		f.add(SkipTag, "%v", err)
		return playlist.MediaPlaylist{}, false
	}
	skipBoundary(f, p, &full)
	return full, true
}

// skipBoundary checks that nothing near the end of the playlist is skipped.
func skipBoundary(f *findings, delta, full *playlist.MediaPlaylist) {
	f.saw(SkipBoundary)
	f.saw(DeltaAfterEnd)
	limit := delta.ServerControl.CanSkipUntil
	if limit == 0 {
		f.add(DeltaAfterEnd, "a delta update without CAN-SKIP-UNTIL")
	}
	behind := time.Duration(0)
	for i := range delta.Segments {
		behind += length(&delta.Segments[i])
	}
	// 4.4.3.8: the skip boundary is CAN-SKIP-UNTIL from the end.
	if n := delta.Skip.SkippedSegments; n > 0 && behind <= limit {
		f.add(SkipBoundary, "segment %d is skipped, only %v from the end; CAN-SKIP-UNTIL is %v", full.MediaSequence+int64(n)-1, behind, limit)
	}
	// 6.2.5.1: no delta updates after the end.
	if delta.EndList {
		f.add(DeltaAfterEnd, "a delta update with EXT-X-ENDLIST")
	}
}

// Delta is Checker.Delta by itself.
func Delta(held, delta, full []byte) []Violation { return New().Delta(held, delta, full) }

// Delta checks a delta update against the full playlist of the same version: applied to the version that a client
// holds it has to give the same. A delta that is a full playlist is compared as it is. None of the three is taken for a
// version that the Checker follows.
func (c *Checker) Delta(held, delta, full []byte) []Violation {
	f := c.open()
	var parsed [3]playlist.MediaPlaylist
	for i, body := range [][]byte{held, delta, full} {
		p, err := c.parse(body)
		if err != nil {
			f.add(Syntax, "%v", err)
			return f.list
		}
		parsed[i] = p
	}
	f.saw(DeltaEqual)
	got, err := playlist.ApplyDelta(&parsed[0], &parsed[1])
	if err != nil {
		f.add(SkipTag, "%v", err)
		return f.list
	}
	skipped := 0
	if parsed[1].Skip != nil {
		skipBoundary(f, &parsed[1], &got)
		skipped = parsed[1].Skip.SkippedSegments
	}
	want := parsed[2]
	for i := range min(skipped, len(want.Segments)) {
		if len(want.Segments[i].Parts) > 0 {
			f.add(SkipTag, "segment %d with parts is skipped", want.MediaSequence+int64(i))
		}
	}
	if a, b := got.Append(nil), want.Append(nil); !bytes.Equal(a, b) {
		f.add(DeltaEqual, "applied, the delta update is not the full playlist: %s", difference(a, b))
	}
	return f.list
}

// difference shows the first line in which two playlists differ.
func difference(a, b []byte) string {
	left, right := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(left), len(right)) {
		if !bytes.Equal(left[i], right[i]) {
			return string(left[i]) + " instead of " + string(right[i])
		}
	}
	return "one is longer"
}
