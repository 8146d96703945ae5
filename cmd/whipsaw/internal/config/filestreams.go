package config

import (
	"go.yaml.in/yaml/v3"

	"whipsaw/cmd/whipsaw/internal/access"
)

// streamEntries is what a file says of the streams that fit a pattern.
type streamEntries struct {
	pattern string
	line    int
	entries []entry
}

// streamsKey is the key under which some streams get settings of their own.
const streamsKey = "streams"

// maxSections bounds the names and patterns with settings of their own: they are looked through for each stream.
const maxSections = 1000

// readStreams reads the settings that some streams have of their own.
func (d *document) readStreams(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		d.fault(n.Line, streamsKey, "this is a table of streams: names or patterns, and below each its settings")
		return
	}
	known := sectionSettings(new(Section))
	d.pairs(n, func(key, value *yaml.Node) {
		s := streamEntries{pattern: key.Value, line: key.Line}
		switch {
		case !access.ValidPattern(key.Value):
			d.fault(key.Line, shortened(key.Value), "this is no name or pattern of streams: letters, digits, dots, dashes and underscores, in which * stands for any characters")
			return
		case value.Kind != yaml.MappingNode:
			d.fault(value.Line, streamsKey+"."+key.Value, "this is a table of settings: %s", names(known))
			return
		}
		d.pairs(value, func(key, value *yaml.Node) {
			if e, ok := d.entry(key, value, known, "a stream may have of its own: "+names(known)); ok {
				s.entries = append(s.entries, e)
			}
		})
		if d.streams = append(d.streams, s); len(d.streams) == maxSections+1 {
			d.fault(key.Line, streamsKey, "there are more than %d names and patterns; let patterns stand for more streams", maxSections)
		}
	})
}
