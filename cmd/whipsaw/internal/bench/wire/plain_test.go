package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func client(t *testing.T, at string, o Options) Client {
	t.Helper()
	u, err := url.Parse(at)
	require.NoError(t, err)
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	f, err := NewFactory(u, o)
	require.NoError(t, err)
	c := f.New()
	t.Cleanup(c.Close)
	return c
}

// raw is a server that answers each connection's requests with these texts, one after another, in pieces of that size.
func raw(t *testing.T, piece int, answers ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for _, a := range answers {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					for a != "" {
						n := min(piece, len(a))
						if _, err := io.WriteString(c, a[:n]); err != nil {
							return
						}
						a = a[n:]
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// Bodies as they may come (RFC 9112 6, 7), kept and passed over, whatever the network makes of them.
func TestBodies(t *testing.T) {
	long := strings.Repeat("0123456789", 20000)
	for name, c := range map[string]struct{ answer, body string }{
		"length":        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
		"long":          {fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(long), long), long},
		"empty":         {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
		"chunks":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", "hello world"},
		"long chunks":   {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%X\r\n%s\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n", len(long), long), long + "!"},
		"until the end": {"HTTP/1.0 200 OK\r\n\r\nall of it", "all of it"},
		"interim":       {"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, piece := range []int{1 << 20, 7000, 3} {
				if piece == 3 && len(c.answer) > 1000 {
					continue
				}
				for _, buf := range [][]byte{nil, make([]byte, 0, 3)} {
					answer := client(t, raw(t, piece, c.answer), Options{Version: HTTP1})
					r, err := answer.Start(t.Context(), "/x", buf).Wait()
					require.NoError(t, err)
					require.Equal(t, 200, r.Status)
					require.Equal(t, int64(len(c.body)), r.Size)
					require.WithinDuration(t, time.Now(), r.Last, 20*time.Second)
					if buf != nil {
						require.Equal(t, c.body, string(r.Body))
					} else {
						require.Nil(t, r.Body)
					}
				}
			}
		})
	}
}

func TestBadAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"no HTTP":          "SSH-2.0-OpenSSH_9.9 or so\r\n\r\n",
		"no status":        "HTTP/1.1 2x0 OK\r\n\r\n",
		"length":           "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
		"no length":        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
		"huge length":      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
		"large body":       "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nhello",
		"encoding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"chunk":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"empty chunk size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
		"huge chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
		"chunk's end":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
		"colon":            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"head without end": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHeader),
		"cut off":          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
		"cut off in head":  "HTTP/1.1 200",
		"nothing":          "",
	} {
		t.Run(name, func(t *testing.T) {
			for _, buf := range [][]byte{nil, {}} {
				_, err := client(t, raw(t, 1<<20, answer), Options{Version: HTTP1}).Start(t.Context(), "/", buf).Wait()
				require.Error(t, err)
			}
		})
	}
}

// Requests that wait at the same time go over connections of their own, of which no more are opened than a browser does;
// one after another they share one.
func TestConnections(t *testing.T) {
	opened := make(chan struct{}, 100)
	release := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("wait") != "" {
			<-release
		}
		fmt.Fprint(w, r.URL.Path, r.Host, r.UserAgent(), r.Header.Get("Accept-Encoding"))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	c := client(t, s.URL, Options{Version: HTTP1, UserAgent: "a bench"})
	for range 3 {
		r, err := c.Start(t.Context(), "/path", []byte{}).Wait()
		require.NoError(t, err)
		require.Equal(t, "/path"+strings.TrimPrefix(s.URL, "http://")+"a benchgzip", string(r.Body))
	}
	require.Len(t, opened, 1)
	var waiting []Pending
	for range maxConnections {
		waiting = append(waiting, c.Start(t.Context(), "/?wait=1", nil))
	}
	_, err := c.Start(t.Context(), "/", nil).Wait()
	require.ErrorContains(t, err, "at a time")
	close(release)
	for _, w := range waiting {
		_, err := w.Wait()
		require.NoError(t, err)
	}
	require.Len(t, opened, maxConnections)
}

