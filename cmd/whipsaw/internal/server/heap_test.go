package server

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHeapPercent(t *testing.T) {
	const mb = 1 << 20
	for name, c := range map[string]struct {
		live, scanned, roots uint64
		want                 int
	}{
		"nothing yet":         {0, 0, 0, 400},
		"one stream":          {6 * mb, 1 * mb, 1 * mb, 80},
		"twenty-five streams": {110 * mb, 5 * mb, 3 * mb, 20},
		"a thousand viewers":  {60 * mb, 30 * mb, 30 * mb, 100},
		"pointers throughout": {100 * mb, 100 * mb, 0, 100},
		"an hour of many":     {64 << 30, 100 * mb, 10 * mb, 10},
		"small, all stacks":   {1 * mb, 1 * mb, 8 * mb, 100},
	} {
		require.Equal(t, c.want, heapPercent(c.live, c.scanned, c.roots), name)
	}
}

// What was set comes back at the end, and GOGC is left alone.
func TestTuneHeapEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	was := debug.SetGCPercent(77)
	defer debug.SetGCPercent(was)
	tuneHeap(ctx)
	require.Equal(t, 77, debug.SetGCPercent(77))
	t.Setenv("GOGC", "50")
	tuneHeap(context.Background()) // returns at once
	require.Equal(t, 77, debug.SetGCPercent(77))
}
