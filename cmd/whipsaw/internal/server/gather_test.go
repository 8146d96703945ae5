package server

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a connection that notes what is written to it.
type recorder struct {
	net.Conn
	writes []string
	err    error
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	r.writes = append(r.writes, string(p))
	return len(p), nil
}

func TestGather(t *testing.T) {
	large := strings.Repeat("x", gatherMost+1)
	for name, c := range map[string]struct {
		hold, release bool
		give, want    []string
	}{
		"not held":                {give: []string{"head", "body"}, want: []string{"head", "body"}},
		"head and body":           {hold: true, give: []string{"head", large}, want: []string{"head", large}},
		"only the first is held":  {hold: true, give: []string{"a", "b", "c"}, want: []string{"a", "b", "c"}},
		"held for ever":           {hold: true, give: []string{"head"}},
		"released":                {hold: true, release: true, give: []string{"head"}, want: []string{"head", ""}},
		"released without a word": {hold: true, release: true},
		"too large":               {hold: true, give: []string{large}, want: []string{large}},
	} {
		r := &recorder{}
		b := &boundConn{Conn: r, sent: new(atomic.Int64)}
		if c.hold {
			b.Hold()
		}
		for _, p := range c.give {
			n, err := io.WriteString(b, p)
			require.NoError(t, err, name)
			require.Equal(t, len(p), n, name)
		}
		if c.release {
			b.Release()
		}
		require.Equal(t, strings.Join(c.want, "|"), strings.Join(r.writes, "|"), name)
	}
}

func TestGatherFails(t *testing.T) {
	broken := errors.New("broken")
	b := &boundConn{Conn: &recorder{err: broken}, sent: new(atomic.Int64)}
	b.Hold()
	_, err := io.WriteString(b, "head")
	require.NoError(t, err, "nobody knows yet")
	n, err := io.WriteString(b, "body")
	require.ErrorIs(t, err, broken)
	require.Zero(t, n)
}

// Over TCP both go out in one call and arrive whole.
func TestGatherOverTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	sent := make(chan error, 1)
	body := strings.Repeat("0123456789", 100_000)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			sent <- err
			return
		}
		b := &boundConn{Conn: conn, sent: new(atomic.Int64), release: func() {}}
		b.Hold()
		_, err = io.WriteString(b, "head ")
		n, err2 := io.WriteString(b, body)
		b.Release()
		if n != len(body) {
			err2 = io.ErrShortWrite
		}
		sent <- errors.Join(err, err2, b.Close())
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "head "+body, string(all))
	require.NoError(t, <-sent)
}
