package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench/mark"
	"whipsaw/fmp4"
)

func marked(t *testing.T, m mark.Mark) []byte {
	t.Helper()
	sei := m.AppendSEI(nil)
	sample := append([]byte{0, 0, 0, byte(len(sei))}, sei...)
	p, err := fmp4.Part(1, 0, []fmp4.Sample{{Duration: 3000, Size: uint32(len(sample))}}, sample)
	require.NoError(t, err)
	return p
}

func TestLedger(t *testing.T) {
	zero := time.Unix(1000, 0)
	at := func(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }
	l := newLedger(func(m mark.Mark) time.Time { return m.Sent.Add(5 * time.Millisecond) }) // all of it was sent 5 ms later
	require.True(t, l.claim("a"))
	require.False(t, l.claim("a"), "one viewer looks into a part")
	l.listed("a", at(8))
	l.listed("a", at(12))
	l.came("a", at(20), nil)
	l.came("a", at(10), marked(t, mark.Mark{Sent: zero}))
	l.came("b", at(30), []byte("a part without a mark"))
	d := l.result()
	require.Equal(t, uint64(2), d.Part.Count())
	require.Equal(t, 5*time.Millisecond, d.Part.Min())
	require.Equal(t, 15*time.Millisecond, d.Part.Max())
	require.Equal(t, uint64(1), d.First.Count())
	require.Equal(t, 5*time.Millisecond, d.First.Max())
	require.Equal(t, 3*time.Millisecond, d.Playlist.Min())
	require.Equal(t, 7*time.Millisecond, d.Playlist.Max())
	require.Equal(t, uint64(1), d.Release.Count())
	require.Equal(t, 7*time.Millisecond, d.Release.Max())
	require.Equal(t, uint64(5), d.Taken.Count(), "each playlist and each part")
	require.Equal(t, uint64(1), d.Delivery.Count())
	require.Equal(t, 10*time.Millisecond, d.Delivery.Max(), "whoever noted it first")
	require.Equal(t, uint64(1), d.Unmarked)
	require.Empty(t, l.parts)
}

// What began before the measurement is left out, and what is long over is counted and forgotten.
func TestLedgerBegin(t *testing.T) {
	zero := time.Unix(1000, 0)
	l := newLedger(func(m mark.Mark) time.Time { return m.Sent })
	l.came("early", zero, marked(t, mark.Mark{Sent: zero}))
	l.begin()
	l.came("early", zero.Add(time.Second), nil)
	l.came("now", zero.Add(time.Second), marked(t, mark.Mark{Sent: zero}))
	require.Len(t, l.parts, 2)
	l.came("later", zero.Add(2*settled), marked(t, mark.Mark{Sent: zero.Add(2 * settled)}))
	require.Len(t, l.parts, 1)
	d := l.result()
	require.Equal(t, uint64(2), d.Part.Count())
	require.Equal(t, time.Second, d.Part.Max())
	require.Zero(t, d.Part.Min())
	require.Zero(t, d.Unmarked)
}
