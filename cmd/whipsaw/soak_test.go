package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// soaked is the CSV of a run of an hour, with what comes and goes in it: leaks are what is added to each sample, in KiB of
// RSS, KiB of live heap, goroutines and open files an hour.
func soaked(leaks [4]float64, samples int) string {
	var b strings.Builder
	b.WriteString("second,rss_kib,live_heap_kib,goroutines,files,threads,streams,sessions\n")
	for i := range samples {
		at := float64(i) / 360
		wave := math.Sin(float64(i) * 2.4)
		early := 20000 * math.Exp(-30*at) // caches fill
		fmt.Fprintf(&b, "%d,%.0f,%.0f,%.0f,%.0f,10,3,3\n", 10*i, 80000-early+1500*wave+leaks[0]*at, 30000-early+3000*wave+leaks[1]*at,
			220+40*wave+leaks[2]*at, 120+20*wave+leaks[3]*at)
	}
	return b.String()
}

// What grows is told from what goes up and down, and from what grew while everything was new.
func TestSoakIsJudged(t *testing.T) {
	bash := tool(t, "bash", "bash")
	for name, c := range map[string]struct {
		leaks   [4]float64
		samples int
		warm    string
		grows   string // name of the column; empty: none
	}{
		"flat":            {samples: 361, warm: "10m"},
		"memory given up": {leaks: [4]float64{-9000, -3000, -30, -20}, samples: 361, warm: "10m"},
		"resident memory": {leaks: [4]float64{0: 4000}, samples: 361, warm: "10m", grows: "rss_kib"},
		"heap":            {leaks: [4]float64{1: 8000}, samples: 361, warm: "600s", grows: "live_heap_kib"},
		"goroutines":      {leaks: [4]float64{2: 60}, samples: 361, warm: "600", grows: "goroutines"},
		"open files":      {leaks: [4]float64{3: 30}, samples: 361, warm: "10m", grows: "files"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "soak.csv")
			require.NoError(t, os.WriteFile(path, []byte(soaked(c.leaks, c.samples)), 0o600))
			out, err := exec.Command(bash, "bench-soak.sh", "--judge", path, c.warm).CombinedOutput()
			for _, column := range []string{"rss_kib", "live_heap_kib", "goroutines", "files"} {
				verdict := "flat"
				if column == c.grows {
					verdict = "GROWS"
				}
				require.Regexp(t, fmt.Sprintf(`(?m)^%s +%s:`, column, verdict), string(out))
			}
			if c.grows == "" {
				require.NoError(t, err)
				return
			}
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Equal(t, 1, exit.ExitCode())
		})
	}
}

// A run of which nothing is left after the beginning is not called flat.
func TestSoakTooShort(t *testing.T) {
	bash := tool(t, "bash", "bash")
	path := filepath.Join(t.TempDir(), "soak.csv")
	require.NoError(t, os.WriteFile(path, []byte(soaked([4]float64{}, 20)), 0o600))
	out, err := exec.Command(bash, "bench-soak.sh", "--judge", path, "2m30s").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "is no time")
	out, err = exec.Command(bash, "bench-soak.sh", "--judge", path, "2m").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(bash, "bench-soak.sh", "--judge", path, "150s").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "too few samples")
}
