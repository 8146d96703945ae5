package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

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
	loadStream   = 6  // a publisher in Go, and the server that it publishes to
	loadProgram  = 10 // a player without a window that decodes 640x360
	loadPage     = 26 // a page in Chromium that plays 640x360
	loadEncoding = 40 // a page in Chromium that encodes it
)

// machine is what of this machine tests may use at once: a quarter stays free, since players must not starve.
var machine = newBudget(runtime.NumCPU() * 75)

// realTime lets a test run beside others that play in real time, as soon as the machine has room for what it takes.
func realTime(t *testing.T, load int) {
	t.Helper()
	t.Parallel()
	machine.take(load)
	t.Cleanup(func() { machine.give(load) })
}

// budget is a number of which parts are taken and given back. Who came first is served first.
type budget struct {
	turn  sync.Mutex // held by the one who waits to be served
	mu    sync.Mutex
	freed sync.Cond
	all   int
	free  int
}

func newBudget(all int) *budget {
	b := &budget{all: all, free: all}
	b.freed.L = &b.mu
	return b
}

// take waits until n is free. Who wants more than there is gets all.
func (b *budget) take(n int) {
	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < min(n, b.all) {
		b.freed.Wait()
	}
	b.free -= min(n, b.all)
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += min(n, b.all)
	b.freed.Signal()
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
