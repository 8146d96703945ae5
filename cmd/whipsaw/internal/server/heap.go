package server

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapEvery is how often the growth of the heap is set anew.
const heapEvery = time.Second

// leastGrowth is by how many bytes the heap may always grow between two collections.
const leastGrowth = 6 << 20

// tuneHeap lets the heap grow, between two collections, by what a collection costs. The runtime's own rule doubles the
// heap, most of which is media here: bytes that are kept but that a collection never looks at. It runs until ctx ends;
// who has set GOGC knows better.
func tuneHeap(ctx context.Context) {
	if _, chosen := os.LookupEnv("GOGC"); chosen {
		return
	}
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	tick := time.NewTicker(heapEvery)
	defer tick.Stop()
	percent, scanned := 100, uint64(1<<40)
	for {
		metrics.Read(samples)
		var n [4]uint64
		for i, s := range samples {
			n[i] = s.Value.Uint64()
		}
		// Of the heap all that came since the last collection is counted: the least of late is what the next one will find.
		scanned = min(n[1], scanned/8*9)
		if p := heapPercent(n[0], scanned, n[2]+n[3]); p != percent {
			percent = p
			debug.SetGCPercent(p)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// heapPercent is the GOGC for a heap of live bytes of which scanned have pointers in them; roots are the bytes of stacks
// and globals. The runtime takes it of live and roots together. It is never more than the runtime's own 100, but for the
// smallest heaps.
func heapPercent(live, scanned, roots uint64) int {
	all := max(live+roots, 1)
	// Thrice what is scanned: with as many collections, viewers would cost a fifth more. An eighth of what is swept.
	growth := max(leastGrowth, min(all, max(3*(scanned+roots), live/8)))
	percent := int(growth * 100 / all)
	// in steps of ten: the runtime stops the world to take a new one
	return min(max(percent-percent%10, 10), 400)
}
