package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/api"
	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
	"whipsaw/cmd/whipsaw/internal/server"
	"whipsaw/segmenter"
)

// patience bounds waits for things that take moments on an idle machine: it only makes a failure come sooner or later.
const patience = 60 * time.Second

// instance is one server, run as main runs it.
type instance struct {
	server.Addresses
	t    *testing.T
	out  *buffer
	log  *buffer
	stop func() error // ends it and waits
}

// serve runs the server with these flags and free ports until the test ends.
func serve(t *testing.T, flags ...string) *instance {
	t.Helper()
	args := append([]string{"--listen", "127.0.0.1:0", "--webrtc-udp", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-level", "debug"}, flags...)
	cfg, err := config.ParseServe(args, nothing)
	require.NoError(t, err)
	s := &instance{t: t, out: &buffer{}, log: &buffer{}}
	started, ended := make(chan server.Addresses, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		ended <- run(ctx, cfg, s.out, newLogger(s.log, cfg.LogFormat, cfg.LogLevel), func(a server.Addresses) { started <- a })
	}()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.log.String())
		}
	})
	select {
	case s.Addresses = <-started:
	case err := <-ended:
		cancel()
		s.stop = func() error { return err }
		t.Fatalf("the server did not start: %v", err)
	}
	return s
}

// nothing is an environment without a variable.
func nothing(string) (string, bool) { return "", false }

// publish sends the clip to a stream; the channel gets the result when it ends. stop ends it early, with DELETE.
func (s *instance) publish(stream string, loop bool) (ended <-chan error, stop func()) {
	m, err := publish.Open(demo.Clip())
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	result := make(chan error, 1)
	go func() {
		result <- publish.Run(ctx, m, publish.Options{
			URL: s.URL() + "/whip/" + stream, Loop: loop, Reconnect: patience, UserAgent: "test", Log: slog.New(slog.DiscardHandler),
		})
	}()
	return result, cancel
}

// get fetches a path and returns status, headers and body.
func (s *instance) get(path string) (int, http.Header, []byte) {
	s.t.Helper()
	return fetch(s.t, s.URL()+path)
}

func fetch(t *testing.T, url string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, r.Header, body
}

// eventually waits for something to become true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 50*time.Millisecond, what)
}

// tool returns the path of a program, or ends the test: as skipped, or failed where nothing may be skipped.
func tool(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("WHIPSAW_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is missing and WHIPSAW_REQUIRE_TOOLS=1: apt-get install %s", name, debianPackage)
	}
	t.Skipf("%s is missing: apt-get install %s", name, debianPackage)
	return ""
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// streams is what the API says.
func (s *instance) streams() []segmenter.Status {
	s.t.Helper()
	status, _, body := s.get("/api/streams")
	require.Equal(s.t, http.StatusOK, status)
	var out api.Streams
	require.NoError(s.t, json.Unmarshal(body, &out), "%s", body)
	var list []segmenter.Status
	for _, one := range out.Streams {
		list = append(list, one.Status)
	}
	return list
}
