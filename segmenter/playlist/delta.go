package playlist

import (
	"errors"
	"fmt"
	"time"
)

// Delta returns the delta update of a full playlist (6.2.5.1): every segment further from the end of the playlist than
// CAN-SKIP-UNTIL, with all its tags, is replaced by EXT-X-SKIP; nothing else changes, the sequence numbers included
// (4.4.5.2). It is false when nothing may be skipped, or nothing at all because the playlist has ended. The result shares
// its slices with p.
func (p *MediaPlaylist) Delta() (MediaPlaylist, bool) {
	// 6.2.5.1: without CAN-SKIP-UNTIL, and after ENDLIST, there are no delta updates.
	if p.EndList || p.Skip != nil || p.ServerControl.CanSkipUntil <= 0 {
		return MediaPlaylist{}, false
	}
	n := p.skippable()
	if n == 0 {
		return MediaPlaylist{}, false
	}
	d := *p
	d.Skip = &Skip{SkippedSegments: n}
	d.Segments = p.Segments[n:]
	return d, true
}

// skippable counts the segments whose very end is further from the end of the playlist, open parts included, than
// CAN-SKIP-UNTIL.
func (p *MediaPlaylist) skippable() int {
	var behind time.Duration // media after segment i
	for i := len(p.Segments) - 1; i >= 0; i-- {
		if behind > p.ServerControl.CanSkipUntil {
			return i + 1
		}
		behind += p.Segments[i].length()
	}
	return 0
}

// ErrDelta means that a delta update does not fit what the client holds: it must load the full playlist (6.3.7).
var ErrDelta = errors.New("playlist: the delta update skips what is not held")

// ApplyDelta does what a client does with a delta update: the skipped segments come from the version that it holds, with
// the maps that apply to them. Their parts are left out, since EXT-X-PART tags so far from the end have been removed
// (6.2.2). A delta without EXT-X-SKIP is a full playlist and is returned as it is. Slices are shared with the arguments.
func ApplyDelta(previous, delta *MediaPlaylist) (MediaPlaylist, error) {
	if delta.Skip == nil {
		return *delta, nil
	}
	first, n := delta.MediaSequence-previous.MediaSequence, delta.Skip.SkippedSegments
	switch {
	case previous.Skip != nil:
		return MediaPlaylist{}, fmt.Errorf("%w: the held version is a delta update itself", ErrDelta)
	case first < 0 || n < 0 || first > int64(len(previous.Segments)) || int64(n) > int64(len(previous.Segments))-first:
		return MediaPlaylist{}, fmt.Errorf("%w: it skips %d from %d, held are %d from %d",
			ErrDelta, n, delta.MediaSequence, len(previous.Segments), previous.MediaSequence)
	}
	held := previous.Segments[first : first+int64(n)]
	if n > 0 && held[n-1].Open() {
		return MediaPlaylist{}, fmt.Errorf("%w: segment %d was still open", ErrDelta, delta.MediaSequence+int64(n)-1)
	}
	full := *delta
	full.Skip = nil
	full.Segments = make([]Segment, 0, n+len(delta.Segments))
	for _, s := range held {
		s.Parts = nil
		full.Segments = append(full.Segments, s)
	}
	if n > 0 && full.Segments[0].Map == nil {
		full.Segments[0].Map = previous.mapAt(int(first))
	}
	full.Segments = append(full.Segments, delta.Segments...)
	return full, nil
}

// mapAt is the map in force for segment i: EXT-X-MAP applies until the next one (4.4.4.5).
func (p *MediaPlaylist) mapAt(i int) *Map {
	for ; i >= 0; i-- {
		if p.Segments[i].Map != nil {
			return p.Segments[i].Map
		}
	}
	return nil
}
