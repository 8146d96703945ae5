package manual

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"whipsaw/static"
)

// page lays out one text: headings at the margin, everything else indented and broken at the terminal's width. It knows
// the Markdown that the texts use, which a test of them holds: headings, paragraphs, lists, tables, fenced code.
type page struct {
	width int
	style Style
	out   strings.Builder
}

const (
	margin    = 2
	narrowest = 40
	widest    = 96 // longer lines are hard to read
)

func newPage(s Style) *page {
	return &page{width: min(max(s.Width, narrowest), widest), style: s}
}

// topic returns a whole topic.
func (p *page) topic(t static.Topic) string {
	p.heading(t.Title)
	p.wrap(t.Lead, margin, margin)
	p.out.WriteString("\n")
	lines := strings.Split(strings.TrimRight(t.Text, "\n"), "\n")
	for len(lines) > 0 {
		lines = lines[p.block(lines):]
	}
	p.out.WriteString("\nThe same as a page: /docs/" + t.Name + " of a running server. Other topics: whipsaw help\n")
	return p.out.String()
}

var item = regexp.MustCompile(`^( *)(- |\d+\. )(.*)$`)

// block writes what the first lines are and returns how many these were.
func (p *page) block(lines []string) int {
	line := lines[0]
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "":
		p.out.WriteString("\n")
		return 1
	case strings.HasPrefix(line, "#"):
		p.heading(strings.TrimLeft(line, "# "))
		return 1
	case strings.HasPrefix(trimmed, "```"):
		return p.code(lines)
	case strings.HasPrefix(line, "|"):
		return p.table(lines)
	}
	n := 1
	for n < len(lines) && continues(lines[n]) {
		n++
	}
	text := strings.Join(lines[:n], " ")
	if m := item.FindStringSubmatch(text); m != nil {
		first := margin + len(m[1])
		p.wrap(m[2]+m[3], first, first+len(m[2]))
		return n
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	p.wrap(text, margin+indent, margin+indent)
	return n
}

// continues reports whether a line belongs to the paragraph or item before it.
func continues(line string) bool {
	t := strings.TrimSpace(line)
	return t != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(t, "```") && !strings.HasPrefix(line, "|") && !item.MatchString(line)
}

func (p *page) heading(text string) { p.out.WriteString(p.paint(bold, p.inline(text)) + "\n") }

// code copies a fenced block, so that it can be taken as it is.
func (p *page) code(lines []string) int {
	n := 1
	for n < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[n]), "```") {
		p.out.WriteString(strings.TrimRight(strings.Repeat(" ", 2*margin)+p.paint(cyan, lines[n]), " ") + "\n")
		n++
	}
	return min(n+1, len(lines))
}

// table writes each row as its first cell, and below that the others.
func (p *page) table(lines []string) int {
	n := 0
	var head []string
	for ; n < len(lines) && strings.HasPrefix(lines[n], "|"); n++ {
		row := cells(lines[n])
		switch {
		case n == 0:
			head = row
		case n > 1: // the second line is dashes
			p.row(head, row)
		}
	}
	return n
}

func (p *page) row(head, row []string) {
	p.out.WriteString(strings.Repeat(" ", margin) + p.paint(bold, p.inline(row[0])) + "\n")
	for i, cell := range row[1:] {
		if cell == "" {
			continue
		}
		if i+1 < len(head) && len(row) > 2 && head[i+1] != "" {
			cell = head[i+1] + ": " + cell
		}
		p.wrap(cell, 3*margin, 3*margin)
	}
}

// cells splits a row of a table; \| stands for a bar.
func cells(line string) []string {
	const bar = "\x00"
	line = strings.Trim(strings.ReplaceAll(strings.TrimSpace(line), `\|`, bar), "|")
	list := strings.Split(line, "|")
	for i := range list {
		list[i] = strings.ReplaceAll(strings.TrimSpace(list[i]), bar, "|")
	}
	return list
}

// wrap writes words into lines; the first and the others have their own indentation.
func (p *page) wrap(text string, first, others int) {
	line, indent, empty := strings.Repeat(" ", first), first, true
	for _, word := range strings.Fields(p.inline(text)) {
		if !empty && width(line)+1+width(word) > p.width {
			p.out.WriteString(line + "\n")
			line, indent, empty = strings.Repeat(" ", others), others, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	if width(line) > indent {
		p.out.WriteString(line + "\n")
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// width is how many columns a text takes.
func width(s string) int { return utf8.RuneCountInString(escapes.ReplaceAllString(s, "")) }
