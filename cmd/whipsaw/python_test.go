package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The examples publish frames out of Python with the real aiortc: segments of two seconds and sixty frames come out.
func TestPython(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		load int
		run  func(*testing.T, *python)
	}{
		{"frames", 40, frames},
		{"frames by the encoder of aiortc", 30, framesByAiortc},
		{"a call", 60, call},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			dir := publishersDir(t)
			if os.Getenv(insideEnv) == "" {
				realTime(t, c.load)
			}
			if elsewhere(t) {
				return
			}
			p := &python{t: t, dir: dir}
			p.server, p.process = serveElsewhere(t)
			c.run(t, p)
		})
	}
}

// python is the Python that has aiortc, and a server that it publishes to.
type python struct {
	t       *testing.T
	dir     string
	server  *instance
	process *process
}

// start runs one of the scripts. They are copied to where that Python can see them.
func (p *python) start(args ...string) *running {
	p.t.Helper()
	const inside = "/tmp/whipsaw-examples"
	scripts, err := filepath.Glob("examples/*.py")
	require.NoError(p.t, err)
	scripts = append(scripts, "testdata/aiortc_caller.py")
	there, err := os.MkdirTemp(filepath.Join(p.dir, "debian", "tmp"), filepath.Base(inside))
	require.NoError(p.t, err)
	p.t.Cleanup(func() { require.NoError(p.t, os.RemoveAll(there)) })
	for _, s := range scripts {
		b, err := os.ReadFile(s)
		require.NoError(p.t, err)
		require.NoError(p.t, os.WriteFile(filepath.Join(there, filepath.Base(s)), b, 0o600))
	}
	args[0] = filepath.Join("/tmp", filepath.Base(there), args[0])
	return startProgram(p.t, inTree(p.dir, append([]string{"python3"}, args...)...)...)
}

// publishes watches what a script publishes until enough is there, and then interrupts all of them.
func (p *python) publishes(enough func([]segment) bool, scripts ...*running) {
	p.t.Helper()
	var used []time.Duration
	began := time.Now()
	w := p.server.watches(p.t, enough, func() {
		for _, s := range scripts {
			used = append(used, cpuTime(p.t, s.cmd.Process.Pid))
			s.interrupt()
		}
		used = append(used, cpuTime(p.t, p.process.cmd.Process.Pid))
		took := time.Since(began).Seconds()
		for i, d := range used {
			who := "whipsaw"
			if i < len(scripts) {
				who = filepath.Base(scripts[i].cmd.Args[3])
			}
			p.t.Logf("CPU of %s, its start included: %.0f ms a second", who, float64(d.Milliseconds())/took)
		}
	})
	for _, s := range scripts {
		s.wait(p.t)
	}
	w.ended(p.t)
}

// The example, as it is.
func frames(t *testing.T, p *python) {
	script := p.start("aiortc_publish.py", "--size", "640x360", p.server.URL()+"/whip/live")
	p.publishes(wholeSegments, script)
}

// The encoder that aiortc has gives a keyframe when it is asked for one, in time for each segment, and more bits when it is
// told that there is room for them.
func framesByAiortc(t *testing.T, p *python) {
	script := p.start("aiortc_publish.py", "--preset", "aiortc", "--size", "320x180", p.server.URL()+"/whip/live")
	p.publishes(func(list []segment) bool {
		// it begins with 1000 kbit/s, and stays there if it is told nothing
		rich := slices.ContainsFunc(list, func(s segment) bool { return s.kbit > 1200*s.seconds && s.seconds > 1 })
		return rich && wholeSegments(list)
	}, script)
}

// A call that is taken with aiortc goes on to HLS, its pictures changed.
func call(t *testing.T, p *python) {
	server := p.start("aiortc_republish.py", p.server.URL()+"/whip/live", "--port", "8090")
	eventually(t, "calls are taken", func() bool { return strings.Contains(server.out.String(), "Running on") })
	caller := p.start("aiortc_caller.py", "http://127.0.0.1:8090/offer", "320x180")
	p.publishes(wholeSegments, server, caller)
}

// cpuTime is what a process has used of the CPU (Linux: proc(5), in hundredths of a second).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(b), ") ") // the name before may hold anything
	require.True(t, ok)
	fields := strings.Fields(rest)
	require.Greater(t, len(fields), 12)
	return time.Duration(number(t, fields[11])+number(t, fields[12])) * 10 * time.Millisecond
}
