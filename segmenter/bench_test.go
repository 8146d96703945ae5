package segmenter

import (
	"cmp"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// recorded is what a publisher sends in ten seconds: packets and when they arrive.
type recorded struct {
	kind Kind
	at   time.Duration
	raw  []byte
}

func record(b *testing.B) []recorded {
	b.Helper()
	var out []recorded
	seq := uint16(0)
	for i, u := range loadUnits(b, "plain.h264") {
		at := time.Duration(i) * time.Second / 30
		for _, p := range packetize(u, &seq, uint32(i)*3000) {
			out = append(out, recorded{Video, at, p})
		}
	}
	for i := range 500 {
		p := audioPacket(uint16(i), uint32(i)*960, opusFrame(uint32(i)))
		out = append(out, recorded{Audio, time.Duration(i) * 20 * time.Millisecond, p})
	}
	slices.SortStableFunc(out, func(a, b recorded) int { return cmp.Compare(a.at, b.at) })
	return out
}

// BenchmarkJourney takes ten seconds of a stream from packets to published parts.
func BenchmarkJourney(b *testing.B) {
	packets := record(b)
	cfg := DefaultConfig()
	b.ReportAllocs()
	parts := int64(0)
	for b.Loop() {
		c := &channel{all: &cfg, cfg: &cfg, log: slog.New(slog.DiscardHandler), base: time.Unix(0, 0), begun: func(*Generation) {}, memory: holding{all: &memory{}}, drop: func() {}}
		pub, err := newPublisher(nil, PublisherConfig{Tracks: []TrackConfig{{Kind: Video}, {Kind: Audio, Channels: 2}}})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.attach(time.Second, pub); err != nil {
			b.Fatal(err)
		}
		for _, p := range packets {
			c.packet(time.Second+p.at, pub.Track(p.kind), p.raw)
		}
		parts = 0
		for _, x := range c.w.builders() {
			parts += x.parts
		}
	}
	b.ReportMetric(float64(len(packets)), "packets/op")
	b.ReportMetric(float64(parts), "parts/op")
}

// BenchmarkPlaylist renders one version of a full window, plain and gzip, as its first reader does.
func BenchmarkPlaylist(b *testing.B) {
	packets := record(b)
	cfg := DefaultConfig()
	c := &channel{all: &cfg, cfg: &cfg, log: slog.New(slog.DiscardHandler), base: time.Unix(0, 0), begun: func(*Generation) {}, memory: holding{all: &memory{}}, drop: func() {}}
	pub, err := newPublisher(nil, PublisherConfig{Tracks: []TrackConfig{{Kind: Audio, Channels: 2}}})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.attach(time.Second, pub); err != nil {
		b.Fatal(err)
	}
	for round := range 4 {
		for _, p := range packets {
			if p.kind == Audio {
				p.raw[2], p.raw[3] = byte((round*500+int(p.at/(20*time.Millisecond)))>>8), byte(round*500+int(p.at/(20*time.Millisecond)))
				ts := uint32(round*500*960) + uint32(p.at/(20*time.Millisecond))*960
				p.raw[4], p.raw[5], p.raw[6], p.raw[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
				c.packet(time.Second+time.Duration(round)*10*time.Second+p.at, pub.Track(Audio), p.raw)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s := c.w.audio.snapshot(false)
		if len(s.Playlist().Body) == 0 {
			b.Fatal("empty")
		}
	}
}
