package config

import (
	"fmt"
	"os"
	"slices"
)

// Reload reads the settings as Load does, for a server that runs. The file has to be a regular one: of a pipe that was
// read before there would be nothing left, and no settings at all would look like the wish for none.
func Reload(args []string, env Lookup) (Loaded, error) {
	defs := ServeSettings(new(Serve))
	flagged, _, err := flags(defs, args)
	if err != nil {
		return Loaded{}, err
	}
	if path := defs[0].choose(flagged, env, nil).Given; path != nil && path[0] != "" {
		if info, err := os.Stat(path[0]); err == nil && !info.Mode().IsRegular() {
			return Loaded{}, Faults{fault{file: path[0], says: "this is no regular file, so that it cannot be read again; restart the server"}}
		}
	}
	return Load(args, env)
}

// Adopt returns c with all that can change while a server runs as next has it. It is an error if that does not go together
// with the rest of c.
func (c Serve) Adopt(next Serve) (Serve, error) {
	open := c.OpenPublish
	c.Access = next.Access
	c.OpenPublish = open
	if c.TLSCert != "" && next.TLSCert != "" {
		c.TLSCert, c.TLSKey = next.TLSCert, next.TLSKey
	}
	c.Origins = next.Origins
	c.Segmenter.StreamConfig, c.Rules, c.Streams = next.Segmenter.StreamConfig, next.Rules, next.Streams
	c.WarnBitrate, c.LogLevel = next.WarnBitrate, next.LogLevel
	c.APIToken, c.APIReadToken = next.APIToken, next.APIReadToken
	return c, faultsOf(c.check())
}

// Compare names what differs: changed has those that can change while a server runs, compared with what it goes by, and
// restart the others, compared with what it was started with. Names tell no secrets.
func Compare(begun, last, next Loaded) (changed, restart []string) {
	sameKind := (begun.TLSCert == "") == (next.TLSCert == "")
	for i, v := range next.Values {
		can := v.Reload && (sameKind || v.Name != "tls-cert" && v.Name != "tls-key")
		switch {
		case can && !slices.Equal(v.Given, last.Values[i].Given):
			changed = append(changed, v.Name)
		case !can && !slices.Equal(v.Given, begun.Values[i].Given):
			restart = append(restart, v.Name)
		}
	}
	return append(changed, changedSections(last.Sections, next.Sections)...), restart
}

// changedSections names the sections that came, went or have something else in them.
func changedSections(last, next []SectionValues) (names []string) {
	find := func(list []SectionValues, pattern string) int {
		return slices.IndexFunc(list, func(s SectionValues) bool { return s.Pattern == pattern })
	}
	for i, s := range next {
		at := find(last, s.Pattern)
		if at < 0 || !s.same(last[at]) || isPattern(s.Pattern) == 1 && at != i { // of patterns the first counts
			names = append(names, fmt.Sprintf("%s.%s", streamsKey, s.Pattern))
		}
	}
	for _, s := range last {
		if find(next, s.Pattern) < 0 {
			names = append(names, fmt.Sprintf("%s.%s", streamsKey, s.Pattern))
		}
	}
	return names
}

func (s SectionValues) same(o SectionValues) bool {
	return slices.EqualFunc(s.Values, o.Values, func(a, b Value) bool { return a.Name == b.Name && slices.Equal(a.Given, b.Given) })
}
