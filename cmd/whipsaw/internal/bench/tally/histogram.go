// Package tally counts delays in bounded memory.
package tally

import (
	"math/bits"
	"time"
)

// Histogram holds any number of durations in buckets that are at most 1.6 % wide; its smallest and largest value and its
// mean are exact. The zero value is empty and ready. It is for one goroutine.
type Histogram struct {
	counts   []uint64
	n        uint64
	min, max time.Duration
	sum      float64
}

// perOctave is how many buckets there are between a value and its double.
const perOctave = 64

// index is the bucket of a number of microseconds: exact up to 2 x perOctave, logarithmic above.
func index(us uint64) int {
	if us < 2*perOctave {
		return int(us)
	}
	shift := bits.Len64(us) - bits.Len64(2*perOctave-1)
	return shift*perOctave + int(us>>shift)
}

// upper is the greatest number of microseconds that falls into a bucket.
func upper(i int) uint64 {
	if i < 2*perOctave {
		return uint64(i)
	}
	shift := i/perOctave - 1
	return uint64(i-shift*perOctave+1)<<shift - 1
}

// Add counts one duration; a negative one, which only a clock that was set gives, counts as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.n++
	h.sum += float64(d)
	i := index(uint64(d / time.Microsecond))
	if i >= len(h.counts) {
		h.counts = append(h.counts, make([]uint64, i+1-len(h.counts))...)
	}
	h.counts[i]++
}

// Merge adds all that o holds.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.n += o.n
	h.sum += o.sum
	if len(o.counts) > len(h.counts) {
		h.counts = append(h.counts, make([]uint64, len(o.counts)-len(h.counts))...)
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.n }

// Quantile is the smallest value that at least the share q of all does not exceed, to the width of a bucket; 0 if there
// is none. It is never over Max.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q * float64(h.n))
	if float64(rank) < q*float64(h.n) || rank == 0 {
		rank++
	}
	seen := uint64(0)
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			// Microseconds were cut off, so that the bucket reaches to just below the next one.
			return min(max(time.Duration(upper(i)+1)*time.Microsecond-1, h.min), h.max)
		}
	}
	return h.max
}

// Max is the largest, Min the smallest value; 0 if there is none.
func (h *Histogram) Max() time.Duration { return h.max }

// Min is the smallest value; 0 if there is none.
func (h *Histogram) Min() time.Duration { return h.min }

// Mean is the mean; 0 if there is none.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.n))
}
