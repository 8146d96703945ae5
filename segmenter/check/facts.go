package check

import (
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// Facts is what a rendition was seen to be. Nothing in it is a verdict.
type Facts struct {
	Codecs        []string // of its newest init segment
	Width, Height int
	Channels      int
	FrameRate     float64 // pictures a second over the newest segment

	Versions, Deltas int    // playlists taken
	Parts, Segments  Spread // durations of what was listed
	GOP              Spread // from one sync sample of the picture to the next
	Latency          Spread // from a part's or segment's end by EXT-X-PROGRAM-DATE-TIME to its listing
	Discontinuities  int
	Gaps             int
	Hints            int     // versions with a hinted part
	Peak             float64 // peak segment bit rate, bit/s
}

// Spread is the least, the greatest and the mean of durations.
type Spread struct {
	Count         int
	Min, Max, Sum time.Duration
}

// Add takes in one more.
func (s *Spread) Add(d time.Duration) {
	if s.Count == 0 || d < s.Min {
		s.Min = d
	}
	if s.Count == 0 || d > s.Max {
		s.Max = d
	}
	s.Count++
	s.Sum += d
}

// Mean is the sum over the count; 0 of nothing.
func (s *Spread) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / time.Duration(s.Count)
}

// Facts returns what has been seen so far.
func (c *Checker) Facts() Facts {
	out := c.facts
	out.Peak = c.peak
	if h := c.newestHeader(); h != nil {
		for i := range h.movie.Tracks {
			out.Codecs = append(out.Codecs, h.movie.Tracks[i].Codec)
			out.Channels = max(out.Channels, h.movie.Tracks[i].Channels)
		}
		out.Width, out.Height = h.track().Width, h.track().Height
	}
	return out
}

// observe takes in a version before it becomes the newest.
func (c *Checker) observe(at time.Time, p *playlist.MediaPlaylist) {
	x := &c.facts
	x.Versions++
	if hintOf(p, playlist.HintPart) != "" {
		x.Hints++
	}
	var from Edge
	if edge, ok := c.Edge(); ok {
		from = edge
	}
	fresh := false
	for i := range p.Segments {
		s, msn := &p.Segments[i], p.MediaSequence+int64(i)
		known := c.last != nil && (msn < from.MSN || msn == from.MSN && !c.wasOpen())
		fresh = c.listed(s, msn, from, known) || fresh
	}
	if date, dated := endDate(p); fresh && dated && !p.EndList && c.last != nil {
		x.Latency.Add(at.Sub(date))
	}
}

// wasOpen reports whether the version before ended with an open segment.
func (c *Checker) wasOpen() bool {
	n := len(c.last.Segments)
	return n > 0 && c.last.Segments[n-1].Open()
}

// listed counts what is new of one segment, and reports whether anything is.
func (c *Checker) listed(s *playlist.Segment, msn int64, from Edge, known bool) bool {
	if known {
		return false
	}
	x, fresh := &c.facts, false
	begun := c.last != nil && msn == from.MSN
	for j, part := range s.Parts {
		if begun && j <= from.Part {
			continue
		}
		fresh = true
		x.Parts.Add(part.Duration)
		if part.Gap {
			x.Gaps++
		}
	}
	if !begun && s.Discontinuity {
		x.Discontinuities++
	}
	if s.Open() {
		return fresh
	}
	x.Segments.Add(s.Duration)
	if s.Gap {
		x.Gaps++
	}
	return fresh || len(s.Parts) == 0
}

// pictures measures the rate of pictures, and the distances of sync samples, over a segment and the one before it.
func (c *Checker) pictures(s *segment, all []fmp4.FragmentSample) {
	m := &s.whole
	if m.header.track().Handler != "vide" {
		return
	}
	r := &m.tracks[m.lead]
	if d := r.duration(); d > 0 {
		c.facts.FrameRate = float64(r.samples) / d.Seconds()
	}
	at, last := r.start, int64(-1)
	if before := c.segments[s.msn-1]; before != nil && before.whole.have && before.number == s.number {
		last = before.lastSync
	}
	for i := range all {
		if all[i].Sync {
			if last >= 0 && int64(at) > last {
				c.facts.GOP.Add(ticks(at-uint64(last), r.timescale))
			}
			last = int64(at)
		}
		at += uint64(all[i].Duration)
	}
	s.lastSync = last
}
