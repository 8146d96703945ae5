package playlist

import (
	"slices"
	"strconv"
	"time"
)

// Append writes the playlist to b and returns the longer slice, as append does. URIs must be free of quotes, control
// characters and, at the start of a segment's, of '#'. An open segment without parts is left out.
func (p *MediaPlaylist) Append(b []byte) []byte {
	b = slices.Grow(b, p.sizeHint())
	b = p.appendHeader(b)
	for i := range p.Segments {
		b = p.Segments[i].append(b)
	}
	for i := range p.PreloadHints {
		b = p.PreloadHints[i].append(b)
	}
	for i := range p.RenditionReports {
		b = p.RenditionReports[i].append(b)
	}
	if p.EndList {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

// sizeHint is a little more than the bytes that Append will write, so that it allocates once.
func (p *MediaPlaylist) sizeHint() int {
	n := 512
	for i := range p.Segments {
		s := &p.Segments[i]
		n += 160 + len(s.URI)
		if s.Map != nil {
			n += len(s.Map.URI)
		}
		for j := range s.Parts {
			n += 80 + len(s.Parts[j].URI)
		}
	}
	for i := range p.PreloadHints {
		n += 48 + len(p.PreloadHints[i].URI)
	}
	for i := range p.RenditionReports {
		n += 96 + len(p.RenditionReports[i].URI)
	}
	return n
}

func (p *MediaPlaylist) appendHeader(b []byte) []byte {
	b = append(b, "#EXTM3U\n"...)
	if p.Version > 0 {
		b = appendNumberTag(b, "#EXT-X-VERSION:", int64(p.Version))
	}
	b = appendNumberTag(b, "#EXT-X-TARGETDURATION:", int64(p.TargetDuration))
	b = p.ServerControl.append(b)
	if p.PartInf.PartTarget > 0 {
		b = append(b, "#EXT-X-PART-INF:PART-TARGET="...)
		b = append(appendSeconds(b, p.PartInf.PartTarget), '\n')
	}
	if p.IndependentSegments {
		b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	// 4.4.3.2, 4.4.3.3: both stand before the first segment.
	b = appendNumberTag(b, "#EXT-X-MEDIA-SEQUENCE:", p.MediaSequence)
	b = appendNumberTag(b, "#EXT-X-DISCONTINUITY-SEQUENCE:", p.DiscontinuitySequence)
	if p.Skip != nil {
		b = appendNumberTag(b, "#EXT-X-SKIP:SKIPPED-SEGMENTS=", int64(p.Skip.SkippedSegments))
	}
	return b
}

func (c ServerControl) append(b []byte) []byte {
	if c == (ServerControl{}) {
		return b
	}
	b = append(b, "#EXT-X-SERVER-CONTROL"...)
	mark := len(b)
	if c.CanBlockReload {
		b = append(b, ",CAN-BLOCK-RELOAD=YES"...)
	}
	if c.PartHoldBack > 0 {
		b = appendSeconds(append(b, ",PART-HOLD-BACK="...), c.PartHoldBack)
	}
	if c.HoldBack > 0 {
		b = appendSeconds(append(b, ",HOLD-BACK="...), c.HoldBack)
	}
	if c.CanSkipUntil > 0 {
		b = appendSeconds(append(b, ",CAN-SKIP-UNTIL="...), c.CanSkipUntil)
	}
	b[mark] = ':'
	return append(b, '\n')
}

func (s *Segment) append(b []byte) []byte {
	if s.Open() && len(s.Parts) == 0 {
		return b
	}
	// 4.4.4.9: DISCONTINUITY, MAP and PROGRAM-DATE-TIME stand before the first part.
	if s.Discontinuity {
		b = append(b, "#EXT-X-DISCONTINUITY\n"...)
	}
	if s.Map != nil {
		b = append(b, `#EXT-X-MAP:URI="`...)
		b = append(append(b, s.Map.URI...), "\"\n"...)
	}
	if !s.ProgramDateTime.IsZero() {
		b = append(b, "#EXT-X-PROGRAM-DATE-TIME:"...)
		b = append(appendTime(b, s.ProgramDateTime), '\n')
	}
	for i := range s.Parts {
		b = s.Parts[i].append(b)
	}
	if s.Gap {
		b = append(b, "#EXT-X-GAP\n"...)
	}
	if s.Open() {
		return b
	}
	b = appendSeconds(append(b, "#EXTINF:"...), s.Duration)
	b = append(b, ",\n"...)
	return append(append(b, s.URI...), '\n')
}

func (p *Part) append(b []byte) []byte {
	b = appendSeconds(append(b, "#EXT-X-PART:DURATION="...), p.Duration)
	b = append(b, `,URI="`...)
	b = append(append(b, p.URI...), '"')
	if p.Independent {
		b = append(b, ",INDEPENDENT=YES"...)
	}
	if p.Gap {
		b = append(b, ",GAP=YES"...)
	}
	return append(b, '\n')
}

func (h *PreloadHint) append(b []byte) []byte {
	b = append(append(b, "#EXT-X-PRELOAD-HINT:TYPE="...), h.Type...)
	b = append(append(b, `,URI="`...), h.URI...)
	return append(b, "\"\n"...)
}

func (r *RenditionReport) append(b []byte) []byte {
	b = append(append(b, `#EXT-X-RENDITION-REPORT:URI="`...), r.URI...)
	b = strconv.AppendInt(append(b, `",LAST-MSN=`...), r.LastMSN, 10)
	if r.LastPart >= 0 {
		b = strconv.AppendInt(append(b, ",LAST-PART="...), int64(r.LastPart), 10)
	}
	return append(b, '\n')
}

func appendNumberTag(b []byte, tag string, n int64) []byte {
	return append(strconv.AppendInt(append(b, tag...), n, 10), '\n')
}

// appendSeconds writes d in seconds with six decimals always, rounded to the nearest microsecond. Rounding keeps order:
// a part that is no longer than PART-TARGET is never written as longer.
func appendSeconds(b []byte, d time.Duration) []byte {
	us := int64(max(d, 0).Round(time.Microsecond) / time.Microsecond)
	b = append(strconv.AppendInt(b, us/1e6, 10), '.')
	fraction := us % 1e6
	for unit := int64(1e5); unit > 0; unit /= 10 {
		b = append(b, byte('0'+fraction/unit%10))
	}
	return b
}

// appendTime writes ISO 8601 with milliseconds and Z. Cutting instead of rounding keeps differences of whole
// milliseconds exact.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
