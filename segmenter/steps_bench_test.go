package segmenter

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"log/slog"
	"slices"
	"testing"
	"time"

	"whipsaw/segmenter/depacket"
)

// broadcast is a publisher of 720p30 at about 2.5 Mbit/s with Opus whose ten seconds come again and again, on one time line.
type broadcast struct {
	packets []recorded
	next    int
	round   time.Duration
	count   [2]uint16 // packets of a round
	ticks   [2]uint32 // RTP time of a round
}

func newBroadcast(b *testing.B) *broadcast {
	b.Helper()
	const frames, size = 300, 10_400
	e := &broadcast{round: frames * time.Second / 30, ticks: [2]uint32{frames * 3000, 500 * 960}}
	seq := uint16(0)
	units := loadUnits(b, "plain.h264")
	for i := range frames {
		u := units[i%len(units)]
		// Slices as long as those of a camera: nothing reads what is behind their headers.
		list := slices.Clone(u.nalus)
		last := len(list) - 1
		list[last] = append(slices.Clone(list[last]), bytes.Repeat([]byte{0x5a}, max(0, size-len(list[last])))...)
		for _, p := range packetize(unit{nalus: list, idr: u.idr}, &seq, uint32(i)*3000) {
			e.packets = append(e.packets, recorded{Video, time.Duration(i) * time.Second / 30, p})
		}
	}
	e.count = [2]uint16{seq, 500}
	for i := range 500 {
		p := audioPacket(uint16(i), uint32(i)*960, append(opusFrame(uint32(i)), make([]byte, 150)...))
		e.packets = append(e.packets, recorded{Audio, time.Duration(i) * 20 * time.Millisecond, p})
	}
	slices.SortStableFunc(e.packets, func(a, b recorded) int { return cmp.Compare(a.at, b.at) })
	return e
}

// packet is the next one; its bytes are valid until it comes again.
func (e *broadcast) packet() recorded {
	p := &e.packets[e.next]
	out := *p
	if e.next++; e.next == len(e.packets) {
		e.next = 0
	}
	p.at += e.round
	defer func() {
		// The bytes are of the round that they are handed out for: the slice that comes again is another one.
		p.raw = bytes.Clone(p.raw)
		binary.BigEndian.PutUint16(p.raw[2:], binary.BigEndian.Uint16(p.raw[2:])+e.count[p.kind])
		binary.BigEndian.PutUint32(p.raw[4:], binary.BigEndian.Uint32(p.raw[4:])+e.ticks[p.kind])
	}()
	return out
}

// batch is n packets, made outside of what is measured.
func (e *broadcast) batch(n int) []recorded {
	out := make([]recorded, n)
	for i := range out {
		out[i] = e.packet()
	}
	return out
}

// perPacket measures what step does with each packet of an endless stream. prepare runs before the first, unmeasured.
func perPacket(b *testing.B, only func(recorded) bool, step func(recorded)) {
	const size = 4096
	e := newBroadcast(b)
	var batch []recorded
	b.ReportAllocs()
	for b.Loop() {
		if len(batch) == 0 {
			b.StopTimer()
			batch = slices.DeleteFunc(e.batch(size), func(r recorded) bool { return !only(r) })
			b.StartTimer()
		}
		step(batch[0])
		batch = batch[1:]
	}
}

func all(recorded) bool       { return true }
func ofVideo(r recorded) bool { return r.kind == Video }

// BenchmarkInbox hands packets from the goroutine that reads them to the one that owns the stream, 16 at a time.
func BenchmarkInbox(b *testing.B) {
	box := &inbox{now: func() time.Duration { return 0 }, wake: make(chan struct{}, 1)}
	var list []entry
	var arena []byte
	n := 0
	perPacket(b, all, func(r recorded) {
		box.packet(nil, r.raw)
		if n++; n%16 == 0 {
			list, arena = box.take(list, arena)
		}
	})
}

