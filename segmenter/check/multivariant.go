package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"whipsaw/fmp4"
	"whipsaw/segmenter/playlist"
)

// Multivariant checks a multivariant playlist against the renditions, keyed by their URIs in it.
func Multivariant(body []byte, renditions map[string]*Checker) []Violation {
	var f findings
	p, err := playlist.ParseMultivariant(body)
	if err != nil {
		f.add(ruleSyntax, "%v", err)
		return f
	}
	if len(p.StreamInfs) == 0 {
		f.add(ruleStreamInf, "no variant")
	}
	used := map[string]bool{}
	for i := range p.StreamInfs {
		variant := &p.StreamInfs[i]
		used[variant.URI] = true
		group := audioGroup(&f, &p, variant)
		for _, m := range group {
			used[m.URI] = true
		}
		captions(&f, &p.StreamInfs[0], variant)
		variantTruth(&f, variant, group, renditions)
	}
	for _, uri := range slices.Sorted(maps.Keys(renditions)) {
		if !used[uri] {
			f.add(ruleStreamInf, "%q is in no variant", uri)
		}
	}
	return f
}

// audioGroup returns the renditions of a variant's AUDIO group.
func audioGroup(f *findings, p *playlist.MultivariantPlaylist, variant *playlist.StreamInf) []playlist.Media {
	if variant.Audio == "" {
		return nil
	}
	var group []playlist.Media
	for _, m := range p.Media {
		if m.Type == playlist.TypeAudio && m.GroupID == variant.Audio {
			group = append(group, m)
		}
	}
	// 4.4.6.2: the group exists; 4.4.6.1.1: its members have different names, and one default at most.
	if len(group) == 0 {
		f.add(ruleStreamInf, "no EXT-X-MEDIA of audio group %q", variant.Audio)
	}
	names, defaults := map[string]bool{}, 0
	for _, m := range group {
		if m.Name == "" || names[m.Name] {
			f.add(ruleMedia, "audio rendition %q has no name of its own: %q", m.URI, m.Name)
		}
		names[m.Name] = true
		if m.Default {
			defaults++
		}
		if m.Default && !m.Autoselect {
			f.add(ruleMedia, "audio rendition %q is DEFAULT, but not AUTOSELECT", m.Name)
		}
		if m.Channels == "" {
			f.add(ruleMedia, "audio rendition %q without CHANNELS", m.Name)
		}
	}
	if defaults > 1 {
		f.add(ruleMedia, "%d default renditions in audio group %q", defaults, variant.Audio)
	}
	return group
}

// captions: 4.4.6.2: CLOSED-CAPTIONS=NONE stands on all variants or none.
func captions(f *findings, first, variant *playlist.StreamInf) {
	none := variant.ClosedCaptions == playlist.NoClosedCaptions
	if none != (first.ClosedCaptions == playlist.NoClosedCaptions) {
		f.add(ruleStreamInf, "CLOSED-CAPTIONS=NONE is on some variants and not on others")
	}
}

// variantTruth checks one variant against the init segments and the measured bit rates.
func variantTruth(f *findings, variant *playlist.StreamInf, group []playlist.Media, renditions map[string]*Checker) {
	listed := strings.Split(variant.Codecs, ",")
	peak := 0.0
	if c := renditions[variant.URI]; c != nil {
		peak = c.peak
		if init := c.newestInit(); init != nil {
			codec(f, variant, listed, init.Name)
			picture(f, variant, init)
		}
	}
	loudest := 0.0
	for _, m := range group {
		c := renditions[m.URI]
		if c == nil {
			continue
		}
		loudest = max(loudest, c.peak)
		if init := c.newestInit(); init != nil {
			codec(f, variant, listed, init.Name)
			if m.Channels != strconv.Itoa(init.Channels) {
				f.add(ruleMedia, "audio rendition %q has CHANNELS %q, the init segment %d", m.Name, m.Channels, init.Channels)
			}
		}
	}
	// 4.4.6.2: BANDWIDTH is the largest sum of peak segment bit rates of any playable combination.
	if peak += loudest; float64(variant.Bandwidth) < peak {
		f.add(ruleStreamInf, "BANDWIDTH %d of %q, measured %.0f", variant.Bandwidth, variant.URI, peak)
	}
	if variant.AverageBandwidth == 0 || variant.AverageBandwidth > variant.Bandwidth {
		f.add(ruleStreamInf, "AVERAGE-BANDWIDTH %d of %q with BANDWIDTH %d", variant.AverageBandwidth, variant.URI, variant.Bandwidth)
	}
}

func codec(f *findings, variant *playlist.StreamInf, listed []string, name string) {
	// 4.4.6.2: CODECS has every format of the variant; Safari knows "Opus" by this spelling alone.
	if !slices.Contains(listed, name) {
		f.add(ruleStreamInf, "CODECS %q of %q does not have %q", variant.Codecs, variant.URI, name)
	}
}

func picture(f *findings, variant *playlist.StreamInf, init *fmp4.Init) {
	if init.Name == "Opus" {
		return
	}
	if variant.FrameRate == 0 {
		f.add(ruleStreamInf, "no FRAME-RATE for %q", variant.URI)
	}
	info, err := fmp4.ParseSPS(init.SPS[0])
	if err != nil {
		return // said when the init segment was read
	}
	if want := (playlist.Resolution{Width: info.Width, Height: info.Height}); variant.Resolution != want {
		f.add(ruleStreamInf, "RESOLUTION of %q is %v, the parameter set says %v", variant.URI, variant.Resolution, want)
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

// newestInit is the init segment of the newest closed segment, nil if it is not known. A multivariant playlist need not
// know of a change before a segment of it is whole.
func (c *Checker) newestInit() *fmp4.Init {
	if c.last == nil {
		return nil
	}
	uri := ""
	for i := range c.last.Segments {
		s := &c.last.Segments[i]
		if s.Map == nil {
			continue
		}
		if s.Open() && c.inits[s.Map.URI] != c.inits[uri] {
			return nil // it is just changing: either may be announced
		}
		uri = s.Map.URI
	}
	return c.inits[uri]
}
