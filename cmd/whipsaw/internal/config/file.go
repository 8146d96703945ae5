package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file of settings in bytes.
const maxFile = 1 << 20

// ErrFile is wrapped by errors of a file of settings that cannot be read at all.
var ErrFile = errors.New("cannot be read")

// fault is one thing that is wrong in a file of settings. It wraps ErrUsage.
type fault struct {
	file string
	line int    // 0: of no line
	key  string // empty: of no setting
	says string // what is wrong, and what is allowed
}

func (f fault) Error() string {
	at := f.file
	if f.line > 0 {
		at = fmt.Sprintf("%s:%d", f.file, f.line)
	}
	if f.key != "" {
		at += ": " + f.key
	}
	return at + ": " + f.says
}

func (f fault) Unwrap() error { return ErrUsage }

// entry is what a file says of one setting.
type entry struct {
	key    string
	line   int
	values []string
}

// document is a file of settings taken apart: what is set for all streams and for some. Values have not been looked at.
type document struct {
	file    string
	entries map[string]entry
	streams []streamEntries
	faults  []error
}

// readDocument reads a file of settings. known are those that it may hold.
func readDocument(path string, known []Setting) *document {
	text, err := readBounded(path)
	if err != nil {
		return &document{file: path, faults: []error{fault{file: path, says: err.Error()}}}
	}
	return parseDocument(path, text, known)
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, plain(err))
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, plain(err))
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("the file is larger than %d bytes, which no settings are", maxFile)
	}
	return text, nil
}

// plain is an error of a file without the file's name, which stands before it already.
func plain(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// parseDocument takes a file apart and collects all that is wrong with its form.
func parseDocument(path string, text []byte, known []Setting) *document {
	d := &document{file: path, entries: map[string]entry{}}
	if !utf8.Valid(text) {
		d.fault(invalidLine(text), "", "this is not UTF-8 text")
		return d
	}
	root, ok := d.decode(text)
	if !ok || root == nil || !d.onlyPlain(root) {
		return d
	}
	if root.Kind != yaml.MappingNode {
		d.fault(root.Line, "", "a file of settings has lines like \"listen: :8080\", each a setting and its value")
		return d
	}
	d.pairs(root, func(key, value *yaml.Node) {
		if key.Value == streamsKey {
			d.readStreams(value)
			return
		}
		if e, ok := d.entry(key, value, known, "whipsaw help settings lists all settings"); ok {
			d.entries[e.key] = e
		}
	})
	return d
}

// maxFaults bounds what is told of one file.
const maxFaults = 100

func (d *document) fault(line int, key, format string, args ...any) {
	if len(d.faults) == maxFaults {
		d.faults = append(d.faults, fault{file: d.file, line: line, says: "from here on there may be more that is wrong"})
	}
	if len(d.faults) > maxFaults {
		return
	}
	d.faults = append(d.faults, fault{d.file, line, key, fmt.Sprintf(format, args...)})
}

// decode reads the one document of a file; nil if there is nothing but comments.
func (d *document) decode(text []byte) (*yaml.Node, bool) {
	in := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc, next yaml.Node
	err := in.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, true
	}
	if err != nil {
		d.syntax(err, text)
		return nil, false
	}
	switch err := in.Decode(&next); {
	case err == nil:
		d.fault(next.Line, "", "a second document begins here; a file of settings has one")
		return nil, false
	case !errors.Is(err, io.EOF):
		d.syntax(err, text)
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" && root.Value == "" {
		return nil, true
	}
	return root, true
}

// onlyPlain refuses what makes YAML more than lists and tables of text: names for parts of it and their copies, which
// could grow without bound, and types.
func (d *document) onlyPlain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		d.fault(n.Line, "", "& and * (anchors and aliases) are not taken: write the value itself, or put it in quotes if it begins with one of these")
	case n.Style&yaml.TaggedStyle != 0:
		d.fault(n.Line, "", "! (tags) are not taken: put the value in quotes if it begins with one")
	}
	if n.Kind == yaml.AliasNode { // its copy was looked at where it stands
		return false
	}
	for _, c := range n.Content {
		d.onlyPlain(c)
	}
	return len(d.faults) == 0
}

// pairs calls f with each key of a mapping, once.
func (d *document) pairs(mapping *yaml.Node, f func(key, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if len(d.faults) > maxFaults {
			return
		}
		key := mapping.Content[i]
		if key.Kind != yaml.ScalarNode {
			d.fault(key.Line, "", "a key is a word, and this is none")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			d.fault(key.Line, shortened(key.Value), "it was set in line %d already; once is enough", line)
			continue
		}
		seen[key.Value] = key.Line
		f(key, mapping.Content[i+1])
	}
}

// entry reads one setting; all says where those that there are can be read about.
func (d *document) entry(key, value *yaml.Node, known []Setting, all string) (entry, bool) {
	s, ok := find(known, key.Value)
	if !ok {
		d.fault(key.Line, shortened(key.Value), "there is no such setting here; %s%s", nearest(known, key.Value), all)
		return entry{}, false
	}
	values, says := valuesOf(s, value)
	if says != "" {
		d.fault(value.Line, s.Name, "%s", says)
		return entry{}, false
	}
	return entry{s.Name, value.Line, values}, true
}

// valuesOf returns what a setting is given, or what is wrong with the form of it.
func valuesOf(s Setting, n *yaml.Node) (values []string, says string) {
	all := []*yaml.Node{n}
	switch n.Kind {
	case yaml.MappingNode:
		return nil, "this is a table; it takes " + s.allowed()
	case yaml.SequenceNode:
		if !s.Repeat {
			return nil, "this is a list; it takes one value: " + s.allowed()
		}
		all = n.Content
	}
	values = []string{}
	for _, one := range all {
		if one.Kind != yaml.ScalarNode {
			return nil, "a list holds values, and no lists or tables: " + s.allowed()
		}
		if one.Tag == "!!null" && one.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			return nil, "there is no value; it takes " + s.allowed() + "; without the line it has its default"
		}
		if s.Repeat {
			values = append(values, splitList(one.Value)...)
		} else {
			values = append(values, one.Value)
		}
	}
	return values, ""
}

func find(settings []Setting, name string) (Setting, bool) {
	for _, s := range settings {
		if s.Name == name {
			return s, true
		}
	}
	return Setting{}, false
}
