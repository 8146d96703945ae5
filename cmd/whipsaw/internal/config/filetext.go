package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The functions here turn what the YAML library and a reader's typing errors give into sentences with lines.

// lineOf finds the line in a message of the YAML library.
var lineOf = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(?s:(.*))$`)

// aliasOf finds the name in the one message that needs its line looked up.
var aliasOf = regexp.MustCompile(`unknown anchor '([^']*)' referenced`)

// syntax notes an error of the YAML library.
func (d *document) syntax(err error, text []byte) {
	m := lineOf.FindStringSubmatch(err.Error())
	line, _ := strconv.Atoi(m[1]) // 0 where there is none
	says := m[2]
	if a := aliasOf.FindStringSubmatch(says); a != nil && line == 0 {
		if at := bytes.Index(text, []byte("*"+a[1])); at >= 0 {
			line = 1 + bytes.Count(text[:at], []byte("\n"))
		}
		says = "* (an alias) is not taken: put the value in quotes if it begins with one"
	}
	if line == 0 {
		line = controlLine(text)
	}
	d.fault(line, "", "this is not YAML: %s; a file of settings has lines like \"listen: :8080\"", clean(says))
}

// clean keeps what a stranger may have written from leaving the line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, s)
}

// shortened is a key for a message.
func shortened(key string) string {
	const most = 40
	if r := []rune(key); len(r) > most {
		key = string(r[:most]) + "..."
	}
	if key == "" {
		return `""`
	}
	return clean(key)
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(text []byte) int {
	line := 1
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			return line
		}
		if r == '\n' {
			line++
		}
		text = text[n:]
	}
	return line
}

// controlLine is the line of the first character that YAML does not allow, or 1.
func controlLine(text []byte) int {
	at := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
	return 1 + bytes.Count(text[:max(at, 0)], []byte("\n"))
}

// nearest proposes the setting that was probably meant; empty if none is like it.
func nearest(known []Setting, key string) string {
	best, least := "", min(4, len(key)/2+1)
	if len(key) > 64 {
		return ""
	}
	for _, s := range known {
		if n := distance(strings.ToLower(key), s.Name); n < least {
			best, least = s.Name, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("%s is; ", best)
}

// distance is how many letters have to be put in, taken out or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return row[len(b)]
}
