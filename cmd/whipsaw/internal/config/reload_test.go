package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is marked as changing while the server runs is taken over, and nothing else.
func TestAdoptTakesWhatIsMarked(t *testing.T) {
	for i, d := range ServeSettings(new(Serve)) {
		var before, next Serve
		for c, value := range map[*Serve]string{&before: twoValues[d.Name][0], &next: twoValues[d.Name][1]} {
			c.TLSCert, c.TLSKey = "a", "b"
			require.NoError(t, ServeSettings(c)[i].set(splitAs(d, value)), d.Name)
		}
		got, _ := before.Adopt(next) // alone it need not go together
		want := before
		if d.Reload {
			want = next
		}
		require.Equal(t, want, got, d.Name)
	}
}

func splitAs(d Setting, value string) []string {
	if d.Repeat {
		return splitList(value)
	}
	return []string{value}
}

func TestAdoptChecks(t *testing.T) {
	before := parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "x"}, "--listen", ":8080")
	_, err := before.Adopt(parseServe(t, nil))
	require.ErrorContains(t, err, "publishers must show a token", "though the file alone would do")
	after, err := before.Adopt(parseServe(t, env{"WHIPSAW_PUBLISH_TOKEN": "y"}, "--admin=", "--window=1m"))
	require.NoError(t, err)
	require.Equal(t, "y", after.PublishToken.Reveal())
	require.Equal(t, ":8080", after.Listen)
	require.Equal(t, "127.0.0.1:8081", after.Admin)
	plain, secured := parseServe(t, nil), parseServe(t, nil, "--tls-cert", "a", "--tls-key", "b")
	after, err = plain.Adopt(secured)
	require.NoError(t, err)
	require.Equal(t, plain, after, "HTTPS cannot begin while it runs")
}

func TestCompare(t *testing.T) {
	read := func(text string) Loaded {
		l, err := Load([]string{"--config", inFile(t, text)}, env{}.lookup)
		require.NoError(t, err)
		l.Values[0].Given = nil // its path is the same where it matters
		return l
	}
	begun := read("window: 1m\nstreams: {a*: {part: 100ms}, \"*b\": {part: 100ms}, c: {}, d: {}}\n")
	next := read("window: 2m\nmax-streams: 5\nstreams: {\"*b\": {part: 100ms}, a*: {part: 100ms}, c: {part: 60ms}, e: {}}\n")
	changed, restart := Compare(begun, begun, next)
	require.Equal(t, []string{"window", "streams.c", "streams.e", "streams.*b", "streams.a*", "streams.d"}, changed, "the order of patterns counts")
	require.Equal(t, []string{"max-streams"}, restart)
	changed, restart = Compare(begun, next, next)
	require.Empty(t, changed)
	require.Equal(t, []string{"max-streams"}, restart, "it still waits for a restart")
	changed, restart = Compare(begun, begun, begun)
	require.Empty(t, append(changed, restart...))
	_, restart = Compare(begun, begun, read("tls-cert: a\ntls-key: b\nwindow: 1m\n"))
	require.Equal(t, []string{"tls-cert", "tls-key"}, restart)
}

// A file that can be read only once is not read again.
func TestReloadNeedsAFile(t *testing.T) {
	_, err := Reload([]string{"--config", t.TempDir()}, env{}.lookup)
	require.ErrorContains(t, err, "no regular file")
	_, err = Reload(nil, env{"WHIPSAW_CONFIG": os.DevNull}.lookup)
	require.ErrorContains(t, err, "no regular file")
	_, err = Reload([]string{"--config", filepath.Join(t.TempDir(), "gone")}, env{}.lookup)
	require.ErrorContains(t, err, "cannot be read")
	l, err := Reload([]string{"--config", inFile(t, "window: 1m\n")}, env{}.lookup)
	require.NoError(t, err)
	require.Equal(t, parseServe(t, nil, "--window=1m").Segmenter, l.Segmenter)
}
