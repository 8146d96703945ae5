package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A sender that gives its sets with every IDR has given them with one behind a hole, too.
func TestParameterSets_lostWithAHole(t *testing.T) {
	for name, c := range map[string]struct {
		before, after [][]byte
		damaged       bool
	}{
		"all lost":             {[][]byte{sps0, pps0, idr(9)}, [][]byte{idr(9)}, true},
		"SPS lost":             {[][]byte{sps0, pps0, idr(9)}, [][]byte{pps0, idr(9)}, true},
		"one of two PPS lost":  {[][]byte{sps0, pps0, pps1, idr(9)}, [][]byte{sps0, pps1, idr(9)}, true},
		"all there":            {[][]byte{sps0, pps0, idr(9)}, [][]byte{sps0, pps0, idr(9)}, false},
		"never with it":        {[][]byte{idr(9)}, [][]byte{idr(9)}, false},
		"hole inside the sets": {[][]byte{sps0, pps0, idr(9)}, [][]byte{sps0, nil, pps0, idr(9)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.SetParameterSets([][]byte{sps0, pps0})
			for _, n := range c.before {
				r.push(packet(0, n))
			}
			r.push(packet(1, predicted(1, 9)), packet(2, predicted(2, 9)))
			r.Lost()
			for _, n := range c.after {
				if n == nil {
					r.Lost()
					continue
				}
				r.push(packet(4, n))
			}
			all := r.flush()
			require.Equal(t, c.damaged, all[len(all)-1].Damaged)
		})
	}
}

// What a sender does is known from its first IDR on, although a hole was in it.
func TestParameterSets_lostTwice(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0))
	r.Lost()
	r.push(packet(1, predicted(1, 9)))
	r.Lost()
	r.push(packet(2, idr(9)))
	r.Lost()
	r.push(packet(3, sps0), packet(3, pps0), packet(3, idr(9)), packet(4, idr(9)))
	r.Lost()
	r.push(packet(5, idr(9)))
	all := r.flush()
	require.Len(t, all, 6)
	var damaged []bool
	for _, g := range all {
		damaged = append(damaged, g.Damaged)
	}
	// A unit before a hole is damaged. The one of timestamp 5 has no sets, but its sender has shown meanwhile that it may not.
	require.Equal(t, []bool{true, true, true, false, true, true}, damaged)
	r.push(packet(6, sps0), packet(6, pps0), packet(6, idr(9)), packet(7, idr(9)), packet(8, idr(9)))
	r.Lost()
	r.push(packet(9, idr(9)))
	all = r.flush()
	require.False(t, all[3].Damaged)
	require.True(t, all[3].AfterLoss)
}

// Sets before the hole are not those of the IDR behind it.
func TestParameterSets_beforeTheHole(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)), packet(1, sps0), packet(1, pps0), packet(2, sei(3, -1)))
	r.Lost()
	r.push(packet(3, idr(9)))
	all := r.flush()
	require.True(t, all[len(all)-1].IDR && all[len(all)-1].Damaged)
}
