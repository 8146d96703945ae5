package playlist

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What every parse error wraps, next to the number of its line.
var (
	ErrSyntax      = errors.New("playlist: bad syntax")  // it breaks a rule of the draft
	ErrUnsupported = errors.New("playlist: unsupported") // legal, but media could not be read rightly without knowing it
	ErrTooLarge    = errors.New("playlist: too large")   // over a bound
)

// Bounds of what is read.
const (
	maxBytes = 8 << 20
	maxLine  = 8 << 10
	maxLines = 200_000
)

// scan calls line for every line that is neither empty nor a comment: tags as name and value, URIs with an empty name.
func scan(b []byte, line func(name, value string) error) error {
	if len(b) > maxBytes {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(b), maxBytes)
	}
	rest := string(b)
	for number := 1; rest != ""; number++ {
		var text string
		text, rest, _ = strings.Cut(rest, "\n")
		if err := scanLine(number, strings.TrimSuffix(text, "\r"), line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if len(b) == 0 {
		return syntaxError("no #EXTM3U")
	}
	return nil
}

func scanLine(number int, text string, line func(name, value string) error) error {
	switch {
	case number > maxLines:
		return fmt.Errorf("%w: more than %d lines", ErrTooLarge, maxLines)
	case len(text) > maxLine:
		return fmt.Errorf("%w: a line of %d bytes, at most %d", ErrTooLarge, len(text), maxLine)
	case number == 1 && text != "#EXTM3U":
		// 4.1: no byte order mark. 4.4.1.1: the first line is EXTM3U.
		return syntaxError("the first line is not #EXTM3U")
	case number == 1 || text == "":
		return nil
	case !validText(text):
		// 4.1: UTF-8, no control characters.
		return syntaxError("not UTF-8, or with control characters")
	case strings.HasPrefix(text, "#EXT"):
		name, value, hasValue := strings.Cut(text, ":")
		if hasValue && value == "" {
			return syntaxError("%s has an empty value", name)
		}
		return line(name, value)
	case text[0] == '#':
		return nil
	default:
		return line("", text)
	}
}

// validText holds the characters of a line to 4.1.
func validText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r <= 0x9f {
			return false
		}
	}
	return true
}

func syntaxError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSyntax, fmt.Sprintf(format, args...))
}

// flag reads a tag that has no value.
func flag(name, value string, to *bool) error {
	if value != "" {
		return syntaxError("%s has a value", name)
	}
	*to = true
	return nil
}

// unsupportedTags change how media is to be read, so that a reader who ignored them would be wrong.
var unsupportedTags = map[string]bool{
	"#EXT-X-BYTERANGE": true, "#EXT-X-KEY": true, "#EXT-X-DEFINE": true, "#EXT-X-I-FRAMES-ONLY": true, "#EXT-X-SESSION-KEY": true,
}
