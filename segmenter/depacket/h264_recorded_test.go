package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestH264_recordedStreams(t *testing.T) {
	for name, each := range map[string]int{"bframes": 1, "slices": 4, "refresh": 1, "opengop": 1, "interlaced": 1} {
		for _, mtu := range []int{40, 300, 1200} {
			r := newReceiver(t)
			pictures := recorded(t, name, each)
			for _, p := range pictures {
				r.push(p.packets(mtu)...)
			}
			all := r.flush()
			require.Len(t, all, len(pictures), name)
			for i, g := range all {
				require.True(t, g.publishable(), "%s %d", name, i)
				require.True(t, g.FirstMB0)
				require.Equal(t, pictures[i].avcc(), g.Data)
				require.Equal(t, pictures[i].timestamp, g.Timestamp)
				require.Equal(t, pictures[i].setOf(nalIDR) != nil, g.IDR)
				require.Equal(t, 1, g.version, "sets that come again unchanged are the same")
			}
		}
	}
}

// The output order that x264 meant: with b-pyramid three B frames are decoded as 4 2 1 3, two as 3 1 2.
func TestH264_recordedOrder(t *testing.T) {
	r := newReceiver(t)
	for _, p := range recorded(t, "bframes", 1) {
		r.push(p.packets(1200)...)
	}
	var order []int64
	types := ""
	for _, g := range r.flush() {
		require.True(t, g.HasPOC)
		order = append(order, g.POC/2)
		types += [...]string{"P", "B", "I", "SP", "SI"}[g.SliceType]
	}
	require.Equal(t, []int64{0, 4, 2, 1, 3, 8, 6, 5, 7, 11, 9, 10}, order[:12])
	require.Equal(t, "IPBBBPBBBPBB", types[:12])
	require.Equal(t, 2, r.MaxReorder())

	for name, want := range map[string]int{"slices": 0, "refresh": 0, "opengop": 2} {
		each := map[bool]int{true: 4, false: 1}[name == "slices"]
		r := newReceiver(t)
		require.Equal(t, -1, r.MaxReorder())
		for _, p := range recorded(t, name, each) {
			r.push(p.packets(1200)...)
		}
		r.flush()
		require.Equal(t, want, r.MaxReorder(), name)
	}
}

func TestH264_recordedRecoveryPoints(t *testing.T) {
	for name, want := range map[string][]int{"refresh": {0, 8, 16}, "opengop": {0, 4}} {
		r := newReceiver(t)
		for _, p := range recorded(t, name, 1) {
			r.push(p.packets(1200)...)
		}
		var at []int
		for i, g := range r.flush() {
			if g.RecoveryPoint >= 0 || g.IDR {
				at = append(at, i)
			}
		}
		require.Equal(t, want, at, name)
	}
}
