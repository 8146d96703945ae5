// Package clip holds the media that a bench publishes: read from an MP4 file once, packetised once (RFC 6184, RFC 7587),
// and shared by all publishers, each of which adds its own headers and marks alone.
package clip

import (
	"errors"
	"fmt"
	"io"
	"time"

	"whipsaw/fmp4"
)

// Bounds on what is held in memory.
const (
	maxBytes  = 512 << 20
	maxFrames = 1 << 20
)

// ErrClip is wrapped when a file cannot be used.
var ErrClip = errors.New("bench: clip")

// Clip is a file's first H.264 and its first Opus track. It is immutable.
type Clip struct {
	Name       string   // "avc1.42c01e 1280x720", for people
	SPS, PPS   [][]byte // for the offer; nil without video
	Mono       bool     // of the sound
	Video      []Frame  // in decoding order; the first is an IDR
	VideoTicks int64    // how long one round of Video takes, at 90 kHz
	Audio      [][]byte // Opus packets
	AudioTicks []int64  // when each begins, at 48 kHz from the first; one more: when the next round begins
	Bitrate    int64    // bit/s of all media, without headers
}

// Clock rates of RTP (RFC 6184 8.1, RFC 7587 4.1).
const (
	VideoClock = 90000
	AudioClock = 48000
)

// Frame is one picture as RTP payloads. The SEI that marks it is to be sent first: in one payload with Small where that
// is not empty, otherwise alone.
type Frame struct {
	DTS, PTS int64    // at 90 kHz from the first frame's DTS
	Small    [][]byte // NAL units that stand before Payloads and share the first packet with the mark
	Payloads [][]byte
	IDR      bool
}

// Duration is how long one round of a track's clock takes.
func (c *Clip) Duration() time.Duration {
	if len(c.Video) > 0 {
		return time.Duration(c.VideoTicks) * time.Second / VideoClock
	}
	return time.Duration(c.AudioTicks[len(c.Audio)]) * time.Second / AudioClock
}

// FrameRate is pictures a second; 0 without video.
func (c *Clip) FrameRate() float64 {
	if len(c.Video) == 0 {
		return 0
	}
	return float64(len(c.Video)) / c.Duration().Seconds()
}

// Open reads a file of that size whole and prepares it. Errors wrap ErrClip or those of package fmp4.
func Open(r io.ReaderAt, size int64) (*Clip, error) {
	f, err := fmp4.Open(r, size)
	if err != nil {
		return nil, err
	}
	c := &Clip{}
	var bytes int64
	for _, t := range f.Tracks {
		video := len(t.SPS) > 0
		if len(t.Samples) == 0 || video && c.Video != nil || !video && c.Audio != nil {
			continue
		}
		for _, s := range t.Samples {
			bytes += int64(s.Size)
		}
		if bytes > maxBytes || len(t.Samples) > maxFrames {
			return nil, fmt.Errorf("%w: more than %d MB or %d samples", ErrClip, maxBytes>>20, maxFrames)
		}
		if err := c.add(t, video); err != nil {
			return nil, err
		}
	}
	if c.Video == nil && c.Audio == nil {
		return nil, fmt.Errorf("%w: no sample in it", ErrClip)
	}
	if c.Duration() < 100*time.Millisecond {
		return nil, fmt.Errorf("%w: shorter than 100 ms", ErrClip)
	}
	c.Bitrate = int64(8 * float64(bytes) / c.Duration().Seconds())
	return c, nil
}

func (c *Clip) add(t *fmp4.Track, video bool) error {
	if video {
		c.Name = fmt.Sprintf("%s %dx%d", t.Name, t.Width, t.Height)
		c.SPS, c.PPS = t.SPS, t.PPS
		return c.addVideo(t)
	}
	c.Mono = t.Channels == 1
	return c.addAudio(t)
}

// addVideo takes the pictures from the first IDR on: a loop has to begin with one.
func (c *Clip) addVideo(t *fmp4.Track) error {
	scale := int64(t.Timescale)
	zero, begun := int64(0), false
	for i, s := range t.Samples {
		if !begun && !s.Sync {
			continue
		}
		if !begun {
			zero, begun = s.DTS, true
		}
		frame, err := readFrame(t, i)
		if err != nil {
			return err
		}
		frame.DTS, frame.PTS = rescale(s.DTS-zero, scale, VideoClock), rescale(s.PTS-zero, scale, VideoClock)
		c.Video = append(c.Video, frame)
		c.VideoTicks = rescale(s.DTS-zero+int64(s.Duration), scale, VideoClock)
	}
	if !begun {
		return fmt.Errorf("%w: no picture that decoding could begin with", ErrClip)
	}
	return nil
}

func (c *Clip) addAudio(t *fmp4.Track) error {
	at := int64(0)
	for i, s := range t.Samples {
		packet, err := t.ReadSample(nil, i)
		if err != nil {
			return err
		}
		duration := rescale(int64(s.Duration), int64(t.Timescale), AudioClock)
		if i > 0 && i == len(t.Samples)-1 { // a file cuts the last one to where the sound ends; all of it is sent
			duration = max(duration, at-c.AudioTicks[i-1])
		}
		c.Audio, c.AudioTicks = append(c.Audio, packet), append(c.AudioTicks, at)
		at += max(duration, 1)
	}
	c.AudioTicks = append(c.AudioTicks, at)
	return nil
}

// rescale turns ticks of one clock into those of another, rounded down.
func rescale(ticks, from, to int64) int64 {
	return ticks/from*to + ticks%from*to/from
}
