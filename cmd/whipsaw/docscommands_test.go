package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/static"
)

// parsers read the command lines of each command; the empty name is the server.
var parsers = map[string]func([]string, config.Lookup) error{
	"":        func(args []string, env config.Lookup) error { _, err := config.ParseServe(args, env); return err },
	"publish": func(args []string, env config.Lookup) error { _, err := config.ParsePublish(args, env); return err },
	"check":   func(args []string, env config.Lookup) error { _, err := config.ParseCheck(args, env); return err },
	"bench":   func(args []string, env config.Lookup) error { _, err := config.ParseBench(args, env); return err },
	"sign":    func(args []string, env config.Lookup) error { _, err := config.ParseSign(args, env); return err },
	"config":  parseConfig,
}

// parseConfig is for config, which takes a word and then what the server takes; files that are shown do not exist.
func parseConfig(args []string, env config.Lookup) error {
	switch {
	case len(args) == 2 && args[0] == "check":
		return nil
	case len(args) == 3 && args[0] == "print" && args[1] == "--config":
		return nil
	}
	return fmt.Errorf("config is not used so: %q", args)
}

// The commands that the documentation shows are ones that can be run as they are.
func TestDocsCommands(t *testing.T) {
	run := map[string]int{}
	for _, topic := range static.Topics() {
		for _, line := range shellLines(topic.Text) {
			if name, ours := parsesShown(t, topic.Name, line); ours {
				run[name]++
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(parsers)), slices.Collect(maps.Keys(run)), "each command is shown")
	require.Greater(t, run[""], 10)
	for _, m := range regexp.MustCompile(`(?m)^    (.*)$`).FindAllStringSubmatch(readme(t), -1) {
		if strings.HasPrefix(m[1], "whipsaw ") || strings.HasPrefix(m[1], "WHIPSAW_") {
			_, ours := parsesShown(t, "README", m[1])
			require.True(t, ours)
		}
	}
}

// parsesShown fails the test if a line of a shell calls our binary in a way that it does not understand. It returns the
// command that is called, empty for the server, and whether the line is a call at all.
func parsesShown(t *testing.T, where, line string) (name string, ours bool) {
	t.Helper()
	words := shellWords(line)
	at := slices.Index(words, "whipsaw")
	if at < 0 {
		return "", false
	}
	env := map[string]string{"WHIPSAW_PUBLISH_TOKEN": "t0ken"} // which the texts say is set
	for _, w := range words[:at] {
		if name, value, ok := strings.Cut(w, "="); ok && strings.HasPrefix(name, "WHIPSAW_") {
			env[name] = value
		}
	}
	args := words[at+1:]
	if len(args) > 0 && parsers[args[0]] != nil {
		name, args = args[0], args[1:]
	}
	if i := slices.Index(args, ">"); i >= 0 {
		args = args[:i]
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	require.NoError(t, parsers[name](args, lookup), "%s: %s", where, line)
	return name, true
}

// shellLines are the lines of all shell blocks; lines that go on are put together.
func shellLines(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(strings.ReplaceAll(m[1], "\\\n", " ")) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

var (
	substitution = regexp.MustCompile(`\$\([^)]*\)|"\$[A-Z]+"`)
	shellWord    = regexp.MustCompile(`(?:[^\s'"#]|'[^']*'|"[^"]*"|\b#)+`)
)

// shellWords splits a line as a shell would, as far as the documentation goes.
func shellWords(line string) []string {
	line, _, _ = strings.Cut(line, " #")
	words := shellWord.FindAllString(substitution.ReplaceAllString(line, "x"), -1)
	for i := range words {
		words[i] = strings.NewReplacer("'", "", `"`, "").Replace(words[i])
	}
	return words
}

// foreign are flags that the documentation names and that are of other programs.
var foreign = []string{"--network", "--preset", "--port"}

// Every flag and every command that a text names exists.
func TestDocsFlags(t *testing.T) {
	known := slices.Clone(foreign)
	for _, defs := range [][]config.Setting{
		config.ServeSettings(new(config.Serve)), config.PublishSettings(new(config.Publish)), config.CheckSettings(new(config.Check)),
		config.BenchSettings(new(config.Bench)), config.SignSettings(new(config.Sign)),
	} {
		for _, d := range defs {
			known = append(known, "--"+d.Name)
		}
	}
	known = append(known, "--help")
	for _, topic := range static.Topics() {
		for _, m := range regexp.MustCompile("`[^`\n]+`").FindAllString(topic.Text, -1) {
			words := shellWords(strings.Trim(m, "`"))
			for _, w := range words {
				if name, _, _ := strings.Cut(w, "="); strings.HasPrefix(name, "--") {
					require.Contains(t, known, name, "%s: %s", topic.Name, m)
				}
			}
			if len(words) > 1 && words[0] == "whipsaw" && !strings.HasPrefix(words[1], "-") {
				require.True(t, config.IsCommand(words[1]), "%s: %s", topic.Name, m)
			}
		}
	}
}

// Whatever the server may say of a fault has its line in the documentation.
func TestDocsCoverFaults(t *testing.T) {
	text := topic(t, "troubleshooting")
	_, findings, _ := strings.Cut(text, "## What the doctor finds")
	for _, id := range doctor.IDs() {
		require.Contains(t, findings, "| `"+id+"` |", "a finding")
	}
	listed := regexp.MustCompile("(?m)^\\| `").FindAllString(findings, -1)
	require.Len(t, listed, len(doctor.IDs()), "and there are no others")

	of := func(pattern, file string) []string {
		var words []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(source(t, file), -1) {
			words = append(words, m[1])
		}
		require.NotEmpty(t, words, file)
		return words
	}
	_, ends, _ := strings.Cut(text, "## Why a session ended")
	for _, reason := range of(`Reason\w+ +Reason = "([a-z-]+)"`, "segmenter/reason.go") {
		require.Contains(t, ends, "| `"+reason+"` |", "an end")
	}
	_, answers, _ := strings.Cut(text, "## Answers to a publisher")
	for _, kind := range of(`kind: "([a-z-]+)"`, "signaling/problem.go") {
		require.Contains(t, answers, "| `"+kind+"` |", "a problem")
	}
	for _, kind := range of(`http\.Status\w+: +"([a-z-]+)"`, "cmd/whipsaw/internal/api/problem.go") {
		require.Contains(t, answers, "`"+kind+"`", "a problem of the API")
	}
	for _, event := range events.Types() {
		require.Contains(t, topic(t, "operating"), "| `"+event+"` |", "an event")
	}
}

// The file of settings that the documentation shows is one that the server takes.
func TestDocsSettingsFile(t *testing.T) {
	_, rest, found := strings.Cut(topic(t, "settings"), "```yaml\n")
	require.True(t, found)
	text, _, _ := strings.Cut(rest, "```")
	file := filepath.Join(t.TempDir(), "whipsaw.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	l, err := config.Load([]string{"--config", file}, nothing)
	require.NoError(t, err)
	require.True(t, l.Stream("studio-7").Rules.EndExcess)
	require.Equal(t, ":8443", l.Listen)
}
