package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/rtp"

	"whipsaw/signaling/client"
)

const (
	// tooLate is how far sending may fall behind before what was missed is given up: the machine slept, most likely.
	tooLate = time.Second
	// A burst of packets is what a socket's buffer surely takes; between two there is a pause.
	burst = 16
	pause = time.Millisecond
)

// errSample is wrapped when the file cannot be read any further; a new connection would not cure that.
var errSample = errors.New("the file cannot be read on")

// sender sends what a playhead says over one session.
type sender struct {
	media    *Media
	head     *playhead
	session  *client.Session
	count    *counter
	zero     time.Time // of the time line on the clock
	pictures *packetizer
	sounds   *packetizer
	buf      []byte
	nalus    [][]byte
	timer    *time.Timer
}

func newSender(m *Media, head *playhead, s *client.Session, c *counter) *sender {
	return &sender{
		media: m, head: head, session: s, count: c,
		pictures: newPacketizer(90000), sounds: newPacketizer(48000),
		timer: time.NewTimer(0),
	}
}

// run sends until the file ends, and then returns nil, or until the session or ctx does. The schedule is absolute: what
// is late does not delay what follows.
func (s *sender) run(ctx context.Context) error {
	defer s.timer.Stop()
	last := time.Duration(0)
	for {
		u, ok := s.head.next()
		if !ok {
			return s.wait(ctx, s.zero.Add(last)) // let the last sample have its time
		}
		if s.zero.IsZero() {
			s.zero = time.Now().Add(-u.due)
		}
		if late := time.Since(s.zero.Add(u.due)); late > tooLate {
			s.head.skip(late)
			u.due, u.pts = u.due+late, u.pts+late
		}
		if err := s.wait(ctx, s.zero.Add(u.due)); err != nil {
			return err
		}
		if err := s.send(ctx, u); err != nil {
			return err
		}
		last = max(last, s.head.end())
	}
}

// wait returns nil at the given time; meanwhile it passes on what the server asks for.
func (s *sender) wait(ctx context.Context, until time.Time) error {
	s.timer.Reset(time.Until(until))
	for {
		select {
		case <-s.timer.C:
			return nil
		case <-s.session.Keyframes():
			s.count.keyframe(s.head.keyframe())
		case <-s.session.Done():
			return s.session.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *sender) send(ctx context.Context, u unit) (err error) {
	if !u.video {
		s.buf, err = s.media.audio.ReadSample(s.buf[:0], u.index)
		if err != nil {
			return unreadable(err)
		}
		p := s.sounds.sound(s.buf, u.pts)
		s.count.sent(u.due, len(p.Payload))
		return s.session.WriteAudioRTP(p, s.zero.Add(u.pts))
	}
	s.nalus, s.buf, err = s.media.picture(s.nalus[:0], s.buf, u.index)
	if err != nil {
		return unreadable(err)
	}
	return s.spread(ctx, s.pictures.picture(s.nalus, u.pts), u)
}

// spread sends the packets of a picture, large ones in several bursts.
func (s *sender) spread(ctx context.Context, packets []*rtp.Packet, u unit) error {
	for i, p := range packets {
		if i > 0 && i%burst == 0 {
			if err := s.wait(ctx, time.Now().Add(pause)); err != nil {
				return err
			}
		}
		s.count.sent(u.due, len(p.Payload))
		if err := s.session.WriteVideoRTP(p, s.zero.Add(u.pts)); err != nil {
			return err
		}
	}
	return nil
}

func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", errSample, err)
}
