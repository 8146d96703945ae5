package completion

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
)

func script(t *testing.T, shell string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, []string{shell}))
	return out.String()
}

// Every command, flag and choice is in every script.
func TestScriptsAreComplete(t *testing.T) {
	for _, shell := range config.Shells() {
		text := script(t, shell)
		for _, c := range config.Commands() {
			require.Contains(t, text, c.Name)
			for _, word := range c.Words {
				require.Contains(t, text, word)
			}
			for _, s := range c.Settings {
				require.Contains(t, text, s.Name, shell)
				for _, choice := range s.Choices() {
					require.Contains(t, text, choice, shell)
				}
			}
		}
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{nil, {"tcsh"}, {"bash", "zsh"}, {""}} {
		require.ErrorIs(t, Write(&bytes.Buffer{}, args), config.ErrUsage, "%v", args)
	}
	require.ErrorIs(t, Write(&bytes.Buffer{}, []string{"--help"}), config.ErrHelp)
}

// proposals are what a shell should propose for a line whose last word is being written; with = it is cut as bash cuts it.
var proposals = []struct{ line, want string }{
	{"whipsaw pu", "publish"},
	{"whipsaw --on-l", "--on-loss"},
	{"whipsaw --on-loss ", "freeze show"},
	{"whipsaw --on-loss = sh", "show"},
	{"whipsaw --log-format = ", "json text"},
	{"whipsaw --demo --log-f", "--log-format"},
	{"whipsaw --tls-cert fi", "file.pem"},
	{"whipsaw --state fo", "folder"},
	{"whipsaw --listen f", ""},
	{"whipsaw publish --lo", "--loop"},
	{"whipsaw publish fi", "file.pem"},
	{"whipsaw bench ", "publish report run watch"},
	{"whipsaw config ", "check print"},
	{"whipsaw config check fi", "file.pem"},
	{"whipsaw config check file.pem --log-level d", "debug"},
	{"whipsaw completion z", "zsh"},
	{"whipsaw help sett", "settings"},
	{"whipsaw version --h", "--help"},
}

// folder has something to propose.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file.pem"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	return dir
}

// bash proposes what it should.
func TestBash(t *testing.T) {
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	var all strings.Builder
	all.WriteString(script(t, "bash") + "try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($#-1)); _whipsaw; printf '%s\\n' \"${COMPREPLY[@]}\" | sort | paste -sd' '; }\n")
	for _, p := range proposals {
		words := strings.Split(p.line, " ")
		for i, w := range words {
			words[i] = single(w)
		}
		all.WriteString("try " + strings.Join(words, " ") + "\n")
	}
	c := exec.Command(path, "--norc", "-u")
	c.Dir, c.Stdin = folder(t), strings.NewReader(all.String())
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	require.Len(t, got, len(proposals), "%s", out)
	for i, p := range proposals {
		require.Equal(t, p.want, got[i], p.line)
	}
}

// Shells that are installed take their scripts; fish says what it proposes.
func TestOtherShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		file := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(file, []byte(script(t, shell)), 0o600))
		out, err := exec.Command(path, "-n", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", shell, out)
		require.Empty(t, string(out), shell)
		if shell == "fish" {
			fishProposes(t, path, file)
		}
	}
}

func fishProposes(t *testing.T, path, file string) {
	t.Helper()
	dir := folder(t)
	var all strings.Builder
	all.WriteString("source " + file + "\n")
	for _, p := range proposals {
		all.WriteString("complete -C " + fishText(strings.ReplaceAll(p.line, " = ", "=")) + "; echo ---\n")
	}
	c := exec.Command(path, "--no-config")
	c.Dir, c.Stdin = dir, strings.NewReader(all.String())
	c.Env = append(os.Environ(), "HOME="+dir)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	got := strings.Split(string(out), "---\n")
	for i, p := range proposals {
		var words []string
		for line := range strings.Lines(got[i]) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			if _, value, ok := strings.Cut(word, "="); ok {
				word = value
			}
			words = append(words, strings.TrimSuffix(word, "/"))
		}
		require.Equal(t, p.want, strings.Join(words, " "), "fish: %s", p.line)
	}
}
