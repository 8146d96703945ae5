package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
)

// settings writes a file of settings and returns its path.
func settings(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whipsaw.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// The example that the README points to is one that the server takes, and means what it says.
func TestReadmeConfiguration(t *testing.T) {
	require.Contains(t, readme(t), "cmd/whipsaw/deploy/whipsaw.yaml")
	path := settings(t, deployed(t, "whipsaw.yaml"))
	code, out, errs := say(t, "config", "check", path)
	require.Zero(t, code, errs)
	require.Equal(t, path+": nothing is wrong\n", out)
	code, out, errs = say(t, "config", "print", "--config", path)
	require.Zero(t, code, errs)
	require.NotContains(t, out, "camera-one")
	require.Contains(t, out, "max-bitrate: 8000")
	c, err := config.ParseServe([]string{"--config", path}, nothing)
	require.NoError(t, err)
	require.Equal(t, []string{"H264"}, c.Stream("lobby").Rules.Codecs)
	require.Equal(t, time.Second, c.Stream("studio-7").Segment)
	require.Equal(t, time.Minute, c.Stream("studio-7").Window)
	require.Equal(t, 2*time.Second, c.Stream("other").Segment)
	require.True(t, c.Authenticated())
}

// Of secrets that all users of the machine can read both config check and the server's log warn.
func TestSecretsForAll(t *testing.T) {
	path := settings(t, "publish-token: hunter2\nlisten: 127.0.0.1:0\nwebrtc-udp: 127.0.0.1:0\nadmin: \"\"\n")
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755)) // which is closed to others otherwise
	l, err := config.Load([]string{"--config", path}, nothing)
	require.NoError(t, err)
	said, warnings := "nothing is wrong", "" // where the folder of all tests is closed to others
	if list := l.Exposed(); len(list) > 0 {
		said, warnings = "nothing else is wrong", "warning: "+list[0]+"\n"
	}
	code, out, errs := say(t, "config", "check", path)
	require.Zero(t, code)
	require.Equal(t, path+": "+said+"\n", out)
	require.Equal(t, warnings, errs)
	p := spawn(t, "--config", path)
	addresses(t, p)
	require.Equal(t, warnings != "", strings.Contains(p.out.String(), "every user of this machine can read it"))
}

// What shells and man read is printed, and nothing else.
func TestCompletionAndManual(t *testing.T) {
	for begins, args := range map[string][]string{"# Completion of whipsaw for bash": {"completion", "bash"}, "#compdef whipsaw": {"completion", "zsh"}, ".TH WHIPSAW 1": {"man"}} {
		code, out, errs := say(t, args...)
		require.Zero(t, code, errs)
		require.True(t, strings.HasPrefix(out, begins))
		require.Empty(t, errs)
	}
	code, _, errs := say(t, "completion")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "bash, zsh, fish, powershell")
}

func TestConfigPrint(t *testing.T) {
	path := settings(t, "segment: 4s\npublish-token: hunter2\n")
	code, out, errs := say(t, "config", "print", "--config", path, "--part", "100ms")
	require.Zero(t, code, errs)
	require.Regexp(t, `(?m)^segment: 4s +# `+path+`:1$`, out)
	require.Regexp(t, `(?m)^part: 100ms +# flag$`, out)
	require.Regexp(t, `(?m)^publish-token: \(hidden\) +# `+path+`:2$`, out)
	require.NotContains(t, out, "hunter2")
}

func TestConfigCheck(t *testing.T) {
	good := settings(t, "segment: 4s\n")
	code, out, errs := say(t, "config", "check", good)
	require.Zero(t, code)
	require.Equal(t, good+": nothing is wrong\n", out)
	require.Empty(t, errs)

	bad := settings(t, "segmnt: 4s\npart: soon\nlog-level: loud\n")
	code, out, errs = say(t, "config", "check", bad)
	require.Equal(t, exitError, code)
	require.Empty(t, out)
	require.Equal(t, 3, strings.Count(errs, "\n"), errs)
	for i, line := range strings.Split(strings.TrimSpace(errs), "\n") {
		require.True(t, strings.HasPrefix(line, bad+":"+string(rune('1'+i))+": "), line)
	}

	_, _, errs = say(t, "config", "check", "--part=900ms", settings(t, "window: 1m\n"))
	require.True(t, strings.HasPrefix(errs, "--segment 2s is not between four parts"), "what no line is to blame for: %s", errs)

	code, out, errs = say(t, "config", "check", settings(t, "segment: 4s\njwt-jwks: /no/such/keys.json\n"))
	require.Equal(t, exitError, code)
	require.Empty(t, out)
	require.Contains(t, errs, ":2: jwt-jwks: open /no/such/keys.json")

	for _, args := range [][]string{{"config"}, {"config", "frobnicate"}, {"config", "check"}, {"config", "check", good, good}, {"config", "print", good}, {"--config", bad}} {
		code, _, errs = say(t, args...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.NotEmpty(t, errs)
	}
	code, out, _ = say(t, "config", "--help")
	require.Zero(t, code)
	require.Contains(t, out, "whipsaw config check FILE")
}
