package bench

import (
	"fmt"
	"os"

	"whipsaw/cmd/whipsaw/internal/bench/clip"
	"whipsaw/cmd/whipsaw/internal/demo"
)

// OpenClip reads an MP4 file into memory; the built-in clip if there is no path. Errors wrap clip.ErrClip, or those of package
// fmp4 or os.
func OpenClip(path string) (*clip.Clip, error) {
	if path == "" {
		return clip.Open(demo.Clip())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c, err := clip.Open(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
