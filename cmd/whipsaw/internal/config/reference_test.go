package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The reference has every setting once, with all that there is to say of it.
func TestReference(t *testing.T) {
	text := Reference()
	parts := regexp.MustCompile(`(?m)^### `).Split(text, -1)[1:]
	settings := ServeSettings(new(Serve))
	require.Len(t, parts, len(settings))
	for i, d := range settings {
		entry := parts[i]
		require.True(t, strings.HasPrefix(entry, d.Name+"\n"), "%s stands where it is defined", d.Name)
		require.Contains(t, entry, d.Help[1:]+".\n")
		require.Contains(t, entry, "- flag: `--"+d.Name)
		require.Contains(t, entry, "`"+d.Env+"`")
		require.Contains(t, entry, "- SIGHUP: ")
		require.Equal(t, d.Secret, strings.Contains(entry, "- secret: "), d.Name)
		require.Equal(t, d.Stream, strings.Contains(entry, "- some streams: "), d.Name)
		if d.Default != "" {
			require.Contains(t, entry, "- default: `"+d.Default+"`\n")
		}
		if d.Name != configName {
			require.Contains(t, entry, "- file: `"+d.Name+":`")
		}
		require.NotEmpty(t, d.Group)
		require.Contains(t, text, "\n## "+d.Group+"\n")
		require.NotEqual(t, "a value", strings.Split(d.allowed(), ";")[0], "%s: say in Allowed or kinds what values there are", d.Name)
	}
	_, file, found := strings.Cut(text, "\n## The file\n")
	require.True(t, found)
	for _, d := range sectionSettings(new(Section)) {
		require.Contains(t, file, "`"+d.Name+"`")
	}
	for _, word := range []string{"  ", "TODO", "[]"} {
		require.NotContains(t, text, word)
	}
}