// BenchmarkSequence puts packets in sequence: as they were sent, and with every second pair swapped.
func BenchmarkSequence(b *testing.B) {
	number := func(r recorded) uint16 { return binary.BigEndian.Uint16(r.raw[2:]) }
	b.Run("in order", func(b *testing.B) {
		r := reorder{bound: time.Second, deliver: func([]byte) {}, lost: func(n int) { b.Fatalf("%d are lost", n) }}
		perPacket(b, ofVideo, func(p recorded) { r.push(p.at, number(p), p.raw) })
	})
	b.Run("swapped", func(b *testing.B) {
		r := reorder{bound: time.Hour, deliver: func([]byte) {}, lost: func(n int) { b.Fatalf("%d are lost", n) }}
		var held *recorded
		perPacket(b, ofVideo, func(p recorded) {
			switch {
			case held != nil:
				r.push(p.at, number(p), p.raw)
				r.push(p.at, number(*held), held.raw)
				held = nil
			case number(p)%4 == 1:
				held = &p
			default:
				r.push(p.at, number(p), p.raw)
			}
		})
	})
}

// BenchmarkReceive turns packets into access units: RTP header, order, RFC 6184.
func BenchmarkReceive(b *testing.B) {
	cfg := DefaultConfig()
	units := 0
	in := &ingest{unit: func(*depacket.AccessUnit) { units++ }, jump: func(time.Duration) {}}
	in.open(&cfg, TrackConfig{Kind: Video})
	perPacket(b, ofVideo, func(p recorded) { in.receive(p.at, p.raw) })
	if in.lost > 0 || b.N > 1000 && units == 0 {
		b.Fatalf("%d lost, %d units", in.lost, units)
	}
}

// newLive returns a channel with a publisher.
func newLive(b *testing.B) (*channel, *Publisher) {
	b.Helper()
	cfg := DefaultConfig()
	c := &channel{all: &cfg, cfg: &cfg, log: slog.New(slog.DiscardHandler), base: time.Unix(0, 0), begun: func(*Generation) {}, drop: func() {}}
	pub, err := newPublisher(nil, PublisherConfig{Tracks: []TrackConfig{{Kind: Video}, {Kind: Audio, Channels: 2}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.attach(time.Second, pub); err != nil {
		b.Fatal(err)
	}
	return c, pub
}

// BenchmarkChannel takes packets all the way to published parts, with full playlists: all that the stream's goroutine does.
func BenchmarkChannel(b *testing.B) {
	c, pub := newLive(b)
	e := newBroadcast(b)
	feed := func(r recorded) { c.packet(time.Second+r.at, pub.Track(r.kind), r.raw) }
	for range 6 * len(e.packets) { // a minute
		feed(e.packet())
	}
	var batch []recorded
	b.ReportAllocs()
	for b.Loop() {
		if len(batch) == 0 {
			b.StopTimer()
			batch = e.batch(4096)
			b.StartTimer()
		}
		feed(batch[0])
		batch = batch[1:]
	}
	parts, packets := int64(0), int64(0)
	for _, x := range c.w.builders() {
		parts += x.parts
	}
	for _, t := range pub.tracks {
		packets += int64(t.in.packets)
	}
	b.ReportMetric(float64(packets)/float64(parts), "packets/part")
}

// runFor returns the video of a stream that has run for a minute.
func runFor(b *testing.B) *writer {
	b.Helper()
	c, pub := newLive(b)
	e := newBroadcast(b)
	for range 6 * len(e.packets) {
		r := e.packet()
		c.packet(time.Second+r.at, pub.Track(r.kind), r.raw)
	}
	return c.w
}

// BenchmarkPart boxes six pictures of 10 kB as one part, and adds it to its segment.
func BenchmarkPart(b *testing.B) {
	w := runFor(b)
	v := &w.video.builder
	data := make([]byte, 10_400)
	b.SetBytes(6 * int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range 6 {
			v.add(data, 3000, 0, false)
		}
		if err := v.closePart(time.Unix(0, 0)); err != nil {
			b.Fatal(err)
		}
		v.open.Parts = v.open.Parts[:1]
	}
}

// BenchmarkSnapshot makes a new version of a full playlist the current one, with nobody waiting.
func BenchmarkSnapshot(b *testing.B) {
	w := runFor(b)
	b.ReportAllocs()
	for b.Loop() {
		w.publish(&w.video.builder, w.video.next(), true)
	}
}

// BenchmarkRender renders a full playlist of video as its first reader does: text, compressed form and entity tag.
func BenchmarkRender(b *testing.B) {
	w := runFor(b)
	v := &w.video.builder
	for name, of := range map[string]func(*Snapshot) *Rendered{"playlist": (*Snapshot).Playlist, "delta": (*Snapshot).Delta} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = len(of(v.snapshot(false)).Body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
