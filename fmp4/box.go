package fmp4

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// box is one box of parsed bytes; both slices point into them.
type box struct {
	kind string
	raw  []byte // header and body
	body []byte
}

// boxes walks the boxes that lie side by side in b (ISO/IEC 14496-12 4.2). It stops at the first that does not fit,
// with an error. Only our own code opens containers, level by level; the box library sees single leaves, whose length
// has been checked: its containers recurse as deep as a file asks for.
func boxes(b []byte) iter.Seq2[box, error] {
	return func(yield func(box, error) bool) {
		for len(b) > 0 {
			next, err := firstBox(b)
			if !yield(next, err) || err != nil {
				return
			}
			b = b[len(next.raw):]
		}
	}
}

func firstBox(b []byte) (box, error) {
	kind, header, size, err := boxHeader(b)
	if err != nil {
		return box{}, err
	}
	if size > uint64(len(b)) {
		return box{}, fmt.Errorf("%w: box %q of %d bytes where %d are left", ErrFormat, kind, size, len(b))
	}
	return box{kind: kind, raw: b[:size], body: b[header:size]}, nil
}

// boxHeader reads size and type; size is never less than the header's own. A size of 0 (up to the end of the file) is
// returned as it is only where the caller has to know the end: size 0 is then the result.
func boxHeader(b []byte) (kind string, header int, size uint64, err error) {
	if len(b) < 8 {
		return "", 0, 0, fmt.Errorf("%w: %d bytes where a box should begin", ErrFormat, len(b))
	}
	kind, header, size = string(b[4:8]), 8, uint64(binary.BigEndian.Uint32(b))
	if size == 1 {
		if len(b) < 16 {
			return "", 0, 0, fmt.Errorf("%w: box %q without its long size", ErrFormat, kind)
		}
		header, size = 16, binary.BigEndian.Uint64(b[8:])
	}
	if size < uint64(header) {
		return "", 0, 0, fmt.Errorf("%w: box %q of %d bytes", ErrFormat, kind, size)
	}
	return kind, header, size, nil
}

// optional finds the one box of a kind directly in b; ok is false if there is none. Two are an error.
func optional(b []byte, kind string) (found box, ok bool, err error) {
	for child, err := range boxes(b) {
		if err != nil {
			return box{}, false, err
		}
		if child.kind != kind {
			continue
		}
		if ok {
			return box{}, false, fmt.Errorf("%w: more than one %q", ErrFormat, kind)
		}
		found, ok = child, true
	}
	return found, ok, nil
}

// descend finds the one box at the end of a path of kinds.
func descend(b []byte, path ...string) (box, error) {
	at := box{body: b}
	for _, kind := range path {
		next, ok, err := optional(at.body, kind)
		if err != nil {
			return box{}, err
		}
		if !ok {
			return box{}, fmt.Errorf("%w: no %q", ErrFormat, kind)
		}
		at = next
	}
	return at, nil
}

// leaf decodes a box without children.
func leaf[T mp4.Box](b box) (T, error) {
	var none T
	decoded, err := mp4.DecodeBoxSR(0, bits.NewFixedSliceReader(b.raw))
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	typed, ok := decoded.(T)
	if !ok || decoded.Size() != uint64(len(b.raw)) {
		return none, fmt.Errorf("%w: box %q of %d bytes", ErrFormat, b.kind, len(b.raw))
	}
	return typed, nil
}

// leafAt is descend and leaf in one.
func leafAt[T mp4.Box](b []byte, path ...string) (T, error) {
	found, err := descend(b, path...)
	if err != nil {
		var none T
		return none, err
	}
	return leaf[T](found)
}
