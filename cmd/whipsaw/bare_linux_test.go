package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// insideBare is set in the process that runs in the bare environment.
const insideBare = "WHIPSAW_BARE"

// Commands of the README and of deploy/ run as they are shown, with the ports that they name, in a fresh network of which
// loopback is all, in an environment of hardly a variable, with Go, a shell and what the text names.
func TestBareEnvironment(t *testing.T) {
	if testing.Short() {
		t.Skip("links the binary")
	}
	if os.Getenv(insideBare) != "" {
		inside(t)
		return
	}
	for _, name := range []string{"curl", "openssl", "ffmpeg"} {
		tool(t, name, name)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	bin := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %s \"$@\"\n", asCommand, self)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "whipsaw"), []byte(script), 0o700))
	goBinary := tool(t, "go", "golang")
	c := exec.Command(self, "-test.run=^TestBareEnvironment$", "-test.v", "-test.timeout=5m")
	c.Env = []string{insideBare + "=1", "CGO_ENABLED=0", "GOPROXY=off", "HOME=" + t.TempDir(), "PATH=" + strings.Join([]string{bin, filepath.Dir(goBinary), "/usr/bin", "/bin"}, ":")}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
		value, err := exec.Command(goBinary, "env", name).Output()
		require.NoError(t, err)
		c.Env = append(c.Env, name+"="+strings.TrimSpace(string(value)))
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestBareEnvironment")
}

// bare runs commands inside.
type bare struct {
	t   *testing.T
	dir string
	ran map[string]bool
}

// command is one that is shown, with some words replaced; it is started by a shell, in a group of its own.
func (b *bare) command(command string, swaps ...string) *exec.Cmd {
	b.t.Helper()
	require.Equal(b.t, inBare, proofs[command], command)
	b.ran[command] = true
	c := exec.Command("sh", "-c", strings.NewReplacer(swaps...).Replace(command))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Dir = root(b.t)
	if !strings.HasPrefix(command, "go ") {
		c.Dir = b.dir
	}
	c.Env = append(os.Environ(), "WHIPSAW_WATCH_KEY=") // an empty variable is none
	return c
}

// run runs a command to its end and returns what it wrote.
func (b *bare) run(command string, swaps ...string) string {
	b.t.Helper()
	out, err := b.command(command, swaps...).CombinedOutput()
	require.NoError(b.t, err, "%s: %s", command, out)
	return string(out)
}

// start starts a command that goes on until stop, and has to be there still then.
func (b *bare) start(command string, env []string, swaps ...string) (stop func()) {
	b.t.Helper()
	out := &buffer{}
	c := b.command(command, swaps...)
	c.Env = append(c.Env, env...)
	c.Stdout, c.Stderr = out, out
	require.NoError(b.t, c.Start())
	over := make(chan struct{})
	go func() {
		_ = c.Wait() // interrupted
		close(over)
	}()
	return func() {
		select {
		case <-over:
			b.t.Fatalf("%s ended by itself: %s", command, out)
		default:
		}
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGINT) // it is there
		<-over
		require.NotContains(b.t, out.String(), "panic:", command)
	}
}

// status is that of an answer, 0 without one.
func (b *bare) status(method, url, body string) int {
	b.t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/sdp")
	answer, err := client.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // as far as it comes
	return answer.StatusCode
}

// until waits for an address to be there.
func (b *bare) until(url string) {
	b.t.Helper()
	eventually(b.t, url, func() bool { return b.status(http.MethodGet, url, "") == http.StatusOK })
}

// inside is the test in the bare environment.
func inside(t *testing.T) {
	require.NoError(t, loopbackUp())
	b := &bare{t: t, dir: t.TempDir(), ran: make(map[string]bool)}
	b.quickStart()
	b.words()
	b.servers()
	for command, proof := range proofs {
		require.Equal(t, proof == inBare, b.ran[command], command)
	}
}

