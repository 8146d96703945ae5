package segmenter

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"
)

// unit is one access unit of a source.
type unit struct {
	nalus [][]byte
	idr   bool
	pts   int64 // in frames
}

// avcc is how the unit must come out: without parameter sets and delimiters.
func (u unit) avcc() []byte {
	var b []byte
	for _, n := range u.nalus {
		if k := n[0] & 31; k == 7 || k == 8 || k == 9 {
			continue
		}
		b = binary.BigEndian.AppendUint32(b, uint32(len(n)))
		b = append(b, n...)
	}
	return b
}

// loadUnits reads an Annex B file with access unit delimiters.
func loadUnits(t testing.TB, name string) []unit {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var units []unit
	for _, n := range bytes.Split(raw, []byte{0, 0, 1}) {
		n = bytes.TrimRight(n, "\x00")
		if len(n) == 0 {
			continue
		}
		if n[0]&31 == 9 {
			units = append(units, unit{pts: int64(len(units))})
		}
		u := &units[len(units)-1]
		u.nalus = append(u.nalus, n)
		u.idr = u.idr || n[0]&31 == 5
	}
	return units
}

// camera is a publisher's video: it sends units at a rate and packetizes them like real senders do.
type camera struct {
	w          *world
	track      func() *Track
	units      []unit
	next       int
	frame      time.Duration
	seq        uint16
	ts         uint32
	began      time.Duration
	sent       []unit
	obeys      bool // PLI makes the next unit an IDR
	idr        bool
	replaceIDR *unit // what an IDR on demand looks like; nil: the next one of units
	pliDelay   time.Duration
	hold       time.Duration        // the camera stands still for so long, once
	wobble     func() time.Duration // added to a unit's capture time
	plis       int
	pass       func(n int, raw []byte) bool // false: lost on the way
	count      int
	delay      func() time.Duration
	twice      func() bool // delivered twice
	stop       bool
	late       time.Duration
}

func (c *camera) send() {
	if c.stop {
		return
	}
	if c.idr && c.replaceIDR != nil {
		c.idr = false
		u := *c.replaceIDR
		u.pts = c.units[c.next%len(c.units)].pts
		c.emit(u)
		return
	}
	if c.idr {
		for !c.units[c.next%len(c.units)].idr {
			c.next++
		}
		c.idr = false
	}
	c.emit(c.units[c.next%len(c.units)])
}

func (c *camera) emit(u unit) {
	c.next++
	media := c.w.now - c.began + time.Duration(u.pts-int64(c.next-1)%int64(len(c.units)))*c.frame
	ts := c.ts + uint32(timeToTicks(media, videoRate))
	c.sent = append(c.sent, u)
	c.packets(u, ts)
	c.late += c.hold
	c.hold = 0
	wobble := time.Duration(0)
	if c.wobble != nil {
		wobble = c.wobble()
	}
	c.w.at(c.began+c.late+time.Duration(len(c.sent))*c.frame+wobble, c.send)
}

func payloads(u unit) (list [][]byte) {
	var pay codecs.H264Payloader
	for _, n := range u.nalus {
		list = append(list, pay.Payload(1100, n)...)
	}
	return list
}

// packetize makes RTP packets of a unit, the last one with the marker.
func packetize(u unit, seq *uint16, ts uint32) (list [][]byte) {
	all := payloads(u)
	for i, p := range all {
		pkt := rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 96, SequenceNumber: *seq, Timestamp: ts, SSRC: 1, Marker: i == len(all)-1,
		}, Payload: p}
		*seq++
		list = append(list, marshal(pkt))
	}
	return list
}

func audioPacket(seq uint16, ts uint32, opus []byte) []byte {
	return marshal(rtp.Packet{Header: rtp.Header{
		Version: 2, PayloadType: 111, SequenceNumber: seq, Timestamp: ts, SSRC: 2,
	}, Payload: opus})
}

func marshal(p rtp.Packet) []byte {
	raw, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	return raw
}

func (c *camera) packets(u unit, ts uint32) {
	for _, raw := range packetize(u, &c.seq, ts) {
		c.count++
		if c.pass == nil || c.pass(c.count, raw) {
			c.w.deliver(c.track(), raw, c.delay)
			if c.twice != nil && c.twice() {
				c.w.deliver(c.track(), raw, c.delay)
			}
		}
	}
}

func (w *world) deliver(t *Track, raw []byte, delay func() time.Duration) {
	if delay == nil {
		w.ch.packet(w.now, t, raw)
		return
	}
	w.at(w.now+delay(), func() { w.ch.packet(w.now, t, raw) })
}

// microphone is a publisher's audio: 20 ms frames, each with its number in it.
type microphone struct {
	w     *world
	track func() *Track
	began time.Duration
	seq   uint16
	ts    uint32
	n     uint32
	pass  func(n int) bool
	delay func() time.Duration
	stop  bool
	ppm   int64
}

func opusFrame(n uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0xfc}, n) // CELT, 20 ms, stereo
}

func (m *microphone) send() {
	if m.stop {
		return
	}
	raw := audioPacket(m.seq, m.ts+960*m.n, opusFrame(m.n))
	m.seq++
	m.n++
	if m.pass == nil || m.pass(int(m.n)) {
		m.w.deliver(m.track(), raw, m.delay)
	}
	m.w.at(m.began+time.Duration(m.n)*20*time.Millisecond*time.Duration(1_000_000+m.ppm)/1_000_000, m.send)
}

// studio is a publisher with a camera and a microphone.
type studio struct {
	pub *Publisher
	cam *camera
	mic *microphone
}

func (w *world) publish(units []unit, fps float64, audio bool) *studio {
	w.t.Helper()
	s := &studio{}
	cfg := PublisherConfig{Session: "test"}
	if units != nil {
		s.cam = &camera{w: w, units: units, frame: time.Duration(float64(time.Second) / fps), seq: 65500, ts: 1<<32 - 5000, began: w.now}
		s.cam.track = func() *Track { return s.pub.Track(Video) }
		cfg.Tracks = append(cfg.Tracks, TrackConfig{Kind: Video, PLI: func() {
			s.cam.plis++
			w.at(w.now+s.cam.pliDelay, func() { s.cam.idr = s.cam.obeys })
		}})
	}
	if audio {
		s.mic = &microphone{w: w, seq: 7, ts: 12345, began: w.now}
		s.mic.track = func() *Track { return s.pub.Track(Audio) }
		cfg.Tracks = append(cfg.Tracks, TrackConfig{Kind: Audio, Channels: 2})
	}
	pub, err := newPublisher(nil, cfg)
	require.NoError(w.t, err)
	s.pub = pub
	require.NoError(w.t, w.ch.attach(w.now, pub))
	if s.cam != nil {
		w.at(w.now, s.cam.send)
	}
	if s.mic != nil {
		w.at(w.now, s.mic.send)
	}
	return s
}

func (s *studio) stop() {
	if s.cam != nil {
		s.cam.stop = true
	}
	if s.mic != nil {
		s.mic.stop = true
	}
}
