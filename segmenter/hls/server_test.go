package hls

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// pipes is a listener whose connections are pipes in memory, so that a real http.Server runs in a bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// serve runs an HTTP/1.1 server as cmd does, with a page of another room beside ours.
func (o *origin) serve() (*pipes, *http.Server) {
	mux := http.NewServeMux()
	mux.Handle("/hls/", o.router)
	mux.HandleFunc("/other", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "other") })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	go server.Serve(p) // returns ErrServerClosed
	return p, server
}

// ask sends a request and does not read.
func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
}

func read(t *testing.T, c *bufio.Reader) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(c, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestServerCutsASlowReader(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.freeze()
		p, server := o.serve()
		defer server.Close()
		for _, path := range []string{o.base() + "media.m3u8", o.base() + "segment-0.m4s", "/hls/none"} {
			c := p.dial()
			ask(t, c, path)
			began := time.Now()
			<-time.After(time.Minute)
			all, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Empty(t, all, "the server has closed it")
			require.NoError(t, c.Close())
			require.Equal(t, time.Minute, time.Since(began))
		}
	})
}

func TestServerLetsAFairlySlowReaderFinish(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.freeze()
		p, server := o.serve()
		defer server.Close()
		c := p.dial()
		path := "/hls/live/" + o.generation().ID() + "/video/segment-0.m4s"
		ask(t, c, path)
		size := o.snapshot("video").Segment(0).Size()
		slow := &slowReader{from: c, pause: 9 * time.Second}
		response, body := read(t, bufio.NewReaderSize(slow, size+4096))
		require.Equal(t, 200, response.StatusCode)
		require.Len(t, body, size)
	})
}

// slowReader waits once before it reads.
type slowReader struct {
	from  io.Reader
	pause time.Duration
}

func (s *slowReader) Read(b []byte) (int, error) {
	if s.pause > 0 {
		<-time.After(s.pause)
		s.pause = 0
	}
	return s.from.Read(b)
}

// The deadline of one answer must not cut what comes later on the same connection, ours or another's.
func TestServerKeepsConnectionsUsable(t *testing.T) {
	bubble(t, Options{}, both, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		o.freeze()
		p, server := o.serve()
		defer server.Close()
		c := p.dial()
		in := bufio.NewReader(c)
		for _, path := range []string{"/hls/live/index.m3u8", "/other", o.base() + "segment-0.m4s", "/hls/none", "/other", o.base() + "init-0.mp4"} {
			ask(t, c, path)
			response, _ := read(t, in)
			if path == "/hls/none" {
				require.Equal(t, 404, response.StatusCode)
			} else {
				require.Equal(t, 200, response.StatusCode, path)
			}
			<-time.After(time.Minute)
		}
		require.NoError(t, c.Close())
	})
}

func TestServerDoesNotCutABlockedRequest(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		p, server := o.serve()
		defer server.Close()
		c := p.dial()
		in := bufio.NewReader(c)
		ask(t, c, o.base()+"media.m3u8")
		response, _ := read(t, in)
		require.Equal(t, 200, response.StatusCode)
		<-time.After(8*time.Second + 150*time.Millisecond) // of the ten that writing the first answer had; no silence is due just then
		next := o.snapshot("audio").Next()
		o.freeze()
		ask(t, c, o.reload(next.MSN, next.Index))
		response, _ = read(t, in)
		require.Equal(t, 503, response.StatusCode)
		require.NoError(t, c.Close())
	})
}

func TestServerFreesWhoLeaves(t *testing.T) {
	bubble(t, Options{}, soundOnly, func(t *testing.T, o *origin) {
		o.play(5 * time.Second)
		next := o.snapshot("audio").Next()
		o.freeze()
		left := make(chan time.Time, 1)
		inner := o.router
		o.router = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			left <- time.Now()
		})
		p, server := o.serve()
		defer server.Close()
		c := p.dial()
		ask(t, c, o.reload(next.MSN, next.Index))
		synctest.Wait()
		require.Empty(t, left)
		require.NoError(t, c.Close())
		synctest.Wait()
		require.Len(t, left, 1, "at once")
	})
}

// One HTTP/2 connection carries blocked playlists and parts beside what is answered at once.
func TestHTTP2(t *testing.T) {
	o := newManualOrigin(t)
	defer o.reg.Close()
	var entered atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered.Add(1)
		o.router.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	var connections atomic.Int32
	client := server.Client()
	transport := client.Transport.(*http.Transport)
	dialer := &net.Dialer{}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connections.Add(1)
		return dialer.DialContext(ctx, network, address)
	}
	get := func(path string) (*http.Response, []byte) {
		response, err := client.Get(server.URL + path)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.Equal(t, 2, response.ProtoMajor)
		return response, body
	}
	response, _ := get("/hls/live/index.m3u8")
	require.Equal(t, "u=1", response.Header.Get("Priority"))

	snapshot := o.snapshot("audio")
	hint, _ := snapshot.Hint()
	var blocked sync.WaitGroup
	for _, path := range []string{o.reload(hint.MSN, hint.Index), o.base() + hint.URI()} {
		for range 20 {
			blocked.Go(func() {
				response, err := client.Get(server.URL + path)
				if assert.NoError(t, err) {
					assert.Equal(t, 200, response.StatusCode)
					assert.NoError(t, response.Body.Close())
				}
			})
		}
	}
	_, segment := get(o.base() + segmenter.SegmentURI(snapshot.Segments[0].MSN))
	require.Len(t, segment, snapshot.Segments[0].Size())
	require.Eventually(t, func() bool { return entered.Load() == 42 }, 10*time.Second, time.Millisecond)
	for o.snapshot("audio").Part(hint) == nil {
		o.advance()
	}
	blocked.Wait()
	require.Equal(t, int32(1), connections.Load())
}
