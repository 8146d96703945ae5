// Package fmp4 turns access units into the bytes of CMAF (ISO/IEC 23000-19): an init segment for each track and one
// movie fragment for each part; and it reads such bytes, and whole MP4 files, back.
//
// It is the only package that knows the box library. It keeps no state, starts no goroutine and holds on to none of the
// slices it is given; what it returns belongs to the caller. Slices inside what a parser returns point into the parsed
// bytes.
//
// Times are in ticks of the track: 90000 a second for H.264, 48000 for Opus, what the file says when a file is read.
//
// Everything that reads is made for hostile input: lengths are checked before use, nothing is allocated for counts that
// the bytes at hand do not back, and nothing recurses with the input.
package fmp4

import "errors"

// What the errors of this package wrap.
var (
	ErrSPS         = errors.New("fmp4: bad parameter sets")   // not usable H.264 parameter sets
	ErrSamples     = errors.New("fmp4: bad samples")          // samples that cannot become a part
	ErrFormat      = errors.New("fmp4: malformed")            // bytes that break the format they claim to have
	ErrUnsupported = errors.New("fmp4: unsupported contents") // sound bytes of a kind this package does not read
)

// Time scales of what this package writes, in ticks a second.
const (
	VideoTimescale = 90000
	AudioTimescale = 48000
)

// trackID is the one track of everything this package writes.
const trackID = 1
