package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand, in the environment of the test binary, makes it the command itself: for tests that kill a whole process.
const asCommand = "WHIPSAW_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	flag.Parse()
	// How much plays at once is for the machine to say (realTime), and not for the number of its cores alone.
	const parallel = "test.parallel"
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == parallel })
	if !chosen {
		if err := flag.Set(parallel, "64"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := closeChromium(); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium ended with", err)
	}
	os.Exit(code)
}

// How much of a core something takes while it plays, in hundredths; what starts up takes more for a moment.
const (
	loadStream   = 6       // a publisher in Go, and the server that it publishes to
	loadProgram  = 10      // a player without a window that decodes 640x360
	loadPage     = 26      // a page in Chromium that plays 640x360
	loadEncoding = 40      // a page in Chromium that encodes it
	loadAll      = 100_000 // the machine for itself
)

// machine is what of this machine tests may use at once: a quarter stays free, since players must not starve.
var machine = newBudget(runtime.NumCPU() * 75 / slower())

// slower is how much more of a core the server takes than the numbers above say: the race detector watches every access.
func slower() int {
	info, _ := debug.ReadBuildInfo()
	if info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return 4
	}
	return 1
}

// realTime lets a test run beside others that play in real time, as soon as the machine has room for what it takes.
func realTime(t *testing.T, load int) {
	t.Helper()
	t.Parallel()
	began := time.Now()
	machine.take(load)
	t.Logf("waited %.1f s for the machine", time.Since(began).Seconds())
	t.Cleanup(func() { machine.give(load) })
}

// budget is a number of which parts are taken and given back. Who wants most is served first: small ones fill what is left.
type budget struct {
	mu      sync.Mutex
	all     int
	free    int
	waiting []claim // the greatest first
}

type claim struct {
	n      int
	served chan struct{}
}

func newBudget(all int) *budget { return &budget{all: all, free: all} }

// take waits until n is free. Who wants more than there is gets all.
func (b *budget) take(n int) {
	c := claim{min(n, b.all), make(chan struct{})}
	b.mu.Lock()
	at := slices.IndexFunc(b.waiting, func(other claim) bool { return other.n < c.n })
	if at < 0 {
		at = len(b.waiting)
	}
	b.waiting = slices.Insert(b.waiting, at, c)
	b.serve()
	b.mu.Unlock()
	<-c.served
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += min(n, b.all)
	b.serve()
}

// serve gives the first of those who wait what they want, as long as there is enough. The caller holds mu.
func (b *budget) serve() {
	for len(b.waiting) > 0 && b.waiting[0].n <= b.free {
		b.free -= b.waiting[0].n
		close(b.waiting[0].served)
		b.waiting = b.waiting[1:]
	}
}

// process is the whipsaw command as a process of its own.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *buffer
	over chan struct{} // closed when it has ended
}

// spawn starts the command; it is killed when the test ends, at the latest.
func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.Command(self, args...), out: &buffer{}, over: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asCommand+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // killed, as a rule
		close(p.over)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("whipsaw %s:\n%s", strings.Join(args, " "), p.out.String())
		}
	})
	return p
}

// kill ends it at once, without a chance to say a word.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.over
}
