package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// raw sends bytes as they are and returns the answer with its body.
func raw(t *testing.T, at net.Addr, request string) (*http.Response, []byte) {
	t.Helper()
	c, err := net.Dial("tcp", at.String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: strings.Fields(request)[0]})
	require.NoError(t, err, "%.100q", request)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r, body
}

// escapes are tails of paths that leave a folder, where somebody takes them apart wrongly.
var escapes = []string{
	"/../../../../../../etc/passwd", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2f..%2fetc%2fpasswd",
	"/..%252f..%252f..%252fetc%252fpasswd", `/..\..\..\etc\passwd`, "/..%5c..%5c..%5cetc%5cpasswd", "/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
	"/etc/passwd%00.js", "/etc/passwd\x00.js", "/%00", "//etc/passwd", "///../go.mod", "/./../go.mod", "/.git/config", "/.env", "/..;/..;/go.mod",
	"/go.mod", "/..", "/.", "/%2e", "/%2e%2e", "/%", "/%zz", "/~1~x/../../go.mod", "/C:%5cboot.ini", "/CON", "/\xff\xfe", "/%ff%fe",
	"/" + strings.Repeat("a", 20_000), "/" + strings.Repeat("../", 5000), "/" + strings.Repeat("%2e%2e%2f", 2000), "/" + strings.Repeat("/", 10_000),
}

// No path leads out of what there is: whatever is not there is refused, on both listeners, by each method, and nothing of
// this machine is told.
func TestTraversal(t *testing.T) {
	s := serve(t, "--state", t.TempDir())
	for at, bases := range map[net.Addr][]string{
		s.HTTP:  {"", "/hls", "/hls/live", "/hls/live/g/video", "/whip", "/whip/live", "/static", "/static/vendor", "/static/0123456789ab", "/watch", "/publish", "/api", "/api/streams", "/auth"},
		s.Admin: {"", "/api/streams", "/debug/pprof", "/metrics"},
	} {
		for _, base := range bases {
			for _, tail := range escapes {
				if named(base, tail) {
					continue
				}
				for _, method := range []string{"GET", "HEAD", "DELETE"} {
					r, body := raw(t, at, method+" "+base+tail+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
					what := fmt.Sprintf("%s %.100q", method, base+tail)
					require.GreaterOrEqual(t, r.StatusCode, 400, what)
					require.Less(t, r.StatusCode, 500, what)
					for _, secret := range []string{"root:", "module whipsaw", "[core]", s.HTTP.String()} {
						require.NotContains(t, string(body), secret, what)
					}
				}
			}
		}
	}
	status, _, _ := s.get("/healthz")
	require.Equal(t, http.StatusOK, status)
}

// named reports whether a tail is a stream's name where one belongs.
func named(base, tail string) bool {
	return slices.Contains([]string{"/whip", "/whip/live", "/watch", "/publish"}, base) && segmenter.ValidName(tail[1:])
}

// No folder is listed, and no answer tells which program of which version gives it: the operator's listener alone does.
func TestNothingIsTold(t *testing.T) {
	s := serve(t)
	for _, folder := range []string{"/static", "/static/", "/static/vendor", "/static/vendor/", "/hls", "/hls/", "/hls/live/", "/whip/", "/watch", "/watch/", "/publish/", "/api", "/api/"} {
		status, _, body := s.get(folder)
		require.Equal(t, http.StatusNotFound, status, folder)
		require.NotContains(t, string(body), "hls.min.js", folder)
	}
	for _, path := range []string{"/", "/watch/live", "/publish/live", "/static/watch.js", "/api/streams", "/api/openapi.yaml", "/hls/live/index.m3u8", "/whip/live", "/healthz", "/nothing", "/%zz"} {
		r, body := raw(t, s.HTTP, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.Empty(t, r.Header.Get("Server"), path)
		require.Empty(t, r.Header.Get("X-Powered-By"), path)
		for name, values := range r.Header {
			require.NotContains(t, fmt.Sprint(values), "whipsaw/", "%s %s", path, name)
		}
		require.NotContains(t, string(body), runtime.Version(), path)
	}
	require.Contains(t, s.metrics(), `whipsaw_build_info{version="`+version()+`"} 1`)
}

// flood writes until the server has had enough, and returns its answer and how much it took.
func flood(at net.Addr, head, again string) (status, taken int, err error) {
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, 0, err
	}
	done := make(chan int, 1)
	go func() {
		n, _ := io.WriteString(c, head) // the end is what is wanted
		for block := []byte(strings.Repeat(again, 1+4096/len(again))); ; {
			m, err := c.Write(block)
			if n += m; err != nil || n > 1<<30 {
				done <- n
				return
			}
		}
	}()
	var answer [12]byte // "HTTP/1.1 431"
	if _, err := io.ReadFull(c, answer[:]); err != nil {
		return 0, 0, err
	}
	_, _ = io.Copy(io.Discard, c) // until it is cut
	status, err = strconv.Atoi(string(answer[9:]))
	return status, <-done, err
}

// Headers and bodies without end are cut after what the sockets' buffers hold, wherever they are sent, with an answer.
func TestFloods(t *testing.T) {
	s := serve(t)
	const most = 64 << 20
	var all sync.WaitGroup
	for _, at := range []net.Addr{s.HTTP, s.Admin} {
		for name, c := range map[string]struct {
			head, again string
			status      int
		}{
			"one header":          {"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "x", 431},
			"many headers":        {"GET / HTTP/1.1\r\nHost: localhost\r\n", "X: y\r\n", 431},
			"a header's name":     {"GET / HTTP/1.1\r\nHost: localhost\r\n", "x", 431},
			"a path":              {"GET /", "x", 431},
			"body of a GET":       {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 400},
			"body of a kick":      {"POST /api/streams/live/kick HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 0},
			"body of a page":      {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n", "x", 0},
			"body of an offer":    {"POST /whip/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nv\r\n", 0},
			"trailers":            {"POST /whip/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n0\r\n", "X: y\r\n", 0},
			"extension of chunks": {"POST /whip/live HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n1", ";x=y", 0},
		} {
			all.Go(func() {
				status, taken, err := flood(at, c.head, c.again)
				if err != nil || taken > most || status != c.status && (c.status != 0 || status < 400 || status > 499) {
					t.Errorf("%s at %s: %d after %d bytes, %v", name, at, status, taken, err)
				}
			})
		}
	}
	all.Wait()
}
