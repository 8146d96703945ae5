package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inFile writes a file of settings and returns its path.
func inFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whipsaw.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// faultsIn returns what a file is refused for, without its path.
func faultsIn(t *testing.T, text string, args ...string) []string {
	t.Helper()
	path := inFile(t, text)
	_, err := Load(append([]string{"--config", path}, args...), env{}.lookup)
	if err == nil {
		return nil
	}
	require.ErrorIs(t, err, ErrUsage)
	var all []string
	for line := range strings.Lines(err.Error()) {
		all = append(all, strings.TrimSpace(strings.ReplaceAll(line, path, "F")))
	}
	return all
}

// A file is outdone by the environment, and that by flags.
func TestFilePrecedence(t *testing.T) {
	path := inFile(t, "segment: 3s\nwindow: 1m\npart: 100ms\nhttp3: false\npublic-ip: [192.0.2.1, 192.0.2.2]\nadmin: \"\"\n"+
		"trusted-proxy:\n  - 10.0.0.0/8\n  - 192.0.2.7\ncors-origin: https://a.example,https://b.example\n")
	l, err := Load([]string{"--config", path, "--segment", "5s"}, env{"WHIPSAW_SEGMENT": "4s", "WHIPSAW_WINDOW": "2m"}.lookup)
	require.NoError(t, err)
	s := l.Segmenter
	require.Equal(t, []time.Duration{5 * time.Second, 2 * time.Minute, 100 * time.Millisecond}, []time.Duration{s.Segment, s.Window, s.Part})
	require.Len(t, l.PublicIPs, 2)
	require.Len(t, l.Proxies, 2)
	require.Equal(t, []string{"https://a.example", "https://b.example"}, l.Origins)
	require.Empty(t, l.Admin)
	from := map[string]string{}
	for _, v := range l.Values {
		from[v.Name] = v.Origin.String()
	}
	require.Equal(t, "flag", from["segment"])
	require.Equal(t, "environment WHIPSAW_WINDOW", from["window"])
	require.Equal(t, path+":3", from["part"])
	require.Equal(t, path+":8", from["trusted-proxy"], "where its value begins")
	require.Equal(t, "default", from["resume"])

	byVariable, err := Load(nil, env{"WHIPSAW_CONFIG": path}.lookup)
	require.NoError(t, err)
	require.Equal(t, 3*time.Second, byVariable.Segmenter.Segment)
	for _, empty := range []string{"", "# nothing\n", "---\n", "{}"} {
		require.Equal(t, parseServe(t, nil).Segmenter, parseServe(t, nil, "--config", inFile(t, empty)).Segmenter, empty)
	}
}

// Every key is the name of a flag, and takes what the flag takes.
func TestFileTakesEveryFlag(t *testing.T) {
	for _, d := range ServeSettings(new(Serve))[1:] {
		if d.Default == "" {
			continue
		}
		path := inFile(t, fmt.Sprintf("%s: %q\n", d.Name, d.Default))
		l, err := Load([]string{"--config", path}, env{}.lookup)
		require.NoError(t, err, d.Name)
		l.Config = ""
		want := parseServe(t, nil)
		if d.Name == "webrtc-udp" { // where it is said it is meant
			want.WebRTCUDP = ":8189"
		}
		require.Equal(t, want, l.Serve, d.Name)
	}
}

func TestFileRefuses(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"lisen: :80\n", "F:1: lisen: there is no such setting here; listen is; whipsaw help settings lists all settings"},
		{"\npublish_token: x\n", "F:2: publish_token: there is no such setting here; publish-token is; "},
		{"frobnicate: x\n", "F:1: frobnicate: there is no such setting here; whipsaw help settings"},
		{"config: other.yaml\n", "F:1: config: there is no such setting here"},
		{"part: 100ms\nsegment: soon\n", `F:2: segment: "soon" is no duration like 500ms, 2s or 1m30s`},
		{"http3: maybe\n", `F:1: http3: "maybe" is neither true nor false`},
		{"listen: [a, b]\n", "F:1: listen: this is a list; it takes one value: an address like"},
		{"listen: {host: a}\n", "F:1: listen: this is a table; it takes an address like"},
		{"public-ip: [[192.0.2.1]]\n", "F:1: public-ip: a list holds values"},
		{"public-ip:\n  - 192.0.2.1\n  - nobody\n", `F:2: public-ip: "nobody" is no IP address`},
		{"listen:\n", "F:1: listen: there is no value; it takes an address like"},
		{"listen: :80\npart: 100ms\nlisten: :81\n", "F:3: listen: it was set in line 1 already; once is enough"},
		{"? [a]\n: b\n", "F:1: a key is a word"},
		{"a\n", "F:1: a file of settings has lines like"},
		{"- listen\n", "F:1: a file of settings has lines like"},
		{"part: 100ms\n---\npart: 200ms\n", "F:2: a second document begins here"},
		{"part: 100ms\n--- {", "F:2: this is not YAML"},
		{"part: &a 100ms\n", "F:1: & and * (anchors and aliases) are not taken"},
		{"part: 1s\nwindow: *a\n", "F:2: this is not YAML: * (an alias) is not taken"},
		{"x: &a [1]\ny: [*a, *a]\n", "F:1: & and *"},
		{"x: &a [*a]\n", "F:1: & and *"},
		{"part: !!binary aGk=\n", "F:1: ! (tags) are not taken"},
		{"part: 100ms\n\tsegment: 1s\n", "F:2: this is not YAML: "},
		{"part: [\n", "F:1: this is not YAML: "},
		{"part: 100ms\nsegment: \xff\n", "F:2: this is not UTF-8 text"},
		{"part: 100ms\n\nsegment: \"\x01\"\n", "F:3: this is not YAML: "},
		{strings.Repeat("[", 20000), "this is not YAML"},
		{"window: 30s\nsegment: 100ms\n", "F:2: segment: --segment 100ms is not between four parts and 30s"},
		{"api-token: x\napi-read-token: x\n", "F:1: api-token: --api-token and --api-read-token are the same"},
		{"part: 100ms\nlisten: :80\n", "F:2: listen: --listen :80 is reached from other machines"},
	} {
		all := faultsIn(t, c.text)
		require.NotEmpty(t, all, "%q", c.text)
		require.Contains(t, all[0], c.says, "%q", c.text)
	}
}

