package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/static"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	require.NoError(t, err)
	return string(b)
}

// The README's table of topics is the documentation's list.
func TestReadmeTopics(t *testing.T) {
	var want strings.Builder
	for _, topic := range static.Topics() {
		fmt.Fprintf(&want, "| [%s](static/docs/%s.md) | %s |\n", topic.Title, topic.Name, topic.Lead)
	}
	require.Contains(t, readme(t), "|---|---|\n"+want.String()+"\n", "the whole table, in this order")
	for _, m := range regexp.MustCompile(`\]\(([a-z][^):]*?)(?:#[^)]*)?\)`).FindAllStringSubmatch(readme(t), -1) {
		require.FileExists(t, filepath.Join(root(t), m[1]))
	}
	require.Less(t, strings.Count(readme(t), "\n"), 200, "what is longer belongs into static/docs")
}

// The commands that the README shows are ones that exist.
func TestReadmeCommands(t *testing.T) {
	n := 0
	for line := range strings.Lines(readme(t)) {
		_, command, ok := strings.Cut(strings.Split(line, "#")[0], "    go run ./cmd/whipsaw ")
		if !ok {
			continue
		}
		n++
		args := strings.Fields(command)
		var err error
		if len(args) > 0 && args[0] == "publish" {
			_, err = config.ParsePublish(args[1:], nothing)
		} else {
			_, err = config.ParseServe(args, nothing)
		}
		require.NoError(t, err, line)
	}
	require.Equal(t, 2, n, "the two commands")
	require.Contains(t, readme(t), "go test ./...")
}

// What the two-minute experience promises is printed by the server too.
func TestReadmeAddresses(t *testing.T) {
	for _, path := range []string{"/whip/live", "/watch/demo", "/watch/live", "/publish/live"} {
		require.Contains(t, readme(t), "http://127.0.0.1:8080"+path)
	}
}
