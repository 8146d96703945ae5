package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// settings writes a file of settings and returns its path.
func settings(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whipsaw.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
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

	for _, args := range [][]string{{"config"}, {"config", "frobnicate"}, {"config", "check"}, {"config", "check", good, good}, {"config", "print", good}, {"--config", bad}} {
		code, _, errs = say(t, args...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.NotEmpty(t, errs)
	}
	code, out, _ = say(t, "config", "--help")
	require.Zero(t, code)
	require.Contains(t, out, "whipsaw config check FILE")
}
