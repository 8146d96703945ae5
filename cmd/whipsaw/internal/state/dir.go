// Package state keeps what streams need to survive a restart as files in a directory: one a stream.
package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a directory of small files, one a stream. Its methods are safe for several streams at once.
type Dir struct{ path string }

// maxState is more than any state needs; a larger file is not ours.
const maxState = 64 << 10

// Open makes the directory if it is missing and sees that it can be written to.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	probe, err := os.CreateTemp(path, ".probe-*")
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return &Dir{path: path}, nil
}

// file is where a stream's state lies. Stream names have no separators and do not begin with a dot.
func (d *Dir) file(stream string) string { return filepath.Join(d.path, stream+".json") }

// Load returns what was saved for a stream, nil if nothing was.
func (d *Dir) Load(stream string) ([]byte, error) {
	f, err := os.Open(d.file(stream))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxState))
}

// Save replaces what was saved. The file is whole at every moment, also if the process is killed in between.
func (d *Dir) Save(stream string, state []byte) error {
	next := d.file(stream) + ".next"
	if err := os.WriteFile(next, state, 0o600); err != nil {
		return err
	}
	return os.Rename(next, d.file(stream))
}

// Delete forgets a stream.
func (d *Dir) Delete(stream string) error {
	err := os.Remove(d.file(stream))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
