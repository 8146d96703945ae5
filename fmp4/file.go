package fmp4

import (
	"errors"
	"fmt"
	"io"
)

// Bounds on what a file may make Open hold in memory.
const (
	maxIndex   = 64 << 20 // bytes of one moov or moof box
	maxSamples = 1 << 22  // samples of one track: a day and a half at 30 a second
	maxSample  = 64 << 20 // bytes of one sample
)

// File is an MP4 file, progressive (ISO/IEC 14496-12 8.1 to 8.7) or fragmented (8.8), with its index in memory and its
// media on disk.
type File struct {
	Tracks  []*Track // H.264 and Opus, in the order of the file
	Skipped []error  // why the other tracks are left out; each wraps ErrUnsupported
}

// Track is one H.264 or Opus track of a File.
type Track struct {
	ID        uint32
	Timescale uint32 // ticks a second
	Codec
	Samples []MediaSample // in decoding order

	r io.ReaderAt
}

// MediaSample is one sample of a Track. Times are in the track's ticks from the start of the presentation, edit list
// applied: what lies before 0 is there to be decoded but not shown.
type MediaSample struct {
	DTS, PTS int64
	Duration uint32
	Size     uint32
	Sync     bool

	offset int64
}

// Open reads the index of an MP4 file of the given size. The moov box may stand anywhere. Of the sample data nothing is
// read; r has to stay open as long as ReadSample is called. A file without a single H.264 or Opus track is an error.
// Errors wrap ErrFormat, ErrUnsupported, ErrSPS or what r returns.
func Open(r io.ReaderAt, size int64) (*File, error) {
	top, err := scan(r, size)
	if err != nil {
		return nil, err
	}
	if top.moov == nil {
		return nil, fmt.Errorf("%w: no moov box", ErrFormat)
	}
	m, err := parseFileMovie(top.moov)
	if err != nil {
		return nil, err
	}
	f := &File{Skipped: m.skipped}
	for _, t := range m.tracks {
		if err := t.indexSamples(size); err != nil {
			return nil, fmt.Errorf("track %d: %w", t.header.id, err)
		}
	}
	if err := m.indexFragments(r, top.moofs, size); err != nil {
		return nil, err
	}
	for _, t := range m.tracks {
		t.applyEdit()
		f.Tracks = append(f.Tracks, &Track{ID: t.header.id, Timescale: t.header.timescale, Codec: t.codec, Samples: t.samples, r: r})
	}
	if len(f.Tracks) == 0 {
		return nil, errors.Join(append([]error{fmt.Errorf("%w: no H.264 and no Opus track", ErrUnsupported)}, m.skipped...)...)
	}
	return f, nil
}

// ReadSample appends the bytes of sample i to buf and returns the result. Several goroutines may read at the same time.
// It fails where the file has become shorter than it was, or cannot be read.
func (t *Track) ReadSample(buf []byte, i int) ([]byte, error) {
	s := t.Samples[i]
	start := len(buf)
	buf = append(buf, make([]byte, s.Size)...)
	if err := readAt(t.r, buf[start:], s.offset); err != nil {
		return buf[:start], fmt.Errorf("fmp4: track %d, sample %d: %w", t.ID, i, err)
	}
	return buf, nil
}

// topLevel is where the boxes lie that Open needs.
type topLevel struct {
	moov  []byte // its body
	moofs []span
}

// span is one top-level box.
type span struct {
	kind         string
	offset, size int64 // of the whole box
	header       int64
}

// scan walks the boxes of the whole file by their headers alone.
func scan(r io.ReaderAt, size int64) (topLevel, error) {
	var top topLevel
	for at := int64(0); at < size; {
		s, err := readHeader(r, at, size)
		if err != nil {
			return topLevel{}, err
		}
		switch s.kind {
		case "moov":
			if top.moov != nil {
				return topLevel{}, fmt.Errorf("%w: two moov boxes", ErrFormat)
			}
			if top.moov, err = readBody(r, s); err != nil {
				return topLevel{}, err
			}
		case "moof":
			if top.moofs = append(top.moofs, s); len(top.moofs) > maxSamples {
				return topLevel{}, fmt.Errorf("%w: more than %d fragments", ErrUnsupported, maxSamples)
			}
		}
		at += s.size
	}
	return top, nil
}

// readHeader reads the header of the box at an offset. The box ends within the file.
func readHeader(r io.ReaderAt, at, size int64) (span, error) {
	head := make([]byte, min(16, size-at))
	if err := readAt(r, head, at); err != nil {
		return span{}, fmt.Errorf("fmp4: read box at %d: %w", at, err)
	}
	// ISO/IEC 14496-12 4.2: a size of 0 in the last box of a file says up to the end.
	if len(head) >= 8 && string(head[:4]) == "\x00\x00\x00\x00" {
		return span{kind: string(head[4:8]), offset: at, size: size - at, header: 8}, nil
	}
	kind, header, length, err := boxHeader(head)
	if err != nil {
		return span{}, fmt.Errorf("at %d: %w", at, err)
	}
	if length > uint64(size-at) {
		return span{}, fmt.Errorf("%w: box %q at %d of %d bytes where %d are left", ErrFormat, kind, at, length, size-at)
	}
	return span{kind: kind, offset: at, size: int64(length), header: int64(header)}, nil
}

func readBody(r io.ReaderAt, s span) ([]byte, error) {
	if s.size > maxIndex {
		return nil, fmt.Errorf("%w: %q of %d bytes", ErrUnsupported, s.kind, s.size)
	}
	b := make([]byte, s.size-s.header)
	if err := readAt(r, b, s.offset+s.header); err != nil {
		return nil, fmt.Errorf("fmp4: read %q: %w", s.kind, err)
	}
	return b, nil
}

// readAt fills b. io.ReaderAt may return io.EOF with the last bytes.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	if n, err := r.ReadAt(b, offset); n < len(b) {
		return err
	}
	return nil
}
