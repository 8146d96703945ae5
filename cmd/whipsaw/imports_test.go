package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// arrows says which of our packages each may import. Commands may import all.
var arrows = map[string][]string{
	"whipsaw/fmp4":               {},
	"whipsaw/segmenter/depacket": {},
	"whipsaw/segmenter/playlist": {},
	"whipsaw/segmenter":          {"whipsaw/fmp4", "whipsaw/segmenter/depacket", "whipsaw/segmenter/playlist"},
	"whipsaw/segmenter/check":    {"whipsaw/fmp4", "whipsaw/segmenter/playlist"},
	"whipsaw/segmenter/hls":      {"whipsaw/segmenter"},
	"whipsaw/signaling":          {"whipsaw/segmenter"},
	"whipsaw/signaling/client":   {},
	"whipsaw/static":             {"whipsaw/segmenter"},
}

// doors says which packages may know each outside world, by the beginning of its import path.
var doors = map[string][]string{
	"github.com/pion/webrtc":        {"whipsaw/signaling", "whipsaw/signaling/client"},
	"github.com/pion/ice":           {"whipsaw/signaling", "whipsaw/signaling/client"},
	"github.com/Eyevinn/mp4ff":      {"whipsaw/fmp4", "whipsaw/segmenter/depacket"},
	"github.com/Eyevinn/mp4ff/mp4":  {"whipsaw/fmp4"},
	"github.com/go-chi/chi":         {"whipsaw/signaling", "whipsaw/static", "whipsaw/cmd/"},
	"net/http":                      {"whipsaw/signaling", "whipsaw/signaling/client", "whipsaw/segmenter/hls", "whipsaw/static", "whipsaw/cmd/"},
	"github.com/prometheus":         {},
	"github.com/golang-jwt":         {"whipsaw/cmd/whipsaw/internal/access"},
	"github.com/MicahParks":         {"whipsaw/cmd/whipsaw/internal/access"},
	"os":                            {"whipsaw/signaling", "whipsaw/cmd/"},
	"github.com/chromedp":           {},
	"github.com/yuin/goldmark":      {},
	"github.com/stretchr/testify":   {},
	"pgregory.net/rapid":            {},
	"go.uber.org/goleak":            {},
	"whipsaw/cmd/whipsaw/internal/": {"whipsaw/cmd/"},
}

// Imports run one way, and each outside world has one room.
func TestImports(t *testing.T) {
	for of, imports := range listImports(t) {
		allowed, known := arrows[of]
		require.True(t, known || strings.HasPrefix(of, "whipsaw/cmd/"), "%s is new: say in arrows what it may import", of)
		for _, imported := range imports {
			if known && strings.HasPrefix(imported, "whipsaw/") {
				require.Contains(t, allowed, imported, "%s must not import %s", of, imported)
			}
			for door, packages := range doors {
				if imported == door || strings.HasPrefix(imported, strings.TrimSuffix(door, "/")+"/") {
					require.True(t, mayPass(of, packages), "%s must not import %s", of, imported)
				}
			}
		}
	}
}

// mayPass reports whether a package is in a list, whose entries with a slash at the end stand for all below them.
func mayPass(of string, packages []string) bool {
	return slices.ContainsFunc(packages, func(p string) bool {
		return of == p || strings.HasSuffix(p, "/") && strings.HasPrefix(of, p)
	})
}

// listImports returns what the packages of this module import outside their tests.
func listImports(t *testing.T) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	list.Dir = root(t)
	out, err := list.Output()
	require.NoError(t, err)
	all := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		all[words[0]] = words[1:]
	}
	require.Contains(t, slices.Collect(maps.Keys(all)), "whipsaw/segmenter")
	return all
}

// The rooms of the house are these.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	require.NoError(t, err)
	var folders []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "dist" {
			folders = append(folders, e.Name())
		}
	}
	require.Equal(t, []string{"cmd", "fmp4", "segmenter", "signaling", "static"}, folders)
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "go.mod"))
	return dir
}
