package segmenter

import "slices"

// Histogram counts observations by size, as Prometheus does.
type Histogram struct {
	Bounds []float64 `json:"bounds"` // ascending; an observation counts under the first bound that it does not exceed
	Counts []uint64  `json:"counts"` // one for each bound, and one for what exceeds them all
	Sum    float64   `json:"sum"`
}

// Count is the number of observations.
func (h Histogram) Count() uint64 {
	n := uint64(0)
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Bounds of what the server measures of itself: seconds, and bytes.
var (
	delayBounds = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1}
	sizeBounds  = []float64{1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 4 << 20}
)

func newHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, Counts: make([]uint64, len(bounds)+1)}
}

func (h *Histogram) observe(x float64) {
	i, _ := slices.BinarySearch(h.Bounds, x)
	h.Counts[i]++
	h.Sum += x
}

// copied returns a copy that does not change; the bounds never do.
func (h *Histogram) copied() *Histogram {
	return &Histogram{Bounds: h.Bounds, Counts: slices.Clone(h.Counts), Sum: h.Sum}
}
