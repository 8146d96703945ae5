// Package demo holds the clip that a fresh machine can publish; make-clip.sh beside it is its recipe.
package demo

import (
	"bytes"
	_ "embed" // for the clip
	"io"
)

//go:embed clip.mp4
var clip []byte

// Clip returns the built-in MP4 file and its size: ten seconds of H.264, 640x360 at 30 frames a second with an IDR every
// two seconds, and stereo Opus, that loop without a seam. At each full second a bar lights up and a ping sounds.
func Clip() (r io.ReaderAt, size int64) { return bytes.NewReader(clip), int64(len(clip)) }