// quickStart is the beginning of the README, and what an operator asks.
func (b *bare) quickStart() {
	const base = "http://127.0.0.1:8080"
	stop := b.start("go run ./cmd/whipsaw", nil)
	b.until(base + "/healthz")
	publisher := b.start("go run ./cmd/whipsaw publish --demo http://127.0.0.1:8080/whip/live", nil)
	b.until(base + "/hls/live/index.m3u8")
	b.until(base + "/watch/live")
	require.Contains(b.t, b.run("curl -s http://127.0.0.1:8081/api/streams/live/findings"), `"findings":[`)
	require.NotContains(b.t, b.run(`curl -X POST -d '{"block": "10m"}' http://127.0.0.1:8081/api/streams/live/kick`), "urn:")
	require.Equal(b.t, http.StatusForbidden, b.status(http.MethodPost, base+"/whip/live", offer), "blocked for ten minutes")
	publisher()
	stop()

	clip := filepath.Join(root(b.t), "cmd", "whipsaw", "internal", "demo", "clip.mp4")
	file := filepath.Join(b.dir, "FILE.mp4")
	b.run("ffmpeg -i ANY -c:v libx264 -bf 0 -g 60 -pix_fmt yuv420p -c:a libopus FILE.mp4", "-i ANY", "-v error -nostdin -t 3 -i "+clip)
	stop = b.start("go run ./cmd/whipsaw --demo", nil)
	b.until(base + "/hls/demo/index.m3u8")
	publisher = b.start("go run ./cmd/whipsaw publish FILE.mp4 http://127.0.0.1:8080/whip/live --loop", nil, "FILE.mp4", file)
	b.until(base + "/hls/live/index.m3u8")
	publisher()
	stop()
}

// words are commands that end by themselves.
func (b *bare) words() {
	require.Contains(b.t, b.run("whipsaw --help"), "--listen HOST:PORT")
	require.Contains(b.t, b.run("whipsaw help publish"), "--loop")
	require.Contains(b.t, b.run("go doc ./segmenter"), "type Registry")
	require.Equal(b.t, fmt.Sprintf("%x  -\n", sha256.Sum256([]byte("TOKEN"))), b.run("printf %s TOKEN | sha256sum"))
	signed := b.run("whipsaw sign STREAM --for 4h --url https://tv.example", "whipsaw sign", "WHIPSAW_WATCH_KEY="+strings.Repeat("k", 32)+" whipsaw sign")
	require.Contains(b.t, signed, "https://tv.example/hls/~")
	require.Contains(b.t, signed, "https://tv.example/watch/~")
}

// servers are the other ways to start one.
func (b *bare) servers() {
	dir := b.dir
	cert := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
		"-days", "1", "-keyout", filepath.Join(dir, "privkey.pem"), "-out", filepath.Join(dir, "fullchain.pem"))
	out, err := cert.CombinedOutput()
	require.NoError(b.t, err, "%s", out)
	token := []string{"WHIPSAW_PUBLISH_TOKEN=t0ken"}
	for _, c := range []struct {
		command, base string
		env           []string
		knock         int // status of a publisher without a token
	}{
		{"whipsaw --listen 127.0.0.1:8080", "http://127.0.0.1:8080", nil, http.StatusCreated},
		{"WHIPSAW_PUBLISH_TOKEN=$(openssl rand -hex 16) whipsaw --listen :8080 --public-ip 203.0.113.7", "http://127.0.0.1:8080", nil, http.StatusUnauthorized},
		{"whipsaw --listen :443 --http3 --tls-cert fullchain.pem --tls-key privkey.pem", "https://127.0.0.1", token, http.StatusUnauthorized},
		{"whipsaw --listen :8443 --tls-self-signed", "https://127.0.0.1:8443", token, http.StatusUnauthorized},
		{"whipsaw --trusted-proxy 127.0.0.1 --public-url https://live.example.com", "http://127.0.0.1:8080", token, http.StatusUnauthorized},
		{"whipsaw --listen 127.0.0.1:8080 --webrtc-udp :8189 --trusted-proxy 127.0.0.1 --public-url https://live.example.com", "http://127.0.0.1:8080", token, http.StatusUnauthorized},
	} {
		began := time.Now()
		stop := b.start(c.command, c.env)
		b.until(c.base + "/healthz")
		require.Equal(b.t, c.knock, b.status(http.MethodPost, c.base+"/whip/live", offer), c.command)
		stop()
		b.t.Logf("%5.1f s  %s", time.Since(began).Seconds(), c.command)
	}
}

// loopbackUp switches on the only interface that a fresh network has (netdevice(7)).
func loopbackUp() error {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(s) }() // nothing was written
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "lo")
	request.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return errno
	}
	return nil
}
