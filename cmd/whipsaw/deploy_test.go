package main

import (
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"whipsaw/cmd/whipsaw/internal/config"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("deploy", name))
	require.NoError(t, err)
	return string(b)
}

// with is an environment of these variables.
func with(vars map[string]string) config.Lookup {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// Each command line that the configurations tell of is one that the server takes, once there is a token.
func TestDeployedCommands(t *testing.T) {
	token := with(map[string]string{"WHIPSAW_PUBLISH_TOKEN": "t0ken", "WHIPSAW_ACME_DOMAIN": ""})
	command := regexp.MustCompile(`(?m)^(?:#\s+|ExecStart=/usr/local/bin/)whipsaw (--.*)$`)
	for name, n := range map[string]int{"nginx.conf": 1, "varnish.vcl": 1, "whipsaw.service": 1} {
		found := command.FindAllStringSubmatch(deployed(t, name), -1)
		require.Len(t, found, n, name)
		for _, m := range found {
			args := strings.Fields(m[1])
			if name == "whipsaw.service" { // the domain is in the file of variables
				args = append(args, "--acme-domain=live.example.com")
			}
			_, err := config.ParseServe(args, token)
			require.NoError(t, err, "%s: %v", name, args)
			_, err = config.ParseServe(args, nothing)
			require.ErrorContains(t, err, "WHIPSAW_PUBLISH_TOKEN", "%s: not without a token", name)
		}
	}
	inReadme := regexp.MustCompile(`(?m)^    whipsaw (--[^#\n]*)`).FindAllStringSubmatch(readme(t), -1)
	require.NotEmpty(t, inReadme)
	for _, m := range inReadme {
		_, err := config.ParseServe(strings.Fields(m[1]), token)
		require.NoError(t, err, "README: %s", m[1])
	}
	run := regexp.MustCompile(`whipsaw whipsaw (--.*)`).FindStringSubmatch(deployed(t, "Dockerfile"))
	require.NotNil(t, run)
	vars := map[string]string{"WHIPSAW_PUBLISH_TOKEN": "t0ken"}
	for _, m := range regexp.MustCompile(`(WHIPSAW_[A-Z_]+)=(\S*)`).FindAllStringSubmatch(strings.Join(regexp.MustCompile(`(?m)^ENV .*$`).FindAllString(deployed(t, "Dockerfile"), -1), "\n"), -1) {
		vars[m[1]] = m[2]
	}
	require.Contains(t, vars, "WHIPSAW_STATE")
	c, err := config.ParseServe(strings.Fields(run[1]), with(vars))
	require.NoError(t, err)
	require.False(t, c.Loopback())
}

// Nobody in the image is root, and there is nothing in it but the program.
func TestDockerfile(t *testing.T) {
	text := deployed(t, "Dockerfile")
	_, last, ok := strings.Cut(text, "\nFROM scratch\n")
	require.True(t, ok)
	require.NotContains(t, last, "\nFROM ")
	require.Regexp(t, `(?m)^USER [1-9][0-9]*:[1-9][0-9]*$`, last)
	require.NotRegexp(t, `(?m)^RUN`, last)
	require.Contains(t, text, "CGO_ENABLED=0")
	ignored := deployed(t, "Dockerfile.dockerignore")
	for _, name := range []string{"go.mod", "go.sum", "cmd", "fmp4", "segmenter", "signaling", "static"} {
		require.Contains(t, ignored, "\n!"+name+"\n")
		_, err := os.Stat(filepath.Join(root(t), name))
		require.NoError(t, err)
	}
}

// systemd takes the unit, and finds that it may do little.
func TestSystemdUnit(t *testing.T) {
	program := tool(t, "systemd-analyze", "systemd")
	self, err := os.Executable()
	require.NoError(t, err)
	unit := filepath.Join(t.TempDir(), "whipsaw.service")
	require.NoError(t, os.WriteFile(unit, []byte(replaced(t, deployed(t, "whipsaw.service"), "/usr/local/bin/whipsaw", self)), 0o600))
	out, err := exec.Command(program, "verify", "--man=no", unit).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "whipsaw.service:", "no complaints")
	out, err = exec.Command(program, "security", "--offline=true", "--threshold=20", unit).CombinedOutput() // of 100
	require.NoError(t, err, "%s", out)
}

// container is what of a pod's container the test looks at.
type container struct {
	Args []string
	Env  []struct{ Name string }

	SecurityContext struct {
		AllowPrivilegeEscalation bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`

	Ports []struct {
		Name     string
		Port     int `yaml:"containerPort"`
		HostPort int `yaml:"hostPort"`
	}
}

func TestKubernetes(t *testing.T) {
	decoder := yaml.NewDecoder(strings.NewReader(deployed(t, "kubernetes.yaml")))
	kinds := make(map[string]int)
	secrets := make(map[string]string)
	var c container
	for {
		var object struct {
			Kind       string
			StringData map[string]string `yaml:"stringData"`
			Spec       struct {
				Template struct {
					Spec struct{ Containers []container }
				}
			}
		}
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		kinds[object.Kind]++
		maps.Copy(secrets, object.StringData)
		if object.Kind == "StatefulSet" {
			require.Len(t, object.Spec.Template.Spec.Containers, 1)
			c = object.Spec.Template.Spec.Containers[0]
		}
	}
	require.Equal(t, []string{"Ingress", "Secret", "Service", "StatefulSet"}, slices.Sorted(maps.Keys(kinds)))
	args := slices.Clone(c.Args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$(NODE_IP)", "192.0.2.1")
	}
	cfg, err := config.ParseServe(args, with(map[string]string{"WHIPSAW_PUBLISH_TOKEN": "t0ken"}))
	require.NoError(t, err)
	require.Equal(t, "WHIPSAW_PUBLISH_TOKEN", c.Env[1].Name)
	_, err = config.ParseServe(args, with(map[string]string{"WHIPSAW_PUBLISH_TOKEN": secrets["publish-token"]}))
	require.ErrorContains(t, err, "publishers must show a token", "a token that all know is none")
	ports := make(map[string]string)
	for _, p := range c.Ports {
		ports[p.Name] = ":" + strconv.Itoa(p.Port)
		if p.Name == "media" {
			require.Equal(t, p.Port, p.HostPort, "outside and inside the number is the same")
		}
	}
	require.Equal(t, map[string]string{"http": cfg.Listen, "admin": cfg.Admin, "media": cfg.WebRTCUDP}, ports)
	require.False(t, c.SecurityContext.AllowPrivilegeEscalation)
	require.True(t, c.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []string{"ALL"}, c.SecurityContext.Capabilities.Drop)
}

// The kernel is asked to grant what the server and QUIC ask for, and nothing is set that is not told of.
func TestSysctl(t *testing.T) {
	set := make(map[string]int)
	for line := range strings.Lines(deployed(t, "sysctl.conf")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		require.True(t, ok, line)
		n, err := strconv.Atoi(value)
		require.NoError(t, err)
		set[name] = n
		if runtime.GOOS == "linux" {
			require.FileExists(t, "/proc/sys/"+strings.ReplaceAll(name, ".", "/"))
		}
	}
	require.Len(t, set, 2)
	for _, n := range set {
		require.GreaterOrEqual(t, n, 7<<20)
	}
}
