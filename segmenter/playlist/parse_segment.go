package playlist

import "strings"

// The tags of one segment; each stands at most once before it, parts excepted.

// beforeParts refuses a tag that comes twice or after a part of its segment.
func (m *mediaParser) beforeParts(name string, twice bool) error {
	switch {
	case twice:
		return syntaxError("%s stands twice before a segment", name)
	case len(m.next.Parts) > 0:
		// 4.4.4.9: it applies to the first part too.
		return syntaxError("%s after a part of its segment", name)
	}
	m.tags = true
	return nil
}

func (m *mediaParser) discontinuity(name, value string) error {
	twice := m.next.Discontinuity
	if err := flag(name, value, &m.next.Discontinuity); err != nil {
		return err
	}
	return m.beforeParts(name, twice)
}

func (m *mediaParser) mapTag(name, value string) error {
	a := parseAttributes(name, value)
	a.require("URI")
	a.refuse("BYTERANGE")
	twice := m.next.Map != nil
	m.next.Map = &Map{URI: a.quoted("URI")}
	if a.err != nil {
		return a.err
	}
	return m.beforeParts(name, twice)
}

func (m *mediaParser) programDateTime(name, value string) error {
	t, err := parseTime(value)
	if err != nil {
		return err
	}
	twice := !m.next.ProgramDateTime.IsZero()
	m.next.ProgramDateTime = t
	return m.beforeParts(name, twice)
}

func (m *mediaParser) part(name, value string) error {
	if m.inf {
		return syntaxError("%s between EXTINF and its segment", name)
	}
	a := parseAttributes(name, value)
	a.require("URI", "DURATION")
	a.refuse("BYTERANGE")
	m.next.Parts = append(m.next.Parts, Part{
		URI:         a.quoted("URI"),
		Duration:    a.seconds("DURATION"),
		Independent: a.yes("INDEPENDENT"),
		Gap:         a.yes("GAP"),
	})
	m.tags, m.hasPart = true, true
	return a.err
}

func (m *mediaParser) gap(name, value string) error {
	if m.next.Gap {
		return syntaxError("%s stands twice before a segment", name)
	}
	m.tags = true
	return flag(name, value, &m.next.Gap)
}

func (m *mediaParser) extinf(name, value string) error {
	if m.inf {
		return syntaxError("%s stands twice before a segment", name)
	}
	// 4.4.4.1: a duration, a comma, an optional title.
	seconds, _, comma := strings.Cut(value, ",")
	d, ok := parseSeconds(seconds)
	if !ok || !comma {
		return syntaxError("%s is not seconds and a comma", name)
	}
	m.next.Duration, m.inf, m.tags = d, true, true
	return nil
}
