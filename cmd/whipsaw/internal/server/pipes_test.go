package server

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipes is a listener in memory, so that time can be virtual.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial() net.Conn {
	theirs, ours := net.Pipe()
	p.conns <- ours
	return theirs
}

// inBubble runs a server with the handler and the bounds of ours, in virtual time.
func inBubble(t *testing.T, h http.Handler, count *connections, test func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := newHTTPServer(h, slog.New(slog.DiscardHandler), headerTime)
		done := make(chan error, 1)
		go func() { done <- s.Serve(count.bound(p)) }()
		test(t, p)
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
}

// say writes to a connection.
func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

// answered reads one answer whole.
func answered(t *testing.T, c net.Conn) (*http.Response, string) {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r, string(body)
}

// cutAfter reads until the server closes the connection and returns how long that took.
func cutAfter(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begun := time.Now()
	_, _ = io.Copy(io.Discard, c) // io.EOF or a closed pipe
	return time.Since(begun)
}
