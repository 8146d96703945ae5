package segmenter

import "sync/atomic"

// memory counts what all streams of a registry keep for players, bytes.
type memory struct {
	bytes   atomic.Int64
	streams atomic.Int64 // that keep anything
}

// holding is one stream's share of the memory. Only the stream's goroutine touches it.
type holding struct {
	all   *memory
	bytes int64
}

// set notes how much the stream keeps now.
func (h *holding) set(n int64) {
	h.all.bytes.Add(n - h.bytes)
	switch {
	case h.bytes == 0 && n > 0:
		h.all.streams.Add(1)
	case h.bytes > 0 && n == 0:
		h.all.streams.Add(-1)
	}
	h.bytes = n
}

// tooLarge says whether the stream has to give way: it is over its own bound, or all together are over theirs and it
// keeps more than an equal share, so that one that takes all never drives the others out.
func (h *holding) tooLarge(cfg *Config) bool {
	if h.bytes > int64(cfg.MaxBytes) {
		return true
	}
	share := cfg.MaxTotal / max(h.all.streams.Load(), 1)
	return h.all.bytes.Load() > cfg.MaxTotal && h.bytes >= share
}

// Kept tells what all streams keep for players, in bytes: it is bounded by Config.MaxTotal.
func (r *Registry) Kept() int64 { return r.kept.bytes.Load() }

// full says whether there is room for one stream more.
func (m *memory) full(cfg *Config) bool {
	return m.bytes.Load() > cfg.MaxTotal*9/10
}
