package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/static"
)

// inBare says that TestBareEnvironment runs a command, in a network of its own where there is nothing else.
const inBare = "TestBareEnvironment"

// proofs says of every command that the README and deploy/ show, and of some of the documentation, which test runs it.
var proofs = map[string]string{
	"go run ./cmd/whipsaw": inBare,
	"go run ./cmd/whipsaw publish --demo http://127.0.0.1:8080/whip/live": inBare,
	"go run ./cmd/whipsaw --demo":                                         inBare,
	"whipsaw --listen 127.0.0.1:8080":                                     inBare,
	"whipsaw --help":                                                      inBare,
	"whipsaw --config /etc/whipsaw.yaml":                                  "TestReadmeConfiguration",
	"whipsaw config check /etc/whipsaw.yaml":                              "TestReadmeConfiguration",
	"whipsaw config print --config /etc/whipsaw.yaml":                     "TestReadmeConfiguration",
	"systemctl reload whipsaw":                                            "TestReload",
	"whipsaw completion bash":                                             "TestCompletionAndManual",
	"whipsaw man":                                                         "TestCompletionAndManual",
	"whipsaw help publish":                                                inBare,
	"whipsaw sign STREAM --for 4h --url https://tv.example":               inBare,
	"go doc ./segmenter":                                                  inBare,
	"printf %s TOKEN | sha256sum":                                         inBare,
	"curl -s http://127.0.0.1:8081/api/streams/live/findings":             inBare,
	`curl -X POST -d '{"block": "10m"}' http://127.0.0.1:8081/api/streams/live/kick`:                                     inBare,
	"WHIPSAW_PUBLISH_TOKEN=$(openssl rand -hex 16) whipsaw --listen :8080 --public-ip 203.0.113.7":                       inBare,
	"whipsaw --listen :443 --http3 --tls-cert fullchain.pem --tls-key privkey.pem":                                       inBare,
	"whipsaw --listen :8443 --tls-self-signed":                                                                           inBare,
	"whipsaw --trusted-proxy 127.0.0.1 --public-url https://live.example.com":                                            inBare,
	"whipsaw --listen 127.0.0.1:8080 --webrtc-udp :8189 --trusted-proxy 127.0.0.1 --public-url https://live.example.com": inBare,
	"go run ./cmd/whipsaw publish FILE.mp4 http://127.0.0.1:8080/whip/live --loop":                                       inBare,
	"ffmpeg -i ANY -c:v libx264 -bf 0 -g 60 -pix_fmt yuv420p -c:a libopus FILE.mp4":                                      inBare,
	"whipsaw --listen :443 --http3 --acme-domain live.example.com --state /var/lib/whipsaw":                              "TestACME",
	"whipsaw check http://127.0.0.1:8080/hls/live/index.m3u8 --for 30s":                                                  "TestCheckCommand",
	"whipsaw check https://cdn.example/hls/STREAM/index.m3u8":                                                            "TestCheckCommand",
	"whipsaw help":                     "TestHelpTopics",
	"whipsaw help access":              "TestHelpTopics",
	"whipsaw help obs":                 "TestHelpTopics",
	"pip install aiortc aiohttp numpy": "TestPython",
	"python cmd/whipsaw/examples/aiortc_publish.py http://127.0.0.1:8080/whip/live":                                                     "TestPython",
	"python cmd/whipsaw/examples/aiortc_republish.py http://127.0.0.1:8080/whip/live":                                                   "TestPython",
	"docker run -p 8080:8080 -p 8189:8189/udp -e WHIPSAW_PUBLISH_TOKEN whipsaw --listen :8080 --public-ip 203.0.113.7":                  "TestDockerfile",
	"docker build -f cmd/whipsaw/deploy/Dockerfile -t whipsaw .":                                                                        "TestDockerfile",
	"docker run -e WHIPSAW_PUBLISH_TOKEN=... -p 8080:8080 -p 8189:8189/udp -v whipsaw:/var/lib/whipsaw whipsaw --public-ip 203.0.113.7": "TestDeployedCommands",
	"varnishd -a :6081 -f /etc/varnish/default.vcl -s malloc,1g -p thread_pool_max=5000":                                                "TestVarnishFoldsViewers",
	"kubectl apply -f kubernetes.yaml": "TestKubernetes",
	"systemctl enable --now whipsaw":   "TestSystemdUnit",
	"sysctl --system":                  "TestSysctl",
	"nginx -t && nginx -s reload":      "TestNginxFoldsViewers",
	"go test ./...":                    "TestReadmeBlocks", // this is it
	"bash .ci/run":                     "TestTargets",
	"go run ./cmd/whipsaw/internal/release -version v1.2.3": "TestReproducible",
}

