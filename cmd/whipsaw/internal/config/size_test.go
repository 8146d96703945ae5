package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	for in, want := range map[string]int{
		"0B": 0, "7B": 7, "1KiB": 1024, "16MiB": 16 << 20, "3 MB": 3_000_000, "2kB": 2000, "1GB": 1_000_000_000,
	} {
		var n int
		require.NoError(t, size(&n)([]string{in}), in)
		require.Equal(t, want, n, in)
	}
	for _, in := range []string{"", "B", "16", "-1B", "1.5MiB", "16mib", "99999999999999999999B", "9223372036854775807GiB", "0x10B"} {
		n := 5
		require.Error(t, size(&n)([]string{in}), in)
		require.Equal(t, 5, n, "nothing is changed by %q", in)
	}
}

func TestCounts(t *testing.T) {
	var n int
	require.NoError(t, count(&n)([]string{"17"}))
	require.Equal(t, 17, n)
	for _, in := range []string{"", "0", "-3", "1.5", "x"} {
		require.Error(t, count(&n)([]string{in}), in)
	}
}

func TestBitRates(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "500k": 500_000, "900M": 900_000_000, "2.5G": 2_500_000_000, "0.1T": 100_000_000_000, "1000T": 1e15,
	} {
		var n int64
		require.NoError(t, bitRate(&n)([]string{in}), in)
		require.Equal(t, want, n, in)
	}
	for _, in := range []string{"", "k", "1K", "1Gbit", "-1M", "+1M", "1e9", "NaN", "Inf", "0x1p4", "1 M", "1MM", "k1", "1001T", "1.2.3M"} {
		n := int64(5)
		require.Error(t, bitRate(&n)([]string{in}), in)
		require.EqualValues(t, 5, n, "nothing is changed by %q", in)
	}
}
