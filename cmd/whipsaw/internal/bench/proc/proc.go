// Package proc reads what processes cost: their CPU time and memory, from /proc.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrStat is wrapped when /proc has no such process, or is not there at all, as on systems other than Linux.
var ErrStat = errors.New("no such process in /proc")

// tick is the unit of CPU times in /proc: USER_HZ is 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// Usage is what a process has used up to now.
type Usage struct {
	At      time.Time
	CPU     time.Duration // user and system, of all its threads
	RSS     int64         // resident bytes
	Threads int
}

// Read tells what process pid has used. Errors wrap ErrStat.
func Read(pid int) (Usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Usage{}, fmt.Errorf("%w: %w", ErrStat, err)
	}
	u := Usage{At: time.Now()}
	if err := u.parseStat(stat); err != nil {
		return Usage{}, err
	}
	return u, nil
}

// Self is Read for this process.
func Self() (Usage, error) { return Read(os.Getpid()) }

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The program's name stands in parentheses and may hold any.
func (u *Usage) parseStat(stat []byte) error {
	_, rest, ok := strings.Cut(string(stat[max(0, bytes.LastIndexByte(stat, ')')):]), ") ")
	f := strings.Fields(rest)
	const first, utime, stime, threads, rss = 3, 14, 15, 20, 24 // numbers of the fields; f begins with the third
	if !ok || len(f) <= rss-first {
		return fmt.Errorf("%w: stat is cut off", ErrStat)
	}
	var n [4]int64
	for i, field := range []int{utime, stime, threads, rss} {
		v, err := strconv.ParseInt(f[field-first], 10, 64)
		if err != nil {
			return fmt.Errorf("%w: stat: %w", ErrStat, err)
		}
		n[i] = v
	}
	u.CPU = time.Duration(n[0]+n[1]) * tick
	u.Threads = int(n[2])
	u.RSS = n[3] * int64(os.Getpagesize())
	return nil
}

// Busy is the CPU time that all processes of this machine have used up to now, and what its host has taken from it. It is 0
// where /proc does not tell.
func Busy() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return parseBusy(b)
}

// parseBusy reads the first line of /proc/stat (proc_stat(5)): "cpu" and times in ticks, of which the fourth and fifth are
// idle and those past the eighth are in others already.
func parseBusy(stat []byte) time.Duration {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	f := strings.Fields(string(line))
	if len(f) < 9 || f[0] != "cpu" {
		return 0
	}
	sum := int64(0)
	for i, text := range f[1:9] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0
		}
		if idle := i == 3 || i == 4; !idle {
			sum += n
		}
	}
	return time.Duration(sum) * tick
}

// Machine describes where something was measured.
type Machine struct {
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
}

// Describe reads what /proc tells of this machine; what it does not tell stays empty. cores is what this process may use.
func Describe(cores int) Machine {
	m := Machine{Cores: cores}
	m.CPU = value("/proc/cpuinfo", "model name")
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	if kb, err := strconv.ParseInt(strings.TrimSuffix(value("/proc/meminfo", "MemTotal"), " kB"), 10, 64); err == nil {
		m.Memory = kb << 10
	}
	return m
}

// value is that of the first line "name : value" of a file.
func value(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
