package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// count takes a whole number from 1 on.
func count(to *int) func([]string) error {
	return func(v []string) error {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number from 1 on", v[0])
		}
		*to = n
		return nil
	}
}

// units of sizes, longest name first.
var units = []struct {
	name string
	n    int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1000}, {"MB", 1000_000}, {"GB", 1000_000_000}, {"B", 1}}

// size takes a number of bytes with its unit.
func size[T int | int64](to *T) func([]string) error {
	return func(v []string) error {
		for _, u := range units {
			digits, ok := strings.CutSuffix(v[0], u.name)
			if !ok {
				continue
			}
			n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			if err != nil || n < 0 || n > math.MaxInt64/u.n || int64(T(n*u.n)) != n*u.n {
				break
			}
			*to = T(n * u.n)
			return nil
		}
		return fmt.Errorf("%q is no size like 512KiB, 16MiB or 4GiB", v[0])
	}
}

// bitRate takes a number of bits a second, with k, M, G or T for thousands.
func bitRate(to *int64) func([]string) error {
	return func(v []string) error {
		digits, unit := v[0], 1.0
		if i := strings.IndexAny(digits, "kMGT"); i >= 0 && i == len(digits)-1 {
			unit = map[byte]float64{'k': 1e3, 'M': 1e6, 'G': 1e9, 'T': 1e12}[digits[i]]
			digits = digits[:i]
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || strings.Trim(digits, "0123456789.") != "" || n*unit > 1e15 {
			return fmt.Errorf("%q is no rate like 500k, 900M or 2.5G", v[0])
		}
		*to = int64(math.Round(n * unit))
		return nil
	}
}
