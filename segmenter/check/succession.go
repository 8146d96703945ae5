package check

import (
	"time"

	"whipsaw/segmenter/playlist"
)

// succession checks one version against the one before it: segments leave at the front and come at the end, and are
// counted.
func succession(f *findings, last, p *playlist.MediaPlaylist) {
	removed := p.MediaSequence - last.MediaSequence
	f.saw(MediaSequence)
	if removed < 0 {
		f.add(MediaSequence, "EXT-X-MEDIA-SEQUENCE went back from %d to %d", last.MediaSequence, p.MediaSequence)
		return
	}
	if removed > int64(len(last.Segments)) {
		// Everything that was listed is gone; how many tags went with it cannot be told.
		removedUnseen(f, last, p)
		return
	}
	tags := int64(0)
	for i := range removed {
		if last.Segments[i].Discontinuity {
			tags++
		}
	}
	if removed > 0 {
		f.saw(DiscontinuitySequence)
	}
	// 4.4.3.3, 6.2.2: one up for each EXT-X-DISCONTINUITY that leaves, and for nothing else.
	if got := p.DiscontinuitySequence - last.DiscontinuitySequence; got != tags {
		f.add(DiscontinuitySequence, "EXT-X-DISCONTINUITY-SEQUENCE went from %d to %d while %d tags left",
			last.DiscontinuitySequence, p.DiscontinuitySequence, tags)
	}
	growth(f, last, p, removed)
}

func removedUnseen(f *findings, last, p *playlist.MediaPlaylist) {
	if p.DiscontinuitySequence < last.DiscontinuitySequence {
		f.add(DiscontinuitySequence, "EXT-X-DISCONTINUITY-SEQUENCE went back from %d to %d", last.DiscontinuitySequence, p.DiscontinuitySequence)
	}
}

func growth(f *findings, last, p *playlist.MediaPlaylist, removed int64) {
	f.saw(SegmentsVanish)
	if end, was := p.MediaSequence+int64(len(p.Segments)), last.MediaSequence+int64(len(last.Segments)); end < was {
		f.add(SegmentsVanish, "the last segments are gone: %d was listed, now the last is %d", was-1, end-1)
	}
	// 4.4.3.4: after ENDLIST nothing changes.
	if last.EndList {
		f.saw(EndList)
	}
	if last.EndList && (!p.EndList || removed != 0 || len(p.Segments) != len(last.Segments)) {
		f.add(EndList, "the playlist changed after EXT-X-ENDLIST")
	}
	// 6.2.2: no segment is removed that leaves less than three target durations.
	total := time.Duration(0)
	for i := range p.Segments {
		total += length(&p.Segments[i])
	}
	if removed > 0 {
		f.saw(WindowShort)
	}
	if least := 3 * time.Duration(p.TargetDuration) * time.Second; removed > 0 && !p.EndList && total < least {
		f.add(WindowShort, "segments were removed, %v are left, fewer than three target durations (%v)", total, least)
	}
}

// freshness checks that a live playlist grows in time. A server that answers late is as bad as one that makes nothing:
// both show in the time between fetches.
func (c *Checker) freshness(f *findings, at time.Time, p *playlist.MediaPlaylist) {
	f.saw(Fresh)
	if grew(c.last, p) || p.EndList {
		c.grown = at
		return
	}
	// 6.2.2: at the latest after 1.5 target durations there is a new version.
	if limit := time.Duration(p.TargetDuration) * 3 * time.Second / 2; at.Sub(c.grown) > limit {
		f.add(Fresh, "nothing new after segment %d for more than %v", p.MediaSequence+int64(len(p.Segments))-1, limit)
	}
}

// grew reports whether p has anything behind the end of last.
func grew(last, p *playlist.MediaPlaylist) bool {
	end, was := p.MediaSequence+int64(len(p.Segments)), last.MediaSequence+int64(len(last.Segments))
	if end != was || len(p.Segments) == 0 || len(last.Segments) == 0 {
		return end > was
	}
	now, before := &p.Segments[len(p.Segments)-1], &last.Segments[len(last.Segments)-1]
	return len(now.Parts) > len(before.Parts) || before.Open() && !now.Open()
}
