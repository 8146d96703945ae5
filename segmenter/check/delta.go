package check

import (
	"bytes"
	"time"

	"whipsaw/segmenter/playlist"
)

// applyDelta does with a delta update what a player does.
func (c *Checker) applyDelta(f *findings, p *playlist.MediaPlaylist) (playlist.MediaPlaylist, bool) {
	if c.last == nil {
		f.add(ruleSkip, "a delta update as the first version")
		return playlist.MediaPlaylist{}, false
	}
	full, err := playlist.ApplyDelta(c.last, p)
	if err != nil {
		f.add(ruleSkip, "%v", err)
		return playlist.MediaPlaylist{}, false
	}
	skipBoundary(f, p, &full)
	return full, true
}

// skipBoundary checks that nothing near the end of the playlist is skipped.
func skipBoundary(f *findings, delta, full *playlist.MediaPlaylist) {
	limit := delta.ServerControl.CanSkipUntil
	if limit == 0 {
		f.add(ruleDelta, "a delta update without CAN-SKIP-UNTIL")
	}
	behind := time.Duration(0)
	for i := range delta.Segments {
		behind += length(&delta.Segments[i])
	}
	// 4.4.3.8: the skip boundary is CAN-SKIP-UNTIL from the end.
	if n := delta.Skip.SkippedSegments; n > 0 && behind <= limit {
		f.add(ruleDelta, "segment %d is skipped, only %v from the end; CAN-SKIP-UNTIL is %v", full.MediaSequence+int64(n)-1, behind, limit)
	}
	// 6.2.5.1: no delta updates after the end.
	if delta.EndList {
		f.add(ruleDelta, "a delta update with EXT-X-ENDLIST")
	}
}

// Delta checks a delta update against the full playlist of the same version: applied to the version that a client
// holds it has to give the same. A delta that is a full playlist is compared as it is.
func Delta(held, delta, full []byte) []Violation {
	var f findings
	var parsed [3]playlist.MediaPlaylist
	for i, body := range [][]byte{held, delta, full} {
		p, err := playlist.ParseMedia(body)
		if err != nil {
			f.add(ruleSyntax, "%v", err)
			return f
		}
		parsed[i] = p
	}
	got, err := playlist.ApplyDelta(&parsed[0], &parsed[1])
	if err != nil {
		f.add(ruleSkip, "%v", err)
		return f
	}
	skipped := 0
	if parsed[1].Skip != nil {
		skipBoundary(&f, &parsed[1], &got)
		skipped = parsed[1].Skip.SkippedSegments
	}
	want := parsed[2]
	for i := range min(skipped, len(want.Segments)) {
		if len(want.Segments[i].Parts) > 0 {
			f.add(ruleSkip, "segment %d with parts is skipped", want.MediaSequence+int64(i))
		}
	}
	if a, b := got.Append(nil), want.Append(nil); !bytes.Equal(a, b) {
		f.add(ruleDelta, "applied, the delta update is not the full playlist: %s", difference(a, b))
	}
	return f
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
