package config

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Print writes the settings as a file of settings that would give the same, but for secrets, which are not shown. Behind
// each value stands where it comes from.
func Print(w io.Writer, l Loaded) error {
	var b strings.Builder
	group := ""
	for _, v := range l.Values {
		if v.Group != group {
			group = v.Group
			b.WriteString(onlyIf(b.Len() > 0, "\n") + "# " + group + "\n")
		}
		// A file names no other.
		b.WriteString(v.line(onlyIf(v.Name == configName || v.Given == nil, "# ")))
	}
	if len(l.Sections) > 0 {
		b.WriteString("\n# Streams with settings of their own: the section with the name of a stream holds for it, or else the first whose pattern fits\n" + streamsKey + ":\n")
	}
	for _, s := range l.Sections {
		empty := onlyIf(len(s.Values) == 0, " {}")
		b.WriteString(padded("  "+scalar(s.Pattern)+":"+empty, s.Origin.String()))
		for _, v := range s.Values {
			b.WriteString(v.line("    "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line is a setting as it stands in a file.
func (v Value) line(before string) string {
	text, from := before+v.Name+":", v.Origin.String()
	if v.Given == nil {
		return padded(text, "not set")
	}
	return padded(text+" "+v.shown(), from)
}

// shown is the value in YAML, or what stands for it.
func (v Value) shown() string {
	var all []string
	for _, one := range v.Given {
		switch pattern, _, some := strings.Cut(one, "="); {
		case v.Secret && some && strings.HasPrefix(v.Value, "PATTERN="):
			one = scalar(pattern + "=" + shownHidden)
		case v.Secret && one != "":
			one = shownHidden
		default:
			one = scalar(one)
		}
		all = append(all, one)
	}
	if v.Repeat {
		return "[" + strings.Join(all, ", ") + "]"
	}
	return all[0]
}

// padded puts a comment behind a line.
func padded(line, comment string) string {
	const column = 44
	return line + strings.Repeat(" ", max(column-utf8.RuneCountInString(line), 1)) + "# " + clean(comment) + "\n"
}

// goodScalar is what means itself in YAML without quotes.
var goodScalar = regexp.MustCompile(`^[A-Za-z0-9/.:_][A-Za-z0-9/._:@%+=~-]*[A-Za-z0-9/._@%+=~-]$|^[A-Za-z0-9/._]$`)

// scalar is a value in YAML, in quotes where it needs them.
func scalar(s string) string {
	if goodScalar.MatchString(s) && !strings.EqualFold(s, "null") {
		return s
	}
	quoted, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle})
	if err != nil { // text always can be written
		return fmt.Sprintf("%q", s)
	}
	return strings.TrimSuffix(string(quoted), "\n")
}
