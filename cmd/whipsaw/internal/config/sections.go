package config

import (
	"fmt"
	"slices"
	"strings"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Section is what the streams that fit a pattern have of their own. Whatever it does not set is as for all streams.
type Section struct {
	Pattern string
	segmenter.StreamConfig
	Rules         signaling.StreamRules
	PublishTokens []access.Token // give the right to publish them
	WatchTokens   []access.Token // give links to watch them
}

// Stream returns what holds for a stream: of the section that has its name, or else of the first whose pattern it fits,
// or else what holds for all. Sections are never mixed.
func (c Serve) Stream(name string) Section {
	for _, s := range c.Streams {
		if access.Match(s.Pattern, name) {
			return s
		}
	}
	return Section{StreamConfig: c.Segmenter.StreamConfig, Rules: c.Rules}
}

// sectionSettings are what a section may hold; what they are given goes to s.
func sectionSettings(s *Section) []Setting {
	var all segmenter.Config
	out := slices.DeleteFunc(streamSettings(&all, &s.Rules, new(string)), func(d Setting) bool { return !d.Stream })
	for i := range out {
		out[i].set = through(&all, &s.StreamConfig, out[i].set)
	}
	return append(out,
		Setting{Name: "publish-token", Value: "TOKEN", Repeat: true, Secret: true, Reload: true, set: sectionTokens(&s.PublishTokens, access.Publish)},
		Setting{Name: "watch-token", Value: "TOKEN", Repeat: true, Secret: true, Reload: true, set: sectionTokens(&s.WatchTokens, access.Watch)},
	)
}

// through lets a setting of all streams set that of one.
func through(all *segmenter.Config, own *segmenter.StreamConfig, set func([]string) error) func([]string) error {
	return func(v []string) error {
		all.StreamConfig = *own
		err := set(v)
		*own = all.StreamConfig
		return err
	}
}

// sectionTokens takes tokens, in clear or hashed; the section's pattern is theirs.
func sectionTokens(to *[]access.Token, right access.Right) func([]string) error {
	return func(v []string) error {
		*to = nil
		for _, shown := range v {
			var take Secret
			if err := secret(&take)([]string{shown}); err != nil {
				return err
			}
			t, err := access.NewToken(right, "*", shown)
			if err != nil {
				return err
			}
			*to = append(*to, t)
		}
		return nil
	}
}

// sections makes the sections of a file, those with a name before those with a pattern, and gives their tokens to those
// who look for them.
func (l *Loaded) sections(file *document) (faults []error) {
	sound := l.Segmenter.StreamConfig.Validate() == nil // or each section would tell of it again
	for _, s := range file.streams[:min(len(file.streams), maxSections)] {
		shown := SectionValues{Pattern: s.pattern, Origin: Origin{File: file.file, Line: s.line}}
		one := Section{Pattern: s.pattern, StreamConfig: l.Segmenter.StreamConfig, Rules: l.Rules}
		for _, d := range sectionSettings(&one) {
			if e, ok := s.entry(d.Name); ok {
				shown.Values = append(shown.Values, Value{d, e.values, Origin{File: file.file, Line: e.line}})
				if err := d.take(e.values); err != nil {
					faults = append(faults, s.fault(file.file, d.Name, err.Error()))
				}
			}
		}
		for _, err := range unwrapped(one.Validate()) {
			if !sound {
				break
			}
			says := strings.TrimPrefix(err.Error(), segmenter.ErrConfig.Error()+": ")
			name, _, _ := strings.Cut(says, " ")
			faults = append(faults, s.fault(file.file, name, says))
		}
		l.Streams, l.Sections = append(l.Streams, one), append(l.Sections, shown)
	}
	slices.SortStableFunc(l.Streams, func(a, b Section) int { return isPattern(a.Pattern) - isPattern(b.Pattern) })
	slices.SortStableFunc(l.Sections, func(a, b SectionValues) int { return isPattern(a.Pattern) - isPattern(b.Pattern) })
	var before []string
	for i := range l.Streams {
		s := &l.Streams[i]
		for _, list := range [][]access.Token{s.PublishTokens, s.WatchTokens} {
			for j := range list {
				list[j].Pattern, list[j].Except = s.Pattern, slices.Clip(before)
			}
		}
		l.StreamTokens = append(l.StreamTokens, s.PublishTokens...)
		l.WatchTokens = append(l.WatchTokens, s.WatchTokens...)
		before = append(before, s.Pattern)
	}
	return faults
}

func isPattern(s string) int { return min(strings.Count(s, "*"), 1) }

// entry returns what a section says of a setting.
func (s streamEntries) entry(name string) (entry, bool) {
	i := slices.IndexFunc(s.entries, func(e entry) bool { return e.key == name })
	if i < 0 {
		return entry{}, false
	}
	return s.entries[i], true
}

// fault is about a setting of the section, at its line or, where another is to blame, at that of the section.
func (s streamEntries) fault(file, name, says string) error {
	line := s.line
	if e, ok := s.entry(name); ok {
		line = e.line
	}
	return fault{file, line, fmt.Sprintf("%s.%s.%s", streamsKey, s.pattern, name), says}
}

func names(settings []Setting) string {
	var all []string
	for _, s := range settings {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}
