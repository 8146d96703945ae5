package manpage

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/config"
)

func made(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, "v1.2.3"))
	return out.String()
}

// The page has every command and every flag, and nothing in it is a request by mistake.
func TestPage(t *testing.T) {
	text := made(t)
	require.True(t, strings.HasPrefix(text, ".TH WHIPSAW 1 \"\" \"whipsaw v1.2.3\""))
	for _, c := range config.Commands() {
		for _, usage := range c.Usage {
			words := strings.Fields(escape(usage))
			require.Contains(t, text, strings.Join(words[1:], " "))
		}
		if c.Name == "config" {
			continue // its flags are the server's
		}
		for _, s := range c.Settings {
			require.Contains(t, text, ".B "+escape("--"+s.Name), s.Name)
			require.Contains(t, text, s.Env)
		}
	}
	request := regexp.MustCompile(`^\.(TH|SH|SS|PP|TP|B|RS|RE|nf|fi)( |$)`)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.NotEmpty(t, line)
		if line[0] == '.' || line[0] == '\'' {
			require.Regexp(t, request, line)
		}
		require.NotRegexp(t, `(^|[^\\])-`, line, "a dash without a backslash cannot be copied")
	}
	for _, section := range []string{"NAME", "SYNOPSIS", "ENVIRONMENT", "FILES", "SIGNALS", `EXIT STATUS`, "EXAMPLES"} {
		require.Contains(t, text, "\n.SH \""+section+"\"\n")
	}
}

func TestEscape(t *testing.T) {
	require.Equal(t, `\&.so /etc/passwd`, filled(".so /etc/passwd"))
	require.Equal(t, `\&'br a\eb \-\-c`, filled("'br a\\b\n--c"))
	require.Equal(t, `"a""b"`, quoted(`a"b`))
	long := filled(strings.Repeat("word .x ", 40))
	for line := range strings.Lines(long) {
		require.LessOrEqual(t, len(line), 79)
		require.NotEqual(t, byte('.'), line[0])
	}
}

// What reads such pages has nothing to object to, where it is installed.
func TestReaders(t *testing.T) {
	for _, reader := range [][]string{{"mandoc", "-T", "lint", "-W", "warning"}, {"groff", "-man", "-ww", "-Tutf8", "-z"}} {
		path, err := exec.LookPath(reader[0])
		if err != nil {
			t.Logf("%s is not installed", reader[0])
			continue
		}
		c := exec.Command(path, reader[1:]...)
		c.Stdin = strings.NewReader(made(t))
		out, _ := c.CombinedOutput() // what it says counts
		for line := range strings.Lines(string(out)) {
			require.Contains(t, line, "missing date", "the same program makes the same page")
		}
	}
}
