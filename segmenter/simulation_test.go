package segmenter

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	seeds = flag.Int("seeds", 40, "how many simulated streams TestSimulation runs; five times as many where all tools are required")
	seed  = flag.Int("seed", -1, "run this one alone")
)

// TestSimulation lets publishers of every kind meet networks of every kind. After every step the strict checker sees
// what a player would; at the end every published picture must be one that was sent, and decodable from its IDR. A seed
// that fails is replayed with -seed N.
func TestSimulation(t *testing.T) {
	first, last := 0, *seeds
	switch {
	case testing.Short():
		last = min(last, 6)
	case os.Getenv("WHIPSAW_REQUIRE_TOOLS") != "":
		last *= 5
	}
	if *seed >= 0 {
		first, last = *seed, *seed+1
	}
	for n := first; n < last; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			simulate(t, uint64(n))
		})
	}
}

func simulate(t *testing.T, seed uint64) *world {
	rnd := rand.New(rand.NewPCG(seed, 42))
	w := newWorld(t)
	w.tolerant = true
	net := newNetwork(rnd)
	var all []unit
	end := w.now + 40*time.Second
	for w.now < end {
		s := w.enter(rnd, net)
		if s == nil {
			w.run(w.now + time.Second)
			continue
		}
		stay := min(time.Duration(5+rnd.IntN(30))*time.Second, end-w.now)
		w.troubles(rnd, s, stay)
		w.run(w.now + stay)
		if s.cam != nil {
			all = append(all, s.cam.sent...)
		}
		w.leave(rnd, s)
	}
	w.legal()
	for _, g := range w.gens {
		if r := g.Rendition("video"); r != nil {
			w.sentAndWhole(w.views[r], all)
		}
	}
	return w
}

// enter brings a publisher: what it sends is drawn.
func (w *world) enter(rnd *rand.Rand, net *network) *studio {
	files := []string{"plain.h264", "other.h264", "bframes.h264"}
	file := files[rnd.IntN(len(files))]
	units := loadUnits(w.t, file)
	if file == "bframes.h264" && rnd.IntN(2) == 0 {
		shown := decodeOrderPTS(units)
		for i := range units {
			units[i].pts = shown[i]
		}
	}
	rates := []float64{15, 24, 25, 29.97, 30, 50, 60}
	what := rnd.IntN(10)
	if what == 0 {
		units = nil
	}
	if w.ch.pub != nil && w.ch.healthy(w.now) && w.ch.replaced && w.now-w.ch.tookOver < takeOverSpacing {
		return nil // it would be refused
	}
	s := w.publish(units, rates[rnd.IntN(len(rates))], what != 1)
	if s.cam != nil {
		s.cam.obeys = rnd.IntN(3) > 0
		s.cam.pass = func(int, []byte) bool { return !net.loses() }
		s.cam.delay, s.cam.twice = net.delay, net.doubles
		s.cam.seq, s.cam.ts = uint16(rnd.Uint32()), rnd.Uint32()
	}
	if s.mic != nil {
		s.mic.pass = func(int) bool { return !net.loses() }
		s.mic.delay = net.delay
		s.mic.ppm = int64(rnd.IntN(400)) - 200
		s.mic.seq, s.mic.ts = uint16(rnd.Uint32()), rnd.Uint32()
	}
	return s
}

// troubles schedules what goes wrong while a publisher is there.
func (w *world) troubles(rnd *rand.Rand, s *studio, stay time.Duration) {
	for range rnd.IntN(4) {
		at := w.now + time.Duration(rnd.Int64N(int64(stay)))
		switch rnd.IntN(4) {
		case 0:
			if s.cam != nil {
				hold := time.Duration(rnd.IntN(4000)) * time.Millisecond
				w.at(at, func() { s.cam.hold = hold })
			}
		case 1:
			if s.cam != nil {
				other := loadUnits(w.t, []string{"plain.h264", "other.h264"}[rnd.IntN(2)])
				w.at(at, func() { s.cam.units, s.cam.next = other, 0 })
			}
		case 2:
			if s.mic != nil {
				w.at(at, func() { s.mic.stop = true })
			}
		case 3:
			if s.cam != nil {
				w.at(at, func() { s.cam.ts += rnd.Uint32() })
			}
		}
	}
}

// leave takes a publisher away, in one of the ways they go.
func (w *world) leave(rnd *rand.Rand, s *studio) {
	s.stop()
	if w.ch.pub != s.pub {
		return
	}
	switch rnd.IntN(4) {
	case 0:
		w.ch.detach(w.now, ReasonDeleted)
	case 1:
		w.ch.detach(w.now, ReasonPeerClosed)
	case 2: // the cable is pulled: it is there, and silent
	case 3:
		w.run(w.now + time.Duration(rnd.IntN(40))*time.Second)
	}
}

// network is what lies between: loss, alone or in bursts, delay, jitter that reorders, and duplicates.
type network struct {
	rnd          *rand.Rand
	loss, burst  float64
	left         int
	base, jitter time.Duration
	double       float64
}

func newNetwork(rnd *rand.Rand) *network {
	n := &network{rnd: rnd}
	if rnd.IntN(3) > 0 {
		n.loss = []float64{0.001, 0.01, 0.05, 0.2}[rnd.IntN(4)]
	}
	if rnd.IntN(3) == 0 {
		n.burst = 0.0005
	}
	n.base = time.Duration(rnd.IntN(150)) * time.Millisecond
	if rnd.IntN(2) == 0 {
		n.jitter = time.Duration(1+rnd.IntN(60)) * time.Millisecond
	}
	if rnd.IntN(4) == 0 {
		n.double = 0.02
	}
	return n
}

func (n *network) loses() bool {
	if n.left > 0 {
		n.left--
		return true
	}
	if n.burst > 0 && n.rnd.Float64() < n.burst {
		n.left = n.rnd.IntN(60)
	}
	return n.rnd.Float64() < n.loss
}

func (n *network) delay() time.Duration {
	if n.jitter == 0 {
		return n.base
	}
	return n.base + time.Duration(n.rnd.Int64N(int64(n.jitter)))
}

func (n *network) doubles() bool { return n.rnd.Float64() < n.double }

// sentAndWhole checks that what was published of video was sent so, and that nothing is missing between a picture and
// its IDR: each is the one that some sender sent after the one before it.
func (w *world) sentAndWhole(v *view, sent []unit) {
	w.t.Helper()
	follows := map[string]map[string]bool{} // picture -> those sent right after it
	before := ""
	known := map[string]bool{}
	for _, u := range sent {
		data := string(u.avcc())
		known[data] = true
		if follows[before] == nil {
			follows[before] = map[string]bool{}
		}
		follows[before][data] = true
		before = data
	}
	before = ""
	for i, got := range v.samples(w.t) {
		data := string(got.Data)
		require.True(w.t, known[data], "picture %d was never sent", i)
		if !got.Sync {
			require.True(w.t, follows[before][data], "picture %d does not follow the one before", i)
		}
		before = data
	}
}
