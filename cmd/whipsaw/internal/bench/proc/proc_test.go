package proc

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func stat(name string) string {
	fields := make([]string, 50)
	for i := range fields {
		fields[i] = fmt.Sprint(i + 3) // each holds its own number, as proc_pid_stat(5) counts them
	}
	return "123 (" + name + ") " + strings.Join(fields, " ") + "\n"
}

func TestParseStat(t *testing.T) {
	for _, name := range []string{"whipsaw", "a b", ") 1 2 (", ""} {
		var u Usage
		require.NoError(t, u.parseStat([]byte(stat(name))), name)
		require.Equal(t, (14+15)*10*time.Millisecond, u.CPU)
		require.Equal(t, 20, u.Threads)
		require.Equal(t, int64(24*os.Getpagesize()), u.RSS)
	}
	for _, bad := range []string{"", "1 (x)", "1 (x) S 1 2", strings.Replace(stat("x"), " 14 ", " x ", 1)} {
		var u Usage
		require.ErrorIs(t, u.parseStat([]byte(bad)), ErrStat, bad)
	}
}

func TestRead(t *testing.T) {
	_, err := Read(1 << 30)
	require.ErrorIs(t, err, ErrStat)
	if runtime.GOOS != "linux" {
		return
	}
	before, err := Self()
	require.NoError(t, err)
	require.Positive(t, before.RSS)
	require.Positive(t, before.Threads)
	for { // burns CPU until that shows
		now, err := Self()
		require.NoError(t, err)
		if now.CPU > before.CPU {
			break
		}
	}
	m := Describe(3)
	require.Equal(t, 3, m.Cores)
	require.NotEmpty(t, m.Kernel)
	require.Positive(t, m.Memory)
}

func TestBusy(t *testing.T) {
	require.Equal(t, (1+2+3+6+7+8)*10*time.Millisecond, parseBusy([]byte("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\n")))
	for _, bad := range []string{"", "cpu", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		require.Zero(t, parseBusy([]byte(bad)), bad)
	}
	if runtime.GOOS == "linux" {
		require.Positive(t, Busy())
	}
}
