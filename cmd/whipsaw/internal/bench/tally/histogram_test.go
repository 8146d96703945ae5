package tally

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEmpty(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Count())
	require.Zero(t, h.Quantile(0.5))
	require.Zero(t, h.Mean())
	require.Zero(t, h.Max())
	h.Merge(&Histogram{})
	require.Zero(t, h.Count())
}

func TestSmallNumbersAreExact(t *testing.T) {
	var h Histogram
	for us := 1; us <= 100; us++ {
		h.Add(time.Duration(us) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.01: 1, 0.5: 50, 0.9: 90, 0.99: 99, 0.991: 100, 1: 100} {
		require.Equal(t, want*time.Microsecond, h.Quantile(q).Truncate(time.Microsecond), "%v", q)
	}
	require.Equal(t, 50500*time.Nanosecond, h.Mean())
	require.Equal(t, time.Microsecond, h.Min())
	h.Add(-time.Second)
	require.Zero(t, h.Min(), "a clock that was set")
}

// Every value lies in its bucket, and buckets are narrow.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := uint64(rapid.Int64Range(0, math.MaxInt64/1000).Draw(t, "us"))
		i := index(us)
		require.LessOrEqual(t, us, upper(i))
		if i > 0 {
			require.Greater(t, us, upper(i-1))
			require.LessOrEqual(t, float64(upper(i)-upper(i-1)), 1+float64(us)/perOctave)
		}
	})
}

// Quantiles are those of the sorted values, to the width of a bucket; parts that are merged are as good as the whole.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 300).Draw(t, "values")
		var whole, left, right Histogram
		for i, v := range values {
			whole.Add(time.Duration(v))
			if i%3 == 0 {
				left.Add(time.Duration(v))
			} else {
				right.Add(time.Duration(v))
			}
		}
		left.Merge(&right)
		slices.Sort(values)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 1} {
			rank := max(int(math.Ceil(q*float64(len(values)))), 1)
			exact := float64(values[rank-1])
			require.InDelta(t, exact, float64(whole.Quantile(q)), exact*0.016+1000)
			require.GreaterOrEqual(t, float64(whole.Quantile(q)), exact, "never less than it is")
			require.Equal(t, whole.Quantile(q), left.Quantile(q))
		}
		require.Equal(t, time.Duration(values[len(values)-1]), whole.Max())
		require.Equal(t, whole.Max(), left.Max())
		require.Equal(t, whole.Min(), left.Min())
		require.Equal(t, whole.Count(), left.Count())
	})
}
