package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// say runs a command line that ends by itself.
func say(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	code = command(ctx, args, nothing, &out, &errs)
	require.NoError(t, ctx.Err(), "the command did not end")
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}} {
		code, out, errs := say(t, args...)
		require.Zero(t, code)
		require.Contains(t, out, "--publish-token TOKEN")
		require.Contains(t, out, "WHIPSAW_PUBLISH_TOKEN")
		require.Contains(t, out, "publish")
		require.Empty(t, errs)
	}
	for _, args := range [][]string{{"publish", "--help"}, {"help", "publish"}} {
		code, out, _ := say(t, args...)
		require.Zero(t, code)
		require.Contains(t, out, "whipsaw publish FILE.mp4 WHIP_URL")
		require.Contains(t, out, "--loop")
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := say(t, "version")
	require.Zero(t, code)
	require.Regexp(t, `^whipsaw \S+\n$`, out)
}

func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--listen", ":8080"}, "--open-publish"},
		{[]string{"--part", "soon"}, "--part"},
		{[]string{"frobnicate"}, "publish, check, bench, sign, config, completion, man, version, help"},
		{[]string{"help", "frobnicate"}, "no command"},
		{[]string{"publish"}, "FILE.mp4 WHIP_URL"},
		{[]string{"publish", "a.mp4", "live"}, "no WHIP URL"},
	} {
		code, out, errs := say(t, c.args...)
		require.Equal(t, exitUsage, code, "%v", c.args)
		require.Contains(t, errs, c.says)
		require.Contains(t, errs, "whipsaw --help")
		require.Empty(t, out)
	}
}

func TestPublishCommandFailures(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.mp4")
	code, _, errs := say(t, "publish", missing, "http://127.0.0.1:1/whip/live")
	require.Equal(t, exitError, code)
	require.Contains(t, errs, missing)

	noise := filepath.Join(t.TempDir(), "noise.mp4")
	require.NoError(t, os.WriteFile(noise, []byte("this is no film at all, is it?"), 0o600))
	code, _, errs = say(t, "publish", noise, "http://127.0.0.1:1/whip/live")
	require.Equal(t, exitError, code)
	require.Contains(t, errs, noise)

	code, _, errs = say(t, "publish", "--demo", "--reconnect=0s", "http://127.0.0.1:1/whip/live")
	require.Equal(t, exitError, code)
	require.Contains(t, errs, "connection refused")
}

// A port that is taken is told with the flag that sets it.
func TestPortsTaken(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tcp.Close()) })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, udp.Close()) })

	free := []string{"--listen=127.0.0.1:0", "--webrtc-udp=127.0.0.1:0", "--admin="}
	for _, flag := range []string{"--listen=" + tcp.Addr().String(), "--webrtc-udp=" + udp.LocalAddr().String(), "--admin=" + tcp.Addr().String()} {
		code, _, errs := say(t, append(free, flag)...)
		require.Equal(t, exitError, code)
		require.Contains(t, errs, flag[:8])
		require.Contains(t, errs, "in use")
	}
}

// State that cannot be kept is told before anybody is served.
func TestStateDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	code, _, errs := say(t, "--listen=127.0.0.1:0", "--webrtc-udp=127.0.0.1:0", "--admin=", "--state="+filepath.Join(file, "below"))
	require.Equal(t, exitError, code)
	require.Contains(t, errs, "--state "+file)
}

// The two commands of the README, as typed: the server prints where to publish, the clip is published there, both end
// when they are told to.
func TestTwoCommands(t *testing.T) {
	s := serve(t)
	whip := s.URL() + "/whip/live"
	require.Contains(t, s.out.String(), whip)
	ctx, cancel := context.WithCancel(t.Context())
	var out buffer
	code := make(chan int, 1)
	go func() { code <- command(ctx, []string{"publish", "--demo", whip}, nothing, &out, &out) }()
	eventually(t, "the stream is live", func() bool {
		streams := s.streams()
		return len(streams) == 1 && streams[0].State == "live"
	})
	cancel()
	require.Equal(t, exitOK, <-code, out.String())
	require.Contains(t, out.String(), "publishing H.264 avc1.42c01e 640x360, Opus with 2 channels")
	require.Contains(t, out.String(), "ended")
	eventually(t, "the session was deleted", func() bool {
		end := s.streams()[0].LastEnd
		return end != nil && end.Reason == "deleted"
	})
	begun := time.Now()
	require.NoError(t, s.stop())
	require.Less(t, time.Since(begun), 10*time.Second)
}
