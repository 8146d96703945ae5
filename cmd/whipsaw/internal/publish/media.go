// Package publish sends an MP4 file to a WHIP server as a camera would: in real time, with sender reports, with
// keyframes when they are asked for, and again when the server comes back.
package publish

import (
	"errors"
	"fmt"
	"io"

	"whipsaw/fmp4"
)

// ErrNothing is wrapped when a file has nothing that could be sent.
var ErrNothing = errors.New("nothing to send")

// Media is an open file: its first H.264 and its first Opus track.
type Media struct {
	video, audio *fmp4.Track // nil: there is none
	skipped      []error
}

// Open reads the index of an MP4 file of that size; r has to stay open. Errors wrap those of package fmp4, or ErrNothing.
func Open(r io.ReaderAt, size int64) (*Media, error) {
	f, err := fmp4.Open(r, size)
	if err != nil {
		return nil, err
	}
	m := &Media{skipped: f.Skipped}
	for _, t := range f.Tracks {
		switch {
		case len(t.Samples) == 0:
		case len(t.SPS) > 0 && m.video == nil:
			m.video = t
		case len(t.SPS) == 0 && m.audio == nil:
			m.audio = t
		default:
			m.skipped = append(m.skipped, fmt.Errorf("track %d: only the first of its kind is sent", t.ID))
		}
	}
	if m.video == nil && m.audio == nil {
		return nil, fmt.Errorf("%w: no track has a sample", ErrNothing)
	}
	if m.audio != nil {
		wholeLast(m.audio.Samples)
	}
	return m, nil
}

// wholeLast gives the last packet of sound its whole length back. A file cuts it to where the sound ends, but what is
// sent is the packet, and a receiver plays all of it.
func wholeLast(samples []fmp4.MediaSample) {
	if n := len(samples); n > 1 {
		samples[n-1].Duration = max(samples[n-1].Duration, samples[n-2].Duration)
	}
}

// Describe tells in a line what will be sent.
func (m *Media) Describe() string {
	s := ""
	if v := m.video; v != nil {
		s = fmt.Sprintf("H.264 %s %dx%d", v.Name, v.Width, v.Height)
	}
	if a := m.audio; a != nil {
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf("Opus with %d channels", a.Channels)
	}
	return s
}

// Skipped tells which tracks of the file are left out, and why.
func (m *Media) Skipped() []error { return m.skipped }

// picture appends the NAL units of one sample to out, those that decoding needs and no others; they point into the
// sample's bytes, which are read into buf. Before an IDR stand the parameter sets of the file, as RFC 6184 8.4 advises:
// a receiver may have lost, or never have seen, those of the offer.
func (m *Media) picture(out [][]byte, buf []byte, i int) (nalus [][]byte, sample []byte, err error) {
	const nalSPS = 7
	sample, err = m.video.ReadSample(buf[:0], i)
	if err != nil {
		return nil, sample, err
	}
	units, err := fmp4.NALUs(sample)
	if err != nil {
		return nil, sample, err
	}
	inBand := false
	for _, n := range units {
		inBand = inBand || n[0]&0x1f == nalSPS
	}
	if m.video.Samples[i].Sync && !inBand {
		out = append(append(out, m.video.SPS...), m.video.PPS...)
	}
	return append(out, units...), sample, nil
}
