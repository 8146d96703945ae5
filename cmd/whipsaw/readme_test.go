package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	require.NoError(t, err)
	return string(b)
}

// The README's table of flags is the table of definitions.
func TestReadmeFlags(t *testing.T) {
	var want strings.Builder
	for _, d := range config.ServeSettings(new(config.Serve)) {
		flag, byDefault := "--"+d.Name, ""
		if d.Value != "" {
			flag += " " + strings.ReplaceAll(d.Value, "|", `\|`)
		}
		if d.Default != "" {
			byDefault = "`" + d.Default + "`"
		}
		fmt.Fprintf(&want, "| `%s` | `%s` | %s | %s |\n", flag, d.Env, byDefault, d.Help)
	}
	require.Contains(t, readme(t), "|---|---|---|---|\n"+want.String()+"\n", "the whole table, in this order")
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
