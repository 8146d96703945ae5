package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "go.mod"))
	return dir
}

// sources copies what is compiled to a folder of its own.
func sources(t *testing.T) string {
	t.Helper()
	from, to := root(t), t.TempDir()
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != from && (strings.HasPrefix(name, ".") || name == "testdata" || name == "dist"):
			return filepath.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			return nil
		}
		short, err := filepath.Rel(from, path)
		if err != nil || d.IsDir() {
			return os.MkdirAll(filepath.Join(to, short), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, short), content, 0o644)
	})
	require.NoError(t, err)
	return to
}

// The same sources make the same bytes, in whatever folder they lie and whatever the environment says, and nothing of the
// folder is in them. They stay under the bound for their size, and tell the version.
func TestReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("links the binary twice")
	}
	target := runtime.GOOS + "/" + runtime.GOARCH
	made := func(source string) map[string][]byte {
		o := options{source: source, out: t.TempDir(), version: "v1.2.3", targets: []string{target}}
		require.NoError(t, release(t.Context(), o, io.Discard))
		files, err := os.ReadDir(o.out)
		require.NoError(t, err)
		out := make(map[string][]byte)
		for _, f := range files {
			out[f.Name()], err = os.ReadFile(filepath.Join(o.out, f.Name()))
			require.NoError(t, err)
		}
		for line := range strings.Lines(string(out["SHA256SUMS"])) {
			sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
			require.True(t, ok)
			require.Equal(t, sum, fmt.Sprintf("%x", sha256.Sum256(out[name])), name)
		}
		said, err := exec.Command(filepath.Join(o.out, programName(target)), "version").Output()
		require.NoError(t, err)
		require.Equal(t, "whipsaw v1.2.3\n", string(said))
		return out
	}
	copied := sources(t)
	one := made(root(t))
	t.Setenv("GOAMD64", "v2")
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GOFLAGS", "-tags=something")
	two := made(copied)
	require.Len(t, one, 3)
	require.Len(t, two, len(one))
	for name := range one {
		require.True(t, bytes.Equal(one[name], two[name]), name)
		require.False(t, bytes.Contains(two[name], []byte(copied)), name)
		require.False(t, bytes.Contains(one[name], []byte(root(t))), name)
	}
	if target == bounded {
		require.Less(t, len(one[programName(target)]), sizeBound)
	}
	checkBill(t, one)
}

func programName(target string) string {
	return "whipsaw-v1.2.3-" + strings.ReplaceAll(target, "/", "-")
}

// checkBill holds the bill of materials against what go version -m says of the binary.
func checkBill(t *testing.T, files map[string][]byte) {
	t.Helper()
	var b bill
	decoder := json.NewDecoder(bytes.NewReader(files["whipsaw-v1.2.3.cdx.json"]))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&b))
	path := filepath.Join(t.TempDir(), "whipsaw")
	require.NoError(t, os.WriteFile(path, files[programName(runtime.GOOS+"/"+runtime.GOARCH)], 0o600))
	said, err := exec.Command("go", "version", "-m", path).Output()
	require.NoError(t, err)
	listed := make(map[string]component)
	for _, c := range b.Components {
		listed[c.Name] = c
		require.Equal(t, c.Ref, c.URL)
		require.Contains(t, b.Dependencies[0].DependsOn, c.Ref)
	}
	n := 0
	for line := range strings.Lines(string(said)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] != "dep" {
			continue
		}
		n++
		require.Equal(t, f[2], listed[f[1]].Version, line)
		require.Equal(t, "pkg:golang/"+f[1]+"@"+f[2], listed[f[1]].URL)
	}
	require.Greater(t, n, 20)
	require.Len(t, b.Components, n+2, "and Go's own library, and hls.js")
	require.Equal(t, strings.TrimPrefix(runtime.Version(), "go"), listed["stdlib"].Version)
	require.Regexp(t, `^pkg:npm/hls\.js@1\.`, listed["hls.js"].URL)
	require.Len(t, b.Metadata.Component.Components, 1)
	require.Len(t, b.Metadata.Component.Components[0].Hashes[0].Content, 64)
}

func TestRefused(t *testing.T) {
	for _, o := range []options{
		{version: "v1", targets: []string{"plan9/amd64"}},
		{version: "v1 -X main.x=y", targets: targets[:1]},
		{version: "../v1", targets: targets[:1]},
	} {
		o.source, o.out = root(t), t.TempDir()
		require.ErrorIs(t, release(t.Context(), o, io.Discard), errUsage)
	}
}

// What is compiled in CI is what is released.
func TestTargets(t *testing.T) {
	ci, err := os.ReadFile(filepath.Join(root(t), ".ci", "run"))
	require.NoError(t, err)
	require.Contains(t, string(ci), "for target in "+strings.Join(targets, " ")+"; do")
}
