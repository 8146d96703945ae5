package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/server"
)

// elsewhereAddress is an address of a test that runs elsewhere.
const elsewhereAddress = "10.31.0.1"

// insideEnv tells a test that it runs elsewhere already.
const insideEnv = "WHIPSAW_TEST_ELSEWHERE"

// elsewhereSetup makes the network of a test: loopback, and something that is not loopback, which some publishers ignore.
const elsewhereSetup = `set -e
ip link set lo up
ip link add pub0 type veth peer name pub1
ip address add ` + elsewhereAddress + `/24 dev pub0
ip link set pub0 up
ip link set pub1 up
exec "$@"`

// elsewhere runs the test once more, in a process with a network of its own that leads nowhere (Linux), and reports false
// there. Here it reports true as soon as that has passed, and fails if it has not.
func elsewhere(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		return false
	}
	// with processes of its own as well: when the first one ends, nothing of it is left
	own := []string{tool(t, "unshare", "util-linux"), "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	tool(t, "ip", "iproute2")
	if os.Geteuid() != 0 {
		own = append(own, "--map-root-user")
	}
	if out, err := exec.Command(own[0], append(own[1:], "true")...).CombinedOutput(); err != nil {
		missing(t, "namespaces cannot be made here: "+string(out))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	args := append(own[1:], "sh", "-c", elsewhereSetup, "sh", self, "-test.run", pattern, "-test.v", "-test.count=1", "-test.timeout=3m")
	c := exec.CommandContext(t.Context(), own[0], args...)
	c.Env = append(os.Environ(), insideEnv+"=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	t.Logf("elsewhere:\n%s", out.String())
	require.NoError(t, err)
	require.Contains(t, out.String(), "--- PASS: "+t.Name()+" ")
	return true
}

// missing ends a test that lacks something: as skipped, or failed where nothing may be skipped.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("WHIPSAW_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s, and WHIPSAW_REQUIRE_TOOLS=1", what)
	}
	t.Skip(what)
}

// serveElsewhere runs the server as a process of its own, so that its CPU time can be told from that of the test.
func serveElsewhere(t *testing.T, flags ...string) (*instance, *process) {
	t.Helper()
	p := spawn(t, append([]string{"--listen", elsewhereAddress + ":8080", "--webrtc-udp", elsewhereAddress + ":8189", "--open-publish",
		"--admin", ""}, flags...)...)
	address, err := net.ResolveTCPAddr("tcp", elsewhereAddress+":8080")
	require.NoError(t, err)
	s := &instance{Addresses: server.Addresses{HTTP: address}, t: t}
	eventually(t, "the server listens", func() bool {
		c, err := net.Dial("tcp", address.String())
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	return s, p
}
