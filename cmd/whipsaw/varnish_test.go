package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startVarnish runs Varnish with the configuration that we ship in front of an origin, whose address is all that is
// changed, and returns its URL.
func startVarnish(t *testing.T, origin string) string {
	t.Helper()
	program := tool(t, "varnishd", "varnish")
	dir := t.TempDir()
	text, err := os.ReadFile("deploy/varnish.vcl")
	require.NoError(t, err)
	host, port, ok := strings.Cut(strings.TrimPrefix(origin, "http://"), ":")
	require.True(t, ok)
	vcl := filepath.Join(dir, "default.vcl")
	require.NoError(t, os.WriteFile(vcl, []byte(replaced(t, string(text),
		`.host = "127.0.0.1";`, `.host = "`+host+`";`, `.port = "8080";`, `.port = "`+port+`";`)), 0o600))
	base := fmt.Sprintf("http://127.0.0.1:%d", freePorts(t, 1)[0])
	background(t, exec.Command(program, "-F", "-j", "none", "-n", filepath.Join(dir, "n"), "-a", strings.TrimPrefix(base, "http://"),
		"-f", vcl, "-s", "malloc,1g", "-p", "thread_pool_max=5000", "-p", "thread_pools=1"))
	eventually(t, "Varnish answers", func() bool {
		r, err := insecure.Get(base + "/healthz")
		if err != nil {
			return false
		}
		readAll(t, r)
		return r.StatusCode == http.StatusOK
	})
	return base
}

// What holds for nginx holds for Varnish with the configuration that we ship, and those who wait are woken at once.
func TestVarnishFoldsViewers(t *testing.T) {
	if testing.Short() {
		t.Skip("a crowd needs the machine for itself")
	}
	realTime(t, 200)
	s := serve(t, "--demo")
	s.multivariant("demo")
	origin := newCounted(t, s)
	base := startVarnish(t, origin.URL)
	begun := time.Now()
	early := tooEarly(t, s, base)
	later := make(chan map[string]bool, 1)
	go func() { later <- stillMissing(base, early) }()

	const viewers = 200
	c := gather(t, base+"/hls/demo/index.m3u8", viewers, *cacheFor+time.Second)
	c.report(t, viewers, origin)
	require.Empty(t, c.faults)
	origin.once(t, early)
	for u, n := range origin.of(`index\.m3u8$|media\.m3u8$`) {
		require.LessOrEqual(t, n, int(time.Since(begun).Seconds())+2, u)
	}
	require.Empty(t, <-later, "what was asked for too early is there later")
	sameThroughCache(t, s, origin, base)

	r, _ := ask(t, "POST", base+"/whip/live")
	require.Equal(t, http.StatusUnsupportedMediaType, r.StatusCode, "publishers get through")
	r, _ = ask(t, "GET", base+"/auth/watch")
	require.Equal(t, http.StatusNotFound, r.StatusCode)
}
