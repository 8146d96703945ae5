package fleet

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"whipsaw/cmd/whipsaw/internal/bench/clip"
	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/signaling/client"
)

const (
	// A burst of packets is what a socket's buffer surely takes; between two there is a pause.
	burst = 16
	pause = time.Millisecond
	// tooLate is from when on a frame counts as late.
	tooLate = 20 * time.Millisecond
)

// ship is one publisher.
type ship struct {
	counters
	clip    *clip.Clip
	number  uint32
	delay   time.Duration // of its beginning
	session *client.Session
	began   atomic.Int64
	err     atomic.Pointer[error]

	video, audio log
	zero         time.Time // of its media
	timer        *time.Timer
	packet       rtp.Packet
	scratch, sei []byte
}

// log is one track of a ship: its RTP numbers, and when its last frames were sent.
type log struct {
	sequence uint16
	base     uint32 // RTP timestamp of media time 0
	frame    uint32 // number of the next
	times    [logLength]atomic.Int64
}

// logLength is how many frames back is remembered when they were sent: a minute at 60 a second.
const logLength = 4096

func newShip(c *clip.Clip, number uint32, delay time.Duration) *ship {
	s := &ship{clip: c, number: number, delay: delay, timer: time.NewTimer(0)}
	s.began.Store(math.MinInt64)
	for _, l := range []*log{&s.video, &s.audio} {
		var seed [6]byte
		_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
		l.sequence, l.base = binary.BigEndian.Uint16(seed[:]), binary.BigEndian.Uint32(seed[2:])
	}
	return s
}

// sail sends until ctx or the session ends. The schedule is absolute: what is late does not delay what follows.
func (s *ship) sail(ctx context.Context) {
	defer s.timer.Stop()
	s.zero = time.Now().Add(s.delay)
	for video, audio := 0, 0; ; {
		videoDue, audioDue := s.videoDue(video), s.audioDue(audio)
		var err error
		if audioDue < videoDue {
			if !s.wait(ctx, audioDue) {
				return
			}
			err = s.sendAudio(audio, audioDue)
			audio++
		} else {
			if !s.wait(ctx, videoDue) {
				return
			}
			err = s.sendVideo(ctx, video)
			video++
		}
		if err != nil {
			s.err.Store(&err)
			return
		}
	}
}

// videoDue is when frame i, counted over all rounds, is to be sent, since zero.
func (s *ship) videoDue(i int) time.Duration {
	n := len(s.clip.Video)
	if n == 0 {
		return math.MaxInt64
	}
	return ticks(int64(i/n)*s.clip.VideoTicks+s.clip.Video[i%n].DTS, clip.VideoClock)
}

func (s *ship) audioDue(i int) time.Duration {
	if len(s.clip.Audio) == 0 {
		return math.MaxInt64
	}
	return ticks(s.audioTicks(i), clip.AudioClock)
}

func (s *ship) audioTicks(i int) int64 {
	n := len(s.clip.Audio)
	return int64(i/n)*s.clip.AudioTicks[n] + s.clip.AudioTicks[i%n]
}

func ticks(n, clock int64) time.Duration {
	return time.Duration(n/clock)*time.Second + time.Duration(n%clock)*time.Second/time.Duration(clock)
}

// wait returns true when it is time; requests for keyframes, which a clip cannot obey, are counted meanwhile.
func (s *ship) wait(ctx context.Context, due time.Duration) bool {
	left := time.Until(s.zero.Add(due))
	if left <= 0 {
		if left < -tooLate {
			s.late.Add(1)
		}
		return ctx.Err() == nil && s.session.Err() == nil
	}
	s.timer.Reset(left)
	for {
		select {
		case <-s.timer.C:
			return true
		case <-s.session.Keyframes():
			s.keyframes.Add(1)
		case <-s.session.Done():
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (s *ship) sendVideo(ctx context.Context, i int) error {
	n := len(s.clip.Video)
	frame := &s.clip.Video[i%n]
	pts := int64(i/n)*s.clip.VideoTicks + frame.PTS
	now := time.Now()
	m := mark.Mark{Publisher: s.number, Frame: s.video.frame, Sent: now}
	if m.Frame == 0 {
		s.began.Store(now.UnixNano())
	}
	s.sei = m.AppendSEI(s.sei[:0])
	s.scratch = frame.AppendFirst(s.scratch[:0], s.sei)
	at := s.zero.Add(ticks(pts, clip.VideoClock))
	timestamp := s.video.base + uint32(pts)
	if err := s.write(&s.video, s.scratch, timestamp, len(frame.Payloads) == 0, at); err != nil {
		return err
	}
	for k, payload := range frame.Payloads {
		if k > 0 && k%burst == 0 && !s.wait(ctx, time.Since(s.zero)+pause) {
			return nil
		}
		if err := s.write(&s.video, payload, timestamp, k == len(frame.Payloads)-1, at); err != nil {
			return err
		}
	}
	s.video.note(time.Now())
	s.frames.Add(1)
	return nil
}

func (s *ship) sendAudio(i int, due time.Duration) error {
	now := time.Now()
	m := mark.Mark{Publisher: s.number, Frame: s.audio.frame, Sent: now}
	s.scratch = m.AppendOpus(s.scratch[:0], s.clip.Audio[i%len(s.clip.Audio)])
	err := s.write(&s.audio, s.scratch, s.audio.base+uint32(s.audioTicks(i)), false, s.zero.Add(due))
	s.audio.note(time.Now())
	return err
}

// write sends one packet; at is the wall clock time of its media.
func (s *ship) write(l *log, payload []byte, timestamp uint32, marker bool, at time.Time) error {
	s.packet = rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: marker, SequenceNumber: l.sequence, Timestamp: timestamp},
		Payload: payload,
	}
	l.sequence++
	s.packets.Add(1)
	s.bytes.Add(int64(len(payload)))
	if l == &s.video {
		return s.session.WriteVideoRTP(&s.packet, at)
	}
	return s.session.WriteAudioRTP(&s.packet, at)
}

// note remembers when the frame that was just sent was.
func (l *log) note(at time.Time) {
	l.times[l.frame%logLength].Store(at.UnixNano())
	l.frame++
}

// sent is when all of a marked frame was sent. That of an older frame in the same place is earlier than the mark says.
func (s *ship) sent(m mark.Mark) (time.Time, bool) {
	l := &s.audio
	if m.Video {
		l = &s.video
	}
	at := time.Unix(0, l.times[m.Frame%logLength].Load())
	if at.Before(m.Sent) || at.Sub(m.Sent) > time.Second {
		return time.Time{}, false
	}
	return at, true
}

// ended tells why the ship sends no more, unless it was told to; nil while it sends.
func (s *ship) ended() error {
	if e := s.err.Load(); e != nil {
		return *e
	}
	if s.session == nil {
		return nil
	}
	return s.session.Err()
}
