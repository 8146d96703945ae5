package manual

import (
	"regexp"
	"strings"
)

// What a terminal can do with a text (ECMA-48 8.3.117).
const (
	bold = "\x1b[1m"
	cyan = "\x1b[36m"
	off  = "\x1b[0m"
)

// paint puts a text between escapes, where the terminal understands them.
func (p *page) paint(how, text string) string {
	if !p.style.Colour || text == "" {
		return text
	}
	return how + text + off
}

var (
	span     = regexp.MustCompile("`[^`]+`")
	strong   = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	emphasis = regexp.MustCompile(`(^|\W)\*([^*\s][^*]*)\*`)
	topicRef = regexp.MustCompile(`\[([^\]]+)\]\(([a-z]+)\.md(?:#[^)]*)?\)`)
	otherRef = regexp.MustCompile(`\[([^\]]+)\]\((https://[^)]+)\)`)
	hereRef  = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
	address  = regexp.MustCompile(`<(https?://[^>]+)>`)
)

// inline takes the marks out of a text. What stands between backquotes stays as it is.
func (p *page) inline(text string) string {
	var b strings.Builder
	at := 0
	for _, code := range span.FindAllStringIndex(text, -1) {
		b.WriteString(p.plain(text[at:code[0]]))
		b.WriteString(p.paint(cyan, text[code[0]+1:code[1]-1]))
		at = code[1]
	}
	b.WriteString(p.plain(text[at:]))
	return b.String()
}

// plain does so for what has no code in it.
func (p *page) plain(text string) string {
	text = topicRef.ReplaceAllString(text, "$1 (whipsaw help $2)")
	text = otherRef.ReplaceAllString(text, "$1 ($2)")
	text = hereRef.ReplaceAllString(text, "$1")
	text = address.ReplaceAllString(text, "$1")
	text = strong.ReplaceAllString(text, p.paint(bold, "$1"))
	return emphasis.ReplaceAllString(text, "$1$2")
}
