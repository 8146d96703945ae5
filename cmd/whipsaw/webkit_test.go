package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WebKitGTK is the nearest to Safari that runs here: it plays the watch page.
func TestWebKit(t *testing.T) {
	realTime(t, loadStream+2*loadPage) // it paints without help, too
	w := startWebKit(t)
	s := serve(t, "--demo")
	s.multivariant("demo")
	w.plays(s.URL() + "/watch/demo")
}

// webkit is MiniBrowser, which comes with the library, on a display without a screen; it obeys over WebDriver.
type webkit struct {
	t       *testing.T
	session string // its URL
}

// miniBrowser is where Debian's package of the library has it; the architecture is part of the path.
func miniBrowser(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/webkit*/MiniBrowser")
	require.NoError(t, err)
	if len(found) == 0 {
		return tool(t, "MiniBrowser", "webkit2gtk-driver gstreamer1.0-plugins-bad gstreamer1.0-libav")
	}
	return found[0]
}

func startWebKit(t *testing.T) *webkit {
	t.Helper()
	driver, binary, home := tool(t, "WebKitWebDriver", "webkit2gtk-driver"), miniBrowser(t), t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	c := exec.Command(driver, fmt.Sprintf("--port=%d", port))
	c.Env = append(os.Environ(), "DISPLAY="+display(t), "HOME="+home, "XDG_RUNTIME_DIR="+home, "GDK_BACKEND=x11", "NO_AT_BRIDGE=1")
	background(t, c)
	w := &webkit{t: t}
	base := fmt.Sprintf("http://127.0.0.1:%d/session", port)
	eventually(t, "the driver listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err == nil && c.Close() == nil
	})
	browser := map[string]any{"binary": binary, "args": []string{"--automation"}}
	var session struct{ SessionID string }
	w.call(http.MethodPost, base, map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{"webkitgtk:browserOptions": browser}}}, &session)
	w.session = base + "/" + session.SessionID
	t.Cleanup(func() { w.call(http.MethodDelete, w.session, nil, nil) })
	return w
}

// display starts a display that nobody sees, and returns its name.
func display(t *testing.T) string {
	t.Helper()
	r, number, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	c := exec.Command(tool(t, "Xvfb", "xvfb"), "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "800x600x24")
	c.ExtraFiles = []*os.File{number}
	background(t, c)
	require.NoError(t, number.Close())
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err, "the display starts")
	return ":" + strings.TrimSpace(line)
}

// background runs a program until the test ends.
func background(t *testing.T, c *exec.Cmd) {
	t.Helper()
	var out buffer
	c.Stdout, c.Stderr = &out, &out
	c.WaitDelay = patience / 10 // its children may hold on to its output
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill() // it knows no other end
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", c.Path, out.String())
		}
	})
}

// call is one command of WebDriver.
func (w *webkit) call(method, url string, params, result any) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body, err := json.Marshal(params)
	require.NoError(w.t, err)
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	require.NoError(w.t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, answer.StatusCode, "%s %s: %s", method, url, b)
	require.NoError(w.t, json.Unmarshal(b, &struct{ Value any }{result}), "%s", b)
}

// evaluate returns the value of an expression as JSON has it: what is no number is 0.
func (w *webkit) evaluate(expression string) (out watching) {
	w.t.Helper()
	var text string
	w.call(http.MethodPost, w.session+"/execute/sync", map[string]any{"script": "return JSON.stringify(" + expression + ")", "args": []any{}}, &text)
	require.NoError(w.t, json.Unmarshal([]byte(text), &out), text)
	return out
}

// plays shows a page and requires that it plays for programTime without a fault.
func (w *webkit) plays(url string) {
	w.t.Helper()
	w.call(http.MethodPost, w.session+"/url", map[string]any{"url": url}, nil)
	look := func() watching { return w.evaluate("window.whipsaw ? whipsaw.stats() : {}") }
	var first, last watching
	eventually(w.t, "the page plays", func() bool {
		first = look()
		return first.State == "playing" && first.Frames > 0
	})
	eventually(w.t, "time goes on and pictures are decoded", func() bool {
		last = look()
		return last.CurrentTime > first.CurrentTime+programTime && last.Frames > first.Frames+20*programTime
	})
	w.t.Logf("%+v", last)
	require.Zero(w.t, last.Fatal, "fatal errors of the player: %v", last.Errors)
	require.Equal(w.t, []int{640, 360}, []int{last.Width, last.Height})
}
