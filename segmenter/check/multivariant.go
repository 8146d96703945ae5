package check

import (
	"maps"
	"slices"
	"strings"

	"whipsaw/segmenter/playlist"
)

// Index follows the multivariant playlist of one generation. It is not safe for concurrent use.
type Index struct {
	ledger
	uris   map[string]bool // that the versions before listed
	cannot error
}

// NewIndex returns an Index of the rules of a profile.
func NewIndex(p Profile) *Index { return &Index{ledger: newLedger(p)} }

// Multivariant checks a multivariant playlist against the renditions, keyed by their URIs in it.
func Multivariant(body []byte, renditions map[string]*Checker) []Violation {
	return NewIndex(Strict).Playlist(body, renditions)
}

// Cannot says why the newest version, though it may be legal, could not be checked; nil if it was.
func (x *Index) Cannot() error { return x.cannot }

// Playlist takes a version of the multivariant playlist, with what is known by now of the renditions, keyed by their URIs
// in it. Renditions that nobody follows may be left out.
func (x *Index) Playlist(body []byte, renditions map[string]*Checker) []Violation {
	f := x.open()
	f.saw(Syntax)
	p, err := playlist.ParseMultivariant(body)
	if x.cannot = nil; err != nil && x.unsupported(err) {
		x.cannot = err
		return nil
	}
	if err != nil {
		f.add(Syntax, "%v", err)
		return f.list
	}
	f.saw(StreamInf)
	if len(p.StreamInfs) == 0 {
		f.add(StreamInf, "no variant")
	}
	used := map[string]bool{}
	for i := range p.StreamInfs {
		variant := &p.StreamInfs[i]
		used[variant.URI] = true
		group := audioGroup(f, &p, variant)
		for _, m := range group {
			used[m.URI] = true
		}
		captions(f, &p.StreamInfs[0], variant)
		variantTruth(f, variant, group, renditions)
	}
	for _, uri := range slices.Sorted(maps.Keys(renditions)) {
		if !used[uri] {
			f.add(StreamInf, "%q is in no variant", uri)
		}
	}
	x.constant(f, &p)
	return f.list
}

// constant checks that nothing that was listed is gone.
func (x *Index) constant(f *findings, p *playlist.MultivariantPlaylist) {
	listed := map[string]bool{}
	for i := range p.StreamInfs {
		listed[p.StreamInfs[i].URI] = true
	}
	for i := range p.Media {
		if p.Media[i].URI != "" {
			listed[p.Media[i].URI] = true
		}
	}
	for _, uri := range slices.Sorted(maps.Keys(x.uris)) {
		f.saw(IndexConstant)
		if !listed[uri] {
			f.add(IndexConstant, "%q is listed no more", uri)
		}
	}
	x.uris = listed
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
	f.saw(StreamInf)
	if len(group) == 0 {
		f.add(StreamInf, "no EXT-X-MEDIA of audio group %q", variant.Audio)
		return nil
	}
	names, defaults := map[string]bool{}, 0
	for _, m := range group {
		f.saw(MediaTag)
		if m.Name == "" || names[m.Name] {
			f.add(MediaTag, "audio rendition %q has no name of its own: %q", m.URI, m.Name)
		}
		names[m.Name] = true
		if m.Default {
			defaults++
		}
		f.saw(Channels)
		if m.Channels == "" {
			f.add(Channels, "audio rendition %q without CHANNELS", m.Name)
		}
		if m.Default && !m.Autoselect && f.profile == Strict {
			f.add(MediaTag, "audio rendition %q is DEFAULT, but not AUTOSELECT", m.Name)
		}
	}
	if defaults > 1 {
		f.add(MediaTag, "%d default renditions in audio group %q", defaults, variant.Audio)
	}
	return group
}

// captions: 4.4.6.2: CLOSED-CAPTIONS=NONE stands on all variants or none.
func captions(f *findings, first, variant *playlist.StreamInf) {
	f.saw(ClosedCaptions)
	none := variant.ClosedCaptions == playlist.NoClosedCaptions
	if none != (first.ClosedCaptions == playlist.NoClosedCaptions) {
		f.add(ClosedCaptions, "CLOSED-CAPTIONS=NONE is on some variants and not on others")
	}
}

// splitCodecs takes a CODECS attribute apart.
func splitCodecs(codecs string) []string {
	list := strings.Split(codecs, ",")
	for i := range list {
		list[i] = strings.Trim(list[i], " ")
	}
	return list
}