// All that is wrong is told in one go, also what a flag outdoes.
func TestAllFaultsAtOnce(t *testing.T) {
	all := faultsIn(t, "listen: nowhere\nlisten: :1\nsegment: soon\nnoise: 1\nwatch-key: short\nlog-level: loud\n", "--segment", "2s")
	require.Len(t, all, 6)
	for i, line := range []string{"F:1: listen: ", "F:2: listen: it was set", "F:3: segment: ", "F:4: noise: ", "F:5: watch-key: ", "F:6: log-level: "} {
		require.Contains(t, all[i], line)
	}
	require.Len(t, faultsIn(t, "jwt-issuer: me\nwatch-for: 0s\nwebhook-secret: x\ntls-cert: a.pem\nhttp3: true\nturn-secret: x\nwindow: 1h\npart: 10ms\n"), 7)
}

func TestFileThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no.yaml")
	_, err := Load([]string{"--config", path}, env{}.lookup)
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, path+": cannot be read: ")
	_, err = Load([]string{"--config", t.TempDir()}, env{}.lookup)
	require.ErrorContains(t, err, ": cannot be read: ")
	_, err = Load([]string{"--config", inFile(t, strings.Repeat("#", maxFile+1))}, env{}.lookup)
	require.ErrorContains(t, err, "larger than 1048576 bytes")
	parseServe(t, nil, "--config", inFile(t, strings.Repeat("#", maxFile)))
}

// Of a file that is wrong all over enough is told, and soon.
func TestFaultsAreBounded(t *testing.T) {
	all := faultsIn(t, strings.Repeat("listen: :1\n", 5000)+strings.Repeat("x: &a [*a]\n", 5000))
	require.Len(t, all, maxFaults+1)
	require.Contains(t, all[maxFaults], "there may be more that is wrong")
	var many strings.Builder
	for i := range maxSections + 5 {
		fmt.Fprintf(&many, "  s%d: {publish-token: x}\n", i)
	}
	all = faultsIn(t, "streams:\n"+many.String())
	require.Equal(t, []string{fmt.Sprintf("F:%d: streams: there are more than %d names and patterns; let patterns stand for more streams", maxSections+2, maxSections)}, all)
}

// No error shows a secret, wherever it was written wrongly.
func TestFileKeepsSecrets(t *testing.T) {
	for _, d := range ServeSettings(new(Serve)) {
		if !d.Secret {
			continue
		}
		for _, value := range []string{`"hunter2 hunter2"`, `[[hunter2]]`, `{a: hunter2}`, `"hunter2 =\x00hunter2"`, `["=hunter2", "a b=hunter2"]`} {
			for _, says := range faultsIn(t, d.Name+": "+value+"\n") {
				require.NotContains(t, says, "hunter2", d.Name)
			}
		}
	}
}

// What looks like a secret is known as one.
func TestSecretsAreMarked(t *testing.T) {
	for _, d := range ServeSettings(new(Serve)) {
		looks := d.Name == "auth-url" || d.Name == "webhook"
		for _, word := range []string{"token", "secret", "password", "watch-key"} {
			looks = looks || strings.Contains(d.Name, word)
		}
		require.Equal(t, looks, d.Secret, d.Name)
	}
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"listen: :8080\n", "public-ip: [192.0.2.1]\n", "a: &a [b]\nc: *a\n", "? {a: b}\n: c\n", "--- a\n--- b\n", "%YAML 1.1\n---\nlisten: !!str x\n",
		"listen: |\n  x\n", "<<: {listen: x}\n", "\xef\xbb\xbflisten: :1\n", "\"\\x00\": x\n", "*a", "streams:\n  \"a*\": {segment: 1s, publish-token: [x]}\n",
	} {
		f.Add([]byte(seed))
	}
	known := ServeSettings(new(Serve))[1:]
	f.Fuzz(func(t *testing.T, text []byte) {
		d := parseDocument("F", text, known)
		lines := 1 // as YAML counts them
		for _, r := range string(text) {
			if strings.ContainsRune("\n\r\u0085\u2028\u2029", r) {
				lines++
			}
		}
		for _, err := range d.faults {
			says := err.Error()
			require.True(t, strings.HasPrefix(says, "F:"), "%q", says)
			require.False(t, strings.ContainsAny(says, "\n\r\x00"), "%q", says)
			require.LessOrEqual(t, err.(fault).line, lines+1)
			require.Less(t, len(says), 5000)
		}
		for name, e := range d.entries {
			require.Equal(t, name, e.key)
			require.Positive(t, e.line)
			require.NotNil(t, e.values)
		}
		resolve(known, nil, env{}.lookup, d)
	})
}
