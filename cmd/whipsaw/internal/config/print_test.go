package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func printed(t *testing.T, e env, args ...string) string {
	t.Helper()
	l, err := Load(args, e.lookup)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, Print(&out, l))
	return out.String()
}

// What is printed gives the same settings again, and the same print but for where it comes from.
func TestPrintCanBeRead(t *testing.T) {
	text := strings.NewReplacer("publish-token: hunter2\n", "", "    publish-token: [hunter3, \"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"]\n", "",
		"    watch-token: hunter4\n", "", "watch-key: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "", "    codec: [h264]\n", "    codec: [h264]\n", "    publish-token: hunter2\n", "").Replace(sectionsText)
	args := []string{"--config", inFile(t, text), "--public-ip", "192.0.2.1,2001:db8::1", "--admin=", "--jwt-audience", `a: "b" # c`, "--jwt-jwks", "null"}
	first, err := Load(args, env{"WHIPSAW_STATE": "/var/lib/my state"}.lookup)
	require.NoError(t, err)
	out := printed(t, env{"WHIPSAW_STATE": "/var/lib/my state"}, args...)
	second, err := Load([]string{"--config", inFile(t, out)}, env{}.lookup)
	require.NoError(t, err, out)
	second.Config = first.Config
	require.Equal(t, first.Serve, second.Serve)
	require.Contains(t, out, "admin: \"\" ")
	require.Contains(t, out, "# tls-cert: ")
}

// Each value stands with where it comes from, and no secret does.
func TestPrint(t *testing.T) {
	path := inFile(t, sectionsText)
	e := env{"WHIPSAW_WINDOW": "2m", "WHIPSAW_WEBHOOK": "https://user:hunter5@example.com/"}
	out := printed(t, e, "--config", path, "--part", "150ms", "--stream-token", "a-*=hunter6,b=hunter7=8")
	for _, line := range []string{
		"segment: 4s # " + path + ":1", "window: 2m # environment WHIPSAW_WINDOW", "part: 150ms # flag", "resume: 30s # default",
		"webrtc-udp: 127.0.0.1:8189 # default", "watch-key: [(hidden)] # " + path + ":19", "webhook: (hidden) # environment WHIPSAW_WEBHOOK",
		`stream-token: ["a-*=(hidden)", "b=(hidden)"] # flag`, `"studio-*": # ` + path + ":4", "publish-token: [(hidden), (hidden)] # " + path + ":13",
		"on-excess: end # " + path + ":16",
	} {
		require.Contains(t, strings.Join(strings.Fields(out), " "), line)
	}
	for _, secret := range []string{"hunter", "9f86d", "aaaa"} {
		require.NotContains(t, out, secret)
	}
	require.Less(t, strings.Index(out, "  studio-1:"), strings.Index(out, `  "studio-*":`), "those that win stand first")
	for _, d := range ServeSettings(new(Serve)) {
		require.Contains(t, out, d.Name+":")
	}
}

// What stands for a secret is not taken for one, or everybody would know it.
func TestHiddenIsNoSecret(t *testing.T) {
	for _, text := range []string{"publish-token: (hidden)\n", "stream-token: [\"a=(hidden)\"]\n", "streams: {a: {publish-token: [(hidden)]}}\n"} {
		all := faultsIn(t, text)
		require.NotEmpty(t, all)
		require.Contains(t, all[0], "write the secret itself")
	}
	_, err := ParseServe([]string{"--publish-token", "(hidden)"}, env{}.lookup)
	require.ErrorIs(t, err, errHidden)
}

// A value comes back as it was, whatever is in it.
func TestScalarsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.SampledFrom([]string{"null", "~", "yes", "0x1", "a:", ": ", "- a", "é\n", "\t", "1:2", "#x", "NULL"})).Draw(t, "value")
		d := parseDocument("F", []byte(fmt.Sprintf("state: %s # comment\npublic-ip: [%s]\n", scalar(want), scalar("x"+strings.ReplaceAll(want, ",", "")))), ServeSettings(new(Serve)))
		require.Empty(t, d.faults, "%q", want)
		require.Equal(t, []string{want}, d.entries["state"].values)
		require.Equal(t, splitList("x"+strings.ReplaceAll(want, ",", "")), d.entries["public-ip"].values)
	})
}

func TestLoadFile(t *testing.T) {
	path := inFile(t, "listen: :8080\n")
	_, _, err := LoadFile([]string{path}, env{}.lookup)
	require.ErrorContains(t, err, path+":1: listen: ", "without a token")
	file, l, err := LoadFile([]string{"--publish-token", "x", path}, env{}.lookup)
	require.NoError(t, err)
	require.Equal(t, path, file)
	require.Equal(t, ":8080", l.Listen)
	for _, args := range [][]string{{}, {path, path}, {path, "--config", path}, {"--no-such", path}} {
		_, _, err = LoadFile(args, env{}.lookup)
		require.ErrorIs(t, err, ErrUsage)
		require.NotErrorAs(t, err, new(Faults))
	}
}
