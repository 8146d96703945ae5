package signaling

import (
	"errors"
	"fmt"
	"strings"
)

// fragment is a body of type application/trickle-ice-sdpfrag (RFC 8840 9): what a PATCH brings and what the answer to an
// ICE restart is.
type fragment struct {
	session credentials // credentials before the first m-line; empty when each section has its own
	options string      // a=ice-options; empty: none
	lite    bool        // a=ice-lite
	media   []fragmentMedia
}

// fragmentMedia is one pseudo m-line with what belongs to it.
type fragmentMedia struct {
	line       string // after "m="
	mid        string
	own        credentials
	candidates []string // values of a=candidate, with the "candidate:" prefix, in the order of the fragment
	end        bool     // a=end-of-candidates
}

// errFragment is wrapped by all errors of parseFragment.
var errFragment = errors.New("not an SDP fragment")

const maxFragmentLines = 2000

// parseFragment reads a fragment. Lines may end with CR LF or LF; attributes that are not of ICE are passed over.
func parseFragment(body string) (*fragment, error) {
	f := &fragment{}
	lines := strings.Split(body, "\n")
	if len(lines) > maxFragmentLines {
		return nil, fmt.Errorf("%w: more than %d lines", errFragment, maxFragmentLines)
	}
	seen := 0
	for i, l := range lines {
		l = strings.TrimSuffix(l, "\r")
		if l == "" {
			continue
		}
		if len(l) < 2 || l[1] != '=' || l[0] < 'a' || l[0] > 'z' {
			return nil, fmt.Errorf("%w: line %d has no type", errFragment, i+1)
		}
		seen++
		switch l[0] {
		case 'm':
			f.media = append(f.media, fragmentMedia{line: l[2:]})
		case 'a':
			if err := f.attribute(l[2:]); err != nil {
				return nil, fmt.Errorf("%w (line %d)", err, i+1)
			}
		}
	}
	if seen == 0 {
		return nil, fmt.Errorf("%w: empty", errFragment)
	}
	return f, nil
}

// attribute takes one a-line into the session or into the section it stands in.
func (f *fragment) attribute(a string) error {
	key, value, _ := strings.Cut(a, ":")
	creds := &f.session
	var m *fragmentMedia
	if len(f.media) > 0 {
		m = &f.media[len(f.media)-1]
		creds = &m.own
	}
	switch key {
	case "ice-ufrag":
		creds.ufrag = value
	case "ice-pwd":
		creds.pwd = value
	case "ice-options":
		f.options = value
	case "ice-lite":
		f.lite = true
	case "mid", "candidate", "end-of-candidates":
		// RFC 8840 9: these belong to a pseudo m-line
		if m == nil {
			return fmt.Errorf("%w: a=%s before any m-line", errFragment, key)
		}
		switch key {
		case "mid":
			m.mid = value
		case "candidate":
			m.candidates = append(m.candidates, a)
		default:
			m.end = true
		}
	}
	return nil
}

// credentials returns the one pair of credentials in the fragment, empty when there is none. Two different pairs are an
// error: with BUNDLE there is one transport (RFC 9725 4.3.1). So is half a pair, or one that RFC 8839 5.4 forbids.
func (f *fragment) credentials() (credentials, error) {
	out := f.session
	for _, m := range f.media {
		switch {
		case m.own == credentials{} || m.own == out:
		case out == credentials{}:
			out = m.own
		default:
			return credentials{}, fmt.Errorf("%w: two sets of ICE credentials", errFragment)
		}
	}
	if (out != credentials{}) && !out.valid() {
		return credentials{}, fmt.Errorf("%w: ice-ufrag and ice-pwd must come together, of at least 4 and 22 characters", errFragment)
	}
	return out, nil
}

// candidates returns the candidates of all sections, in order.
func (f *fragment) candidates() []string {
	var out []string
	for _, m := range f.media {
		out = append(out, m.candidates...)
	}
	return out
}

// String writes the fragment as RFC 8840 9 orders it.
func (f *fragment) String() string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	creds := func(c credentials) {
		if c.ufrag != "" {
			line("a=ice-ufrag:", c.ufrag)
		}
		if c.pwd != "" {
			line("a=ice-pwd:", c.pwd)
		}
	}
	if f.lite {
		line("a=ice-lite")
	}
	if f.options != "" {
		line("a=ice-options:", f.options)
	}
	creds(f.session)
	for _, m := range f.media {
		line("m=", m.line)
		if m.mid != "" {
			line("a=mid:", m.mid)
		}
		creds(m.own)
		for _, c := range m.candidates {
			line("a=", c)
		}
		if m.end {
			line("a=end-of-candidates")
		}
	}
	return b.String()
}
