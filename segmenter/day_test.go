package segmenter

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A day of a publisher whose clock is fast, through the whole channel: RTP times wrap twice, sequence numbers often.
// Decode times stay contiguous, sound and picture together, PROGRAM-DATE-TIME near the server's clock and never back,
// and what is kept does not grow.
func TestADayThroughTheChannel(t *testing.T) {
	length := 24 * time.Hour
	if testing.Short() {
		length = 30 * time.Minute
	}
	d := newDay(t, 10, 200, 2*time.Second)
	early := 0
	for d.now < length {
		d.step()
		if d.now == 10*time.Minute {
			early = d.ch.w.kept()
		}
	}
	require.InEpsilon(t, early, d.ch.w.kept(), 0.3, "what is kept is the same as after ten minutes")
	for _, k := range []Kind{Video, Audio} {
		end := d.seen[k].end
		require.InDelta(t, d.media().Seconds(), end.Seconds(), 1, "%v: the stream keeps to the publisher's clock", k)
		require.InDelta(t, length.Seconds(), d.seen[k].program.Sub(d.ch.base).Seconds(), 4, "%v: PROGRAM-DATE-TIME to the server's", k)
	}
	require.GreaterOrEqual(t, d.seen[Video].segments, int(length/(2*time.Second))-5)
}

// An hour of a publisher that gives one IDR at its start and none after it, asked or not.
func TestAnHourWithoutAnIDR(t *testing.T) {
	d := newDay(t, 10, 0, 2*time.Hour)
	early := 0
	for d.now < time.Hour {
		d.step()
		if d.now == 10*time.Minute {
			early = d.ch.w.kept()
		}
	}
	require.InEpsilon(t, early, d.ch.w.kept(), 0.3)
	require.True(t, d.ch.conductor.deaf())
	require.NotNil(t, d.ch.pub)
}

// day is a channel, a publisher that sends to it by a fast clock, and what a reader sees.
type day struct {
	t    *testing.T
	ch   *channel
	pub  *Publisher
	gen  *Generation
	now  time.Duration
	fps  time.Duration
	ppm  int64
	gop  uint32 // pictures
	n    uint32 // pictures sent
	m    uint32 // Opus frames sent, of 60 ms
	seq  [2]uint16
	seen [2]following
	list []unit
}

// following is how far a reader has followed a rendition.
type following struct {
	last     *Snapshot
	end      time.Duration
	next     PartID
	program  time.Time
	segments int
}

func newDay(t *testing.T, fps time.Duration, ppm int64, gop time.Duration) *day {
	w := newWorld(t)
	d := &day{t: t, ch: w.ch, fps: fps, ppm: ppm, gop: uint32(gop * fps / time.Second), list: loadUnits(t, "plain.h264")}
	d.ch.begun = func(g *Generation) { require.Nil(t, d.gen, "one generation"); d.gen = g }
	pub, err := newPublisher(nil, PublisherConfig{Tracks: []TrackConfig{{Kind: Video, PLI: func() {}}, {Kind: Audio, Channels: 2}}})
	require.NoError(t, err)
	require.NoError(t, d.ch.attach(0, pub))
	d.pub = pub
	return d
}

// media is what the publisher's clock shows.
func (d *day) media() time.Duration {
	return d.now + time.Duration(int64(d.now/1_000_000)*d.ppm)
}

// step goes on to the next picture, with the sound until then, a sender report each every few seconds, and a tick.
func (d *day) step() {
	d.now += time.Second / d.fps
	media := d.media()
	for time.Duration(d.m)*60*time.Millisecond <= media {
		three := binary.BigEndian.AppendUint32([]byte{0xff, 3, 0, 0}, d.m) // of 20 ms (RFC 6716 3.2.5)
		d.send(Audio, audioPacket(d.seq[Audio], d.m*2880+999, three))
		d.seq[Audio]++
		d.m++
	}
	for time.Duration(d.n)*time.Second/d.fps <= media {
		u := d.list[1+d.n%59]
		if d.n%d.gop == 0 {
			u = d.list[0]
			d.report(media)
		}
		for _, raw := range packetize(u, &d.seq[Video], uint32(int64(d.n)*videoRate/int64(d.fps))+77) {
			d.send(Video, raw)
		}
		d.n++
	}
	d.ch.tick(d.now)
	d.look()
}

func (d *day) send(k Kind, raw []byte) { d.ch.packet(d.now, d.pub.Track(k), raw) }

func (d *day) report(media time.Duration) {
	ntp := uint64(media/time.Second)<<32 | uint64(media%time.Second)<<32/uint64(time.Second)
	d.ch.report(d.now, d.pub.Track(Video), ntp, uint32(timeToTicks(media, videoRate))+77)
	d.ch.report(d.now, d.pub.Track(Audio), ntp, uint32(timeToTicks(media, audioRate))+999)
}

// look follows both renditions: every part once, end to end.
func (d *day) look() {
	if d.gen == nil {
		return
	}
	for k := range d.seen {
		r := d.gen.renditions[k].Load()
		f := &d.seen[k]
		if r == nil || r.Snapshot() == f.last {
			continue
		}
		f.follow(d.t, r.Snapshot())
		require.InDelta(d.t, d.media().Seconds(), f.end.Seconds(), 1.2, "%v at %v", Kind(k), d.now)
	}
}

func (f *following) follow(t *testing.T, s *Snapshot) {
	f.last = s
	for g := s.Segment(f.next.MSN); g != nil; g = s.Segment(f.next.MSN) {
		if f.next.Index == 0 {
			if !f.program.IsZero() {
				require.True(t, g.ProgramTime.After(f.program), "PROGRAM-DATE-TIME goes on")
			}
			f.program = g.ProgramTime
			f.segments++
			require.InDelta(t, f.end.Seconds(), g.Start.Seconds(), 1e-4, "segment %d begins where the last ended", g.MSN)
		}
		for _, p := range g.Parts[f.next.Index:] {
			f.end += p.Duration
			f.next.Index++
		}
		if !g.Complete {
			return
		}
		f.end = g.Start + g.Duration()
		f.next = PartID{MSN: g.MSN + 1}
	}
}
