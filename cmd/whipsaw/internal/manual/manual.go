// Package manual shows the documentation in a terminal: the texts that the server has as pages at /docs.
package manual

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/static"
)

// Style is what a terminal can show.
type Style struct {
	Width  int  // columns
	Colour bool // it understands ANSI escapes
}

// Write prints help for a name: a command's usage, a topic's text, or both where both exist; the empty name lists all
// there are. A name that is neither is an error that wraps config.ErrUsage and suggests others; the rest are the writer's.
func Write(w io.Writer, name string, s Style) error {
	if name == "" {
		return writeList(w)
	}
	topic := slices.IndexFunc(static.Topics(), func(t static.Topic) bool { return t.Name == name })
	if config.IsCommand(name) {
		if err := config.WriteHelp(w, name); err != nil || topic < 0 {
			return err
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	if topic < 0 {
		return fmt.Errorf("%w: %q is no command and no topic of help%s; whipsaw help lists them", config.ErrUsage, name, suggestion(name))
	}
	t := static.Topics()[topic]
	_, err := io.WriteString(w, newPage(s).topic(t))
	return err
}

// writeList prints the commands and the topics.
func writeList(w io.Writer) error {
	var b strings.Builder
	b.WriteString("whipsaw takes live video over WHIP and serves it as low-latency HLS.\n\ncommands (whipsaw help COMMAND; whipsaw --help has every flag of the server):\n")
	b.WriteString(config.CommandList())
	b.WriteString("\ntopics (whipsaw help TOPIC; the server has them as pages at /docs):\n")
	for _, t := range static.Topics() {
		fmt.Fprintf(&b, "  %-16s %s\n", t.Name, t.Title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// suggestion names what may have been meant, or is empty.
func suggestion(name string) string {
	const few = 3
	var near, inside []string
	names := config.CommandNames()
	for _, t := range static.Topics() {
		names = append(names, t.Name)
		if len(name) > 2 && strings.Contains(strings.ToLower(t.Title+t.Lead+t.Text), strings.ToLower(name)) {
			inside = append(inside, t.Name)
		}
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if distance(strings.ToLower(name), n) <= 1+len(n)/4 {
			near = append(near, n)
		}
	}
	switch {
	case len(near) > 0:
		return "; did you mean " + strings.Join(near[:min(len(near), few)], " or ") + "?"
	case len(inside) > 0:
		return "; topics that speak of it: " + strings.Join(inside[:min(len(inside), few)], ", ")
	}
	return ""
}

// distance is how many letters have to be put in, left out or exchanged to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, corner := i+1, i
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			here := min(row[j+1]+1, left+1, corner+cost)
			row[j], corner, left = left, row[j+1], here
		}
		row[len(b)] = left
	}
	return row[len(b)]
}
