package check

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"whipsaw/segmenter/playlist"
)

// variantTruth checks one variant against the init segments and the measured bit rates.
func variantTruth(f *findings, variant *playlist.StreamInf, group []playlist.Media, renditions map[string]*Checker) {
	peak := 0.0
	if c := renditions[variant.URI]; c != nil {
		peak = c.peak
		if h := c.newestHeader(); h != nil {
			codecs(f, variant, h)
			picture(f, variant, h)
		}
	}
	loudest := 0.0
	for i := range group {
		c := renditions[group[i].URI]
		if c == nil {
			continue
		}
		loudest = max(loudest, c.peak)
		if h := c.newestHeader(); h != nil {
			codecs(f, variant, h)
			channels(f, &group[i], h)
		}
	}
	peak += loudest
	if peak > 0 {
		f.saw(Bandwidth)
	}
	// 4.4.6.2: BANDWIDTH is the largest sum of peak segment bit rates of any playable combination.
	if float64(variant.Bandwidth) < peak {
		f.add(Bandwidth, "BANDWIDTH %d of %q, measured %.0f", variant.Bandwidth, variant.URI, peak)
	}
	f.saw(AverageBandwidth)
	if variant.AverageBandwidth == 0 || variant.AverageBandwidth > variant.Bandwidth {
		f.add(AverageBandwidth, "AVERAGE-BANDWIDTH %d of %q with BANDWIDTH %d", variant.AverageBandwidth, variant.URI, variant.Bandwidth)
	}
}

// codecs: 4.4.6.2: CODECS has every format of the variant; Safari knows "Opus" by this spelling alone.
func codecs(f *findings, variant *playlist.StreamInf, h *header) {
	listed := splitCodecs(variant.Codecs)
	for i := range h.movie.Tracks {
		t := &h.movie.Tracks[i]
		if t.Handler != "vide" && t.Handler != "soun" || strings.HasPrefix(t.Format, "enc") {
			continue
		}
		f.saw(Codecs)
		same := func(s string) bool { return s == t.Codec || t.Codec == t.Format && strings.HasPrefix(s, t.Format+".") }
		alike := func(s string) bool {
			return strings.EqualFold(s, t.Codec) || t.Codec == t.Format && strings.HasPrefix(strings.ToLower(s), strings.ToLower(t.Format)+".")
		}
		n := slices.IndexFunc(listed, alike)
		if n < 0 {
			f.add(Codecs, "CODECS %q of %q does not have %q", variant.Codecs, variant.URI, t.Codec)
			continue
		}
		f.saw(CodecSpelling)
		// RFC 6381 3.3: the hexadecimal digits of avc1 may be of either size.
		if !slices.ContainsFunc(listed, same) && (len(t.SPS) == 0 || f.profile == Strict) {
			f.add(CodecSpelling, "CODECS %q of %q has %q for %q", variant.Codecs, variant.URI, listed[n], t.Codec)
		}
	}
}

// channels: 4.4.6.1: CHANNELS begins with their number.
func channels(f *findings, m *playlist.Media, h *header) {
	count, _, _ := strings.Cut(m.Channels, "/")
	if have := h.track().Channels; m.Channels != "" && count != strconv.Itoa(have) {
		f.add(Channels, "audio rendition %q has CHANNELS %q, the init segment %d", m.Name, m.Channels, have)
	}
}

func picture(f *findings, variant *playlist.StreamInf, h *header) {
	if h.track().Handler != "vide" {
		return
	}
	f.saw(FrameRate)
	if variant.FrameRate == 0 {
		f.add(FrameRate, "no FRAME-RATE for %q", variant.URI)
	}
	if len(h.info) == 0 {
		return
	}
	f.saw(Resolution)
	if want := (playlist.Resolution{Width: h.info[0].Width, Height: h.info[0].Height}); variant.Resolution != want {
		f.add(Resolution, "RESOLUTION of %q is %v, the parameter set says %v", variant.URI, variant.Resolution, want)
	}
}

// measure raises the peak by what the bytes of one more segment show. 4.1: the peak segment bit rate is the largest of
// any run of segments that lasts between half and one and a half target durations.
func (c *Checker) measure(msn int64) {
	target := time.Duration(c.last.TargetDuration) * time.Second
	most := target * 3 / 2
	var size int
	var total time.Duration
	for first := msn; c.holds(first); first-- {
		size += c.segments[first].whole.size
		if total += c.segments[first].tag.Duration; total > most {
			return
		}
		runSize, runTotal := size, total
		for last := msn + 1; runTotal <= most; last++ {
			if runTotal >= target/2 {
				c.peak = max(c.peak, float64(runSize*8)/runTotal.Seconds())
			}
			if !c.holds(last) {
				break
			}
			runSize += c.segments[last].whole.size
			runTotal += c.segments[last].tag.Duration
		}
	}
}

// holds reports whether a segment's bytes are known.
func (c *Checker) holds(msn int64) bool {
	s := c.segments[msn]
	return s != nil && s.whole.have
}
