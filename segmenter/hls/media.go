package hls

import (
	"context"

	"whipsaw/segmenter"
)

// media returns the bytes of a piece of media as the slices that they are held in.
func media(ctx context.Context, rendition *segmenter.Rendition, n name) ([][]byte, error) {
	snapshot := rendition.Snapshot()
	switch n.kind {
	case initKind:
		if init := snapshot.Init(n.n); init != nil {
			return [][]byte{init}, nil
		}
		return nil, errUnknown
	case segmentKind:
		segment := snapshot.Segment(n.msn)
		if segment == nil || !segment.Complete {
			return nil, absent(snapshot, n.msn)
		}
		return segmentBody(segment), nil
	default:
		part, err := awaitPart(ctx, rendition, snapshot, n.part)
		if err != nil {
			return nil, err
		}
		return [][]byte{part.Data}, nil
	}
}

// segmentBody is a segment as its parts' own bytes (3.2: the same samples with the same timing).
func segmentBody(segment *segmenter.Segment) [][]byte {
	body := make([][]byte, len(segment.Parts))
	for i, part := range segment.Parts {
		body[i] = part.Data
	}
	return body
}

// awaitPart returns a published part, or waits for the one that EXT-X-PRELOAD-HINT announces: not one byte goes out before it
// is whole (6.2.6). If another part comes in its place, or none, it is not found.
func awaitPart(ctx context.Context, rendition *segmenter.Rendition, snapshot *segmenter.Snapshot, id segmenter.PartID) (*segmenter.Part, error) {
	if part := snapshot.Part(id); part != nil {
		return part, nil
	}
	if !hints(snapshot, id) {
		return nil, absentPart(snapshot, id)
	}
	snapshot, err := wait(ctx, rendition, func(now *segmenter.Snapshot) bool {
		return now.Part(id) != nil || !mayCome(now, id)
	})
	switch part := snapshot.Part(id); {
	case part != nil:
		return part, nil
	case err != nil:
		return nil, err
	default:
		return nil, absentPart(snapshot, id)
	}
}

// absentPart is absent for parts: what a complete segment has not will never come, as a part that was hinted at and then
// overtaken by the segment's end. All who waited for it hear so at the same moment, and a cache may tell them.
func absentPart(s *segmenter.Snapshot, id segmenter.PartID) error {
	if g := s.Segment(id.MSN); g != nil && (g.Complete || g.Epoch > id.Epoch) {
		return gone(s, errOvertaken)
	}
	if next := s.Next(); next.MSN == id.MSN && next.Epoch > id.Epoch {
		return gone(s, errOvertaken)
	}
	return absent(s, id.MSN)
}

// mayCome says whether a part that was hinted at can still come, even if a newer version hints at another before it: when a
// picture more fits into the segment that was expected to end.
func mayCome(s *segmenter.Snapshot, id segmenter.PartID) bool {
	next := s.Next()
	return !s.Ended && (id == next || id.MSN == next.MSN+1 && id.Index == 0)
}

func hints(s *segmenter.Snapshot, id segmenter.PartID) bool {
	hint, ok := s.Hint()
	return ok && hint == id
}

// absent tells what has expired from what was never there or may still come.
func absent(s *segmenter.Snapshot, msn int64) error {
	if len(s.Segments) > 0 && msn < s.Segments[0].MSN {
		return gone(s, errExpired)
	}
	return errUnknown
}
