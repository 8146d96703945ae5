package playlist

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attributes reads the attribute list of one tag (4.2). Its methods take what they know; the first error stays.
type attributes struct {
	tag  string
	list []attribute
	err  error
}

type attribute struct {
	name, value string
	quoted      bool
}

// maxAttributes bounds one list.
const maxAttributes = 64

func parseAttributes(tag, text string) *attributes {
	a := &attributes{tag: tag}
	for rest := text; a.err == nil; {
		var next attribute
		next, rest = a.cut(rest)
		if a.err != nil {
			break
		}
		if len(a.list) == maxAttributes {
			a.fail("more than %d attributes", maxAttributes)
		}
		// 4.2: no name more than once.
		if a.find(next.name) != nil {
			a.fail("%s stands twice", next.name)
		}
		a.list = append(a.list, next)
		if rest == "" {
			break
		}
		rest = rest[1:] // the comma, see cut
	}
	return a
}

// cut takes one NAME=value from the front; what is left is empty or begins with a comma.
func (a *attributes) cut(text string) (attribute, string) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		a.fail("no NAME=value at %q", clip(text))
		return attribute{}, ""
	}
	if strings.HasPrefix(rest, `"`) {
		value, after, ok := strings.Cut(rest[1:], `"`)
		if !ok || after != "" && after[0] != ',' {
			a.fail("%s: the quotes do not end well", name)
		}
		return attribute{name, value, true}, after
	}
	value, after := rest, ""
	if i := strings.IndexByte(rest, ','); i >= 0 {
		value, after = rest[:i], rest[i:]
	}
	// 4.2: no white space around values, no quotes within.
	if value == "" || strings.ContainsAny(value, " \"") {
		a.fail("%s has no good value", name)
	}
	return attribute{name, value, false}, after
}

// clip keeps error messages short.
func clip(s string) string {
	return s[:min(len(s), 40)]
}

func (a *attributes) fail(format string, args ...any) {
	if a.err == nil {
		a.err = syntaxError(a.tag+": "+format, args...)
	}
}

func (a *attributes) find(name string) *attribute {
	i := slices.IndexFunc(a.list, func(x attribute) bool { return x.name == name })
	if i < 0 {
		return nil
	}
	return &a.list[i]
}

// require notes which attributes a tag cannot be without.
func (a *attributes) require(names ...string) {
	for _, name := range names {
		if x := a.find(name); x == nil || x.value == "" {
			a.fail("%s is missing or empty", name)
		}
	}
}

// refuse notes which attributes would have to be understood.
func (a *attributes) refuse(names ...string) {
	for _, name := range names {
		if a.err == nil && a.find(name) != nil {
			a.err = unsupportedError(a.tag + " with " + name)
		}
	}
}

func (a *attributes) quoted(name string) string {
	x := a.find(name)
	if x == nil {
		return ""
	}
	if !x.quoted {
		a.fail("%s has no quotes", name)
	}
	return x.value
}

func (a *attributes) word(name string) string {
	x := a.find(name)
	if x == nil {
		return ""
	}
	if x.quoted {
		a.fail("%s has quotes", name)
	}
	return x.value
}

func (a *attributes) yes(name string) bool {
	switch a.word(name) {
	case "YES":
		return true
	case "NO", "":
	default:
		a.fail("%s is neither YES nor NO", name)
	}
	return false
}

func (a *attributes) number(name string, most int64) int64 {
	word := a.word(name)
	if word == "" {
		return 0
	}
	n, ok := parseNumber(word, most)
	if !ok {
		a.fail("%s is not a number up to %d", name, most)
	}
	return n
}

func (a *attributes) seconds(name string) time.Duration {
	word := a.word(name)
	if word == "" {
		return 0
	}
	d, ok := parseSeconds(word)
	if !ok {
		a.fail("%s is not a number of seconds", name)
	}
	return d
}

// signedSeconds reads a signed-decimal-floating-point (4.2).
func (a *attributes) signedSeconds(name string) time.Duration {
	word, negative := strings.CutPrefix(a.word(name), "-")
	d, ok := parseSeconds(word)
	if !ok {
		a.fail("%s is not a number of seconds", name)
	}
	if negative {
		return -d
	}
	return d
}

// float reads a decimal-floating-point (4.2): digits with at most one point.
func (a *attributes) float(name string) float64 {
	word := a.word(name)
	if word == "" {
		return 0
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil || strings.Trim(word, "0123456789.") != "" || f > math.MaxInt32 {
		a.fail("%s is not a decimal number", name)
	}
	return f
}

func (a *attributes) resolution(name string) Resolution {
	word := a.word(name)
	if word == "" {
		return Resolution{}
	}
	width, height, ok := strings.Cut(word, "x")
	w, okW := parseNumber(width, math.MaxInt32)
	h, okH := parseNumber(height, math.MaxInt32)
	if !ok || !okW || !okH {
		a.fail("%s is not WIDTHxHEIGHT", name)
	}
	return Resolution{Width: int(w), Height: int(h)}
}

// parseNumber reads a decimal-integer (4.2).
func parseNumber(s string, most int64) (int64, bool) {
	if s == "" || len(s) > 20 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > most {
		return 0, false
	}
	return n, true
}

// maxSeconds keeps sums of durations far from overflow.
const maxSeconds = 1_000_000

// parseSeconds reads a decimal-floating-point or decimal-integer exactly, to the nearest microsecond.
func parseSeconds(s string) (time.Duration, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	n, ok := parseNumber(whole, maxSeconds)
	if !ok || point && fraction == "" || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	d := time.Duration(n) * time.Second
	unit := time.Second
	for i := 0; i < min(len(fraction), 6); i++ {
		unit /= 10
		d += time.Duration(fraction[i]-'0') * unit
	}
	if len(fraction) > 6 && fraction[6] >= '5' {
		d += time.Microsecond
	}
	return d, true
}
