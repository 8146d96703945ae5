package segmenter

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
)

// world drives a channel under a virtual clock: whatever is scheduled happens in order, with ticks when the channel
// wants them, and after every step what readers see is recorded.
type world struct {
	t    *testing.T
	cfg  Config
	now  time.Duration
	base time.Time
	ch   *channel
	todo agendaHeap
	n    int
	tick time.Duration
	busy bool

	tolerant bool // lateness is not held against the stream
	gens     []*Generation
	views    map[*Rendition]*view
}

// view is what a player of one rendition has seen.
type view struct {
	check *check.Checker
	held  []byte // the version before, as text
	last  *Snapshot
	parts []*Part
	segs  map[int64]*Segment
	inits map[int][]byte
}

type task struct {
	at time.Duration
	n  int
	do func()
}

type agendaHeap []task

func (h agendaHeap) Len() int { return len(h) }
func (h agendaHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].n < h[j].n
}
func (h agendaHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *agendaHeap) Push(x any)   { *h = append(*h, x.(task)) }
func (h *agendaHeap) Pop() any     { o := *h; x := o[len(o)-1]; *h = o[:len(o)-1]; return x }

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, cfg: DefaultConfig(), base: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), views: map[*Rendition]*view{}}
	for _, f := range change {
		f(&w.cfg)
	}
	require.NoError(t, w.cfg.Validate())
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	w.now = time.Second
	w.ch = &channel{all: &w.cfg, cfg: &w.cfg, log: log, base: w.base, memory: holding{all: &memory{}}, drop: func() {}}
	w.ch.begun = func(g *Generation) { w.gens = append(w.gens, g) }
	return w
}

func (w *world) at(d time.Duration, do func()) {
	w.n++
	heap.Push(&w.todo, task{at: d, n: w.n, do: do})
}

// run lets the world go on until a moment.
func (w *world) run(until time.Duration) {
	for {
		next := until
		if len(w.todo) > 0 {
			next = min(next, w.todo[0].at)
		}
		if w.busy {
			next = min(next, max(w.tick, w.now))
		}
		w.now = max(w.now, next)
		for len(w.todo) > 0 && w.todo[0].at <= w.now {
			heap.Pop(&w.todo).(task).do()
		}
		w.tick, w.busy = w.ch.tick(w.now)
		w.look()
		if w.now >= until {
			return
		}
	}
}

// look records what has become visible.
func (w *world) look() {
	for _, g := range w.gens {
		if g.Multivariant() == nil {
			continue // no player knows of it
		}
		for i := range g.renditions {
			if r := g.renditions[i].Load(); r != nil {
				w.see(r)
			}
		}
	}
}

func (w *world) see(r *Rendition) {
	v := w.views[r]
	if v == nil {
		v = &view{segs: map[int64]*Segment{}, inits: map[int][]byte{}, check: check.New()}
		w.views[r] = v
	}
	s := r.Snapshot()
	if s == v.last {
		return
	}
	v.last = s
	for _, g := range s.Segments {
		old := v.segs[g.MSN]
		have := 0
		if old != nil {
			require.Equal(w.t, old.Epoch, g.Epoch)
			have = len(old.Parts)
		}
		v.parts = append(v.parts, g.Parts[have:]...)
		v.segs[g.MSN] = g
		if init := s.Init(g.Init); init != nil {
			v.inits[g.Init] = init
		}
	}
	if len(s.Segments) > 0 {
		w.judge(r, v, s)
	}
}

// judge shows a version to the strict checker: the playlist, its delta update, and all bytes that are new in it.
func (w *world) judge(r *Rendition, v *view, s *Snapshot) {
	w.t.Helper()
	at := w.base.Add(w.now)

	fine := func(list []check.Violation) {
		w.t.Helper()
		for _, x := range list {
			if !w.excused(x) {
				require.Fail(w.t, x.String(), "%s at %v\n%s", r.name, w.now, s.Playlist().Body)
			}
		}
	}
	fine(v.check.Playlist(at, s.Playlist().Body))
	if v.held != nil {
		fine(v.check.Delta(v.held, s.Delta().Body, s.Playlist().Body))
	}
	v.held = s.Playlist().Body
	for _, uri := range v.check.Wanted() {
		fine(v.check.Bytes(uri, s.file(uri)))
	}
}

// excused leaves out what only a punctual network can keep, and that with recovery points not every sync sample is an IDR.
func (w *world) excused(x check.Violation) bool {
	return w.tolerant && strings.Contains(x.Detail, "nothing new after") ||
		w.cfg.RecoveryPoints && strings.Contains(x.Detail, "sync is true, IDR is false")
}

// file is what the server answers for a name in the playlist.
func (s *Snapshot) file(uri string) []byte {
	var id PartID
	var n int
	if _, err := fmt.Sscanf(uri, "part-%d-%d-%d.m4s", &id.Epoch, &id.MSN, &id.Index); err == nil {
		return s.Part(id).Data
	}
	if _, err := fmt.Sscanf(uri, "init-%d.mp4", &n); err == nil {
		return s.Init(n)
	}
	if _, err := fmt.Sscanf(uri, "segment-%d.m4s", &n); err != nil {
		panic(err)
	}
	var b []byte
	for _, p := range s.Segment(int64(n)).Parts {
		b = append(b, p.Data...)
	}
	return b
}

func (w *world) view(k Kind) *view {
	w.t.Helper()
	require.NotEmpty(w.t, w.gens, "no generation began")
	r := w.gens[len(w.gens)-1].Rendition(k.String())
	require.NotNil(w.t, r, "no %v rendition", k)
	return w.views[r]
}

// samples returns all samples of a rendition in order, and checks that decode times are contiguous.
func (v *view) samples(t *testing.T) (all []fmp4.FragmentSample) {
	t.Helper()
	end := int64(-1)
	for _, p := range v.parts {
		fs, err := fmp4.ParseParts(p.Data)
		require.NoError(t, err)
		require.Len(t, fs, 1)
		f := fs[0]
		if end >= 0 {
			require.Equal(t, end, int64(f.DecodeTime), "tfdt is not contiguous at part %+v", p.PartID)
		}
		end = int64(f.DecodeTime + f.Duration())
		all = append(all, f.Samples...)
	}
	return all
}

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
