package segmenter

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sink records what a reorder buffer gives out: packets as their numbers, losses as negative counts.
type sink struct{ out []int }

func (s *sink) buffer(bound time.Duration) *reorder {
	return &reorder{
		bound:   bound,
		deliver: func(p []byte) { s.out = append(s.out, int(binary.BigEndian.Uint32(p))) },
		lost:    func(n int) { s.out = append(s.out, -n) },
	}
}

func numbered(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func TestReorder(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		at  time.Duration
		seq int
	}
	for name, c := range map[string]struct {
		steps []step
		want  []int
	}{
		"in order over the wrap": {[]step{{0, 65534}, {1, 65535}, {2, 65536}, {3, 65537}}, []int{65534, 65535, 65536, 65537}},
		"swapped":                {[]step{{0, 1}, {1, 3}, {2, 2}, {3, 4}}, []int{1, 2, 3, 4}},
		"duplicate":              {[]step{{0, 1}, {1, 1}, {2, 3}, {3, 3}, {4, 2}}, []int{1, 2, 3}},
		"lost after the bound":   {[]step{{0, 1}, {1 * ms, 3}, {50 * ms, 4}, {202 * ms, 5}}, []int{1, -1, 3, 4, 5}},
		"two holes, one old":     {[]step{{0, 1}, {1 * ms, 3}, {150 * ms, 5}, {202 * ms, 6}}, []int{1, -1, 3}},
		"late is not delivered":  {[]step{{0, 1}, {1 * ms, 3}, {202 * ms, 4}, {203 * ms, 2}}, []int{1, -1, 3, 4}},
		"far ahead is a restart": {[]step{{0, 1}, {1, 2}, {2, 9002}, {3, 9003}}, []int{1, 2, -1, 9002, 9003}},
		"far back is a restart":  {[]step{{0, 20001}, {1, 20002}, {2, 5}, {3, 6}}, []int{20001, 20002, -1, 5, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sink
			r := s.buffer(200 * ms)
			for _, x := range c.steps {
				r.expire(x.at)
				r.push(x.at, uint16(x.seq), numbered(x.seq))
			}
			require.Equal(t, c.want, s.out)
		})
	}
}

func TestReorderAsksAtOnceAndAgain(t *testing.T) {
	const ms = time.Millisecond
	var s sink
	r := s.buffer(200 * ms)
	require.False(t, r.push(0, 10, numbered(10)))
	require.True(t, r.push(5*ms, 13, numbered(13)), "a hole opened")
	require.Equal(t, []uint16{11, 12}, r.nacks(5*ms, nil))
	require.Empty(t, r.nacks(30*ms, nil), "an answer is given its time")
	due, ok := r.nackDue()
	require.True(t, ok)
	require.Equal(t, 65*ms, due)
	r.push(40*ms, 12, numbered(12))
	require.Equal(t, []uint16{11}, r.nacks(due, nil), "what came is not asked for again")
	r.push(90*ms, 11, numbered(11))
	require.Equal(t, []int{10, 11, 12, 13}, s.out)
	require.EqualValues(t, 2, r.recovered)
	require.Empty(t, r.nacks(300*ms, nil))
	_, ok = r.deadline()
	require.False(t, ok)
}

// Whatever comes in whatever order, each packet goes out at most once, in order, and packets and losses add up.
func TestReorderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s sink
		r := s.buffer(100 * time.Millisecond)
		first := rapid.IntRange(0, 65535).Draw(t, "first")
		now := time.Duration(0)
		r.push(now, uint16(first), numbered(first))
		at := first
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			now += time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * time.Millisecond
			at += rapid.IntRange(-8, 12).Draw(t, "step")
			at = max(at, first)
			r.expire(now)
			r.push(now, uint16(at), numbered(at))
		}
		r.flush()
		next := first
		for _, x := range s.out {
			if x < 0 {
				next -= x
				continue
			}
			if x != next {
				t.Fatalf("got %d, want %d in %v", x, next, s.out)
			}
			next++
		}
	})
}

func TestReorderSteadyStateAllocatesNothing(t *testing.T) {
	r := &reorder{bound: time.Second, deliver: func([]byte) {}, lost: func(int) {}}
	p := make([]byte, 1200)
	n := uint16(0)
	for range 100 {
		r.push(0, n, p)
		n++
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		r.push(0, n+1, p)
		r.push(0, n, p)
		n += 2
	}))
}

func BenchmarkReorder(b *testing.B) {
	r := &reorder{bound: time.Second, deliver: func([]byte) {}, lost: func(int) {}}
	p := make([]byte, 1200)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	n := uint16(0)
	for b.Loop() {
		r.push(0, n, p)
		n++
	}
}