// A server may close a connection that nothing is asked on: the next request opens another.
func TestServerCloses(t *testing.T) {
	const last = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
	c := client(t, raw(t, 1<<20, last), Options{Version: HTTP1})
	for range 3 {
		r, err := c.Start(t.Context(), "/", []byte{}).Wait()
		require.NoError(t, err)
		require.Equal(t, "ok", string(r.Body))
	}
}

func TestCloseEndsRequests(t *testing.T) {
	asked := make(chan struct{}, 2)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer s.Close()
	c := client(t, s.URL, Options{Version: HTTP1})
	p := c.Start(t.Context(), "/", nil)
	go func() {
		<-asked
		c.Close()
	}()
	_, err := p.Wait()
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = c.Start(t.Context(), "/", nil).Wait()
	require.ErrorIs(t, err, ErrClosed)
}

func TestTimeout(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	_, err := client(t, s.URL, Options{Version: HTTP1, Timeout: 20 * time.Millisecond}).Start(t.Context(), "/", nil).Wait()
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = client(t, "http://"+l.Addr().String(), Options{Version: HTTP1}).Start(t.Context(), "/", nil).Wait()
	require.ErrorContains(t, err, "refused")
}

func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("x", 100000))
	}))
	s.Config.ErrorLog = nil
	defer s.Close()
	for _, buf := range [][]byte{nil, {}} {
		r, err := client(t, s.URL, Options{Version: HTTP1, Insecure: true}).Start(t.Context(), "/", buf).Wait()
		require.NoError(t, err)
		require.Equal(t, int64(100000), r.Size)
	}
	_, err := client(t, s.URL, Options{Version: HTTP1}).Start(t.Context(), "/", nil).Wait()
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unknown)
}

// A steady viewer's requests need next to no memory.
func TestAllocations(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "60000")
		w.Write(make([]byte, 60000))
	}))
	defer s.Close()
	c := client(t, s.URL, Options{Version: HTTP1}).(*plain)
	_, err := c.Start(t.Context(), "/", nil).Wait()
	require.NoError(t, err)
	conn := c.idle[0]
	ctx := context.Background()
	once := func() {
		r, err := c.Start(ctx, "/", nil).Wait()
		require.NoError(t, err)
		require.Equal(t, int64(60000), r.Size)
	}
	once()
	require.Same(t, conn, c.idle[0])
	// The server's own are counted too, since it runs in this process.
	require.Less(t, testing.AllocsPerRun(50, once), 40.0)
}

// FuzzAnswer reads any bytes as an answer, whole and in pieces: both ways must come to the same.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), byte(3))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1aF;x\r\n"), byte(1))
	f.Add([]byte("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 302 Found\r\nLocation: /x\r\nContent-Encoding: gzip\r\n\r\n"), byte(7))
	f.Fuzz(func(t *testing.T, b []byte, piece byte) {
		read := func(piece int, buf []byte) (Reply, error) {
			a, other := net.Pipe()
			defer other.Close()
			c := newConnection(newPlain(&Factory{origin: &url.URL{Host: "x"}}), a)
			rest := b
			c.read = func(to []byte) (int, error) {
				n := copy(to, rest[:min(len(rest), piece)])
				rest = rest[n:]
				if n == 0 {
					return 0, io.EOF
				}
				return n, nil
			}
			c.keep, c.buf = buf != nil, buf
			r, err := c.answer()
			r.Last = time.Time{}
			return r, err
		}
		whole, err := read(1<<20, []byte{})
		pieces, errPieces := read(1+int(piece), []byte{})
		passed, errPassed := read(1+int(piece), nil)
		require.Equal(t, err == nil, errPieces == nil)
		require.Equal(t, err == nil, errPassed == nil)
		if err != nil {
			return
		}
		require.Equal(t, whole, pieces)
		require.Equal(t, whole.Size, int64(len(whole.Body)))
		require.Equal(t, whole.Size, passed.Size)
		require.LessOrEqual(t, len(whole.Body), len(b))
	})
}