// commandForm begins what is a command; what else stands in a block is a picture, an address or an answer.
var commandForm = regexp.MustCompile(`^(?:[A-Z_]+=\S+ |[A-Z_]+=\$\([^)]*\) )*(?:whipsaw|go|bash|sh|pip|python3?|docker|curl|ffmpeg|printf|openssl|npm|node|sudo|apt|apt-get|systemctl|sysctl|varnishd|nginx|kubectl|install|cp|git|sha256sum)\s`)

// shown are all commands of a text: lines of its blocks, which are indented, fenced or in a comment, and words in
// backquotes. What follows two spaces and # is a remark.
func shown(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?m)^(?:#?    +|#?\t+)(?:\\$ )?(\\S.*)$").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	fence := regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(m[1]) {
			all = append(all, strings.TrimPrefix(strings.TrimSpace(line), "$ "))
		}
	}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, strings.ReplaceAll(m[1], "\n", " "))
	}
	var commands []string
	for _, line := range all {
		line = strings.TrimSpace(regexp.MustCompile(`\s# .*$`).ReplaceAllString(line, ""))
		if commandForm.MatchString(line+" ") && strings.Contains(line, " ") {
			commands = append(commands, line)
		}
	}
	return commands
}

// Every command that the README and deploy/ show is run by a test, and every proof is of a command that is shown there or in
// the documentation.
func TestReadmeBlocks(t *testing.T) {
	files, err := os.ReadDir("deploy")
	require.NoError(t, err)
	texts := map[string]string{"README.md": readme(t)}
	for _, f := range files {
		texts[f.Name()] = deployed(t, f.Name())
	}
	tests := testNames(t)
	seen := make(map[string]bool)
	for name, text := range texts {
		for _, command := range shown(text) {
			proof, known := proofs[command]
			require.True(t, known, "%s shows %q: say in proofs which test runs it", name, command)
			require.True(t, tests[proof], "%q: there is no test %s", command, proof)
			seen[command] = true
		}
	}
	for _, topic := range static.Topics() { // what it shows besides is held to the settings by TestDocsCommands
		for _, command := range shown(topic.Text) {
			seen[command] = true
		}
	}
	for command := range proofs {
		require.True(t, seen[command], "%q is nowhere to be seen", command)
	}
}

// testNames are all tests of this module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	err := filepath.WalkDir(root(t), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	})
	require.NoError(t, err)
	return names
}

// What is taken for a command, and what is not.
func TestShown(t *testing.T) {
	require.ElementsMatch(t, []string{"whipsaw --listen :1", "A=$(x y) whipsaw --b", "curl -s http://x", "go run ./x", "go run ./y", "ffmpeg -i x"}, shown(
		"text\n\n    whipsaw --listen :1   # remark\n    A=$(x y) whipsaw --b\n    $ curl -s http://x\n    {\"answer\": 1}\n    | whipsaw |\n\n`go run ./x`, `--flag`, `whipsaw`\n"+
			"```sh\ngo run ./y\n```\n#     ffmpeg -i x\n"))
}

// The tests that the README says hold against attacks are there.
func TestReadmeSecurity(t *testing.T) {
	_, section, ok := strings.Cut(readme(t), "\n## Security\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	tests, n := testNames(t), 0
	for _, m := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(section, -1) {
		require.True(t, tests[m[1]], m[1])
		n++
	}
	require.Greater(t, n, 30)
}
