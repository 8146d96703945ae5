package access

import "strings"

// maxPattern bounds a pattern in bytes: a name has 64 at most.
const maxPattern = 128

// ValidPattern reports whether s is a stream's name in which * may stand for any number of any characters.
func ValidPattern(s string) bool {
	return s != "" && len(s) <= maxPattern && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-*", r)
	})
}

// Match reports whether a name fits a pattern. It takes time in proportion to both.
func Match(pattern, name string) bool {
	first, rest, any := strings.Cut(pattern, "*")
	if !any {
		return pattern == name
	}
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for {
		piece, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, piece)
		}
		at := strings.Index(name, piece)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(piece):], after
	}
}

// grant is what somebody may do: patterns of streams.
type grant struct {
	publish, watch []string
	tokens         []Token
}

// may reports whether it has a right to a stream.
func (g grant) may(right Right, stream string) bool {
	// Who may publish a stream decides what is to be seen there: keeping them from watching would protect nothing.
	for _, t := range g.tokens {
		if (t.Right == Publish || right == Watch) && t.covers(stream) {
			return true
		}
	}
	return anyMatch(g.publish, stream) || right == Watch && anyMatch(g.watch, stream)
}

func anyMatch(patterns []string, stream string) bool {
	for _, p := range patterns {
		if Match(p, stream) {
			return true
		}
	}
	return false
}
