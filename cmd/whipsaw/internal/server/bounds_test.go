package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

// bounded is the part of the chain that bounds a request.
func bounded(h http.Handler) http.Handler { return bodies(patient(h)) }

// Headers that come a byte at a time are not waited for.
func TestSlowHeadersAreCut(t *testing.T) {
	inBubble(t, bounded(hello), &connections{}, func(t *testing.T, p *pipes) {
		c := p.dial()
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n")
		begun, gone := time.Now(), make(chan time.Duration, 1)
		go func() { gone <- cutAfter(t, c) }()
		for time.Since(begun) < 9*time.Second {
			<-time.After(time.Second) // virtual time
			say(t, c, "X: y\r\n")
		}
		require.Equal(t, 10*time.Second, <-gone)

		require.Equal(t, 10*time.Second, cutAfter(t, p.dial()), "nor is who says nothing")
	})
}

func TestIdleConnectionsAreCut(t *testing.T) {
	inBubble(t, bounded(hello), &connections{}, func(t *testing.T, p *pipes) {
		c := p.dial()
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, body := answered(t, c)
		require.Equal(t, "hello", body)
		require.Equal(t, 2*time.Minute, cutAfter(t, c))
	})
}

// A request that waits for a part does so for three target durations, of thirty seconds each at the most.
func TestBlockedRequestsAreNotCut(t *testing.T) {
	const longest = 3 * 30 * time.Second
	waits := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(longest): // virtual time
			_, _ = io.WriteString(w, "part")
		case <-r.Context().Done():
		}
	})
	inBubble(t, bodies(waits), &connections{}, func(t *testing.T, p *pipes) {
		begun, c := time.Now(), p.dial()
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, body := answered(t, c)
		require.Equal(t, "part", body)
		require.Equal(t, longest, time.Since(begun))
		require.NoError(t, c.Close())

		// HTTP/2 with prior knowledge: pings in between are answered by the client, and nothing is cut.
		begun = time.Now()
		client := overHTTP2(t, p.dial())
		r, err := http.NewRequest(http.MethodGet, "http://a/", nil)
		require.NoError(t, err)
		answer, err := client.RoundTrip(r)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, "part", string(text))
		require.Equal(t, longest, time.Since(begun))
		require.NoError(t, client.Close())
	})
}

// A client that vanishes without a word while its requests wait is noticed by pings.
func TestVanishedHTTP2ClientIsNoticed(t *testing.T) {
	var left atomic.Int64
	waits := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		<-r.Context().Done()
		left.Store(int64(time.Since(begun)))
	})
	inBubble(t, bodies(waits), &connections{}, func(t *testing.T, p *pipes) {
		c := p.dial()
		go func() { _, _ = io.Copy(io.Discard, c) }() // the network takes all, and nothing comes back
		var b bytes.Buffer
		b.WriteString(http2.ClientPreface)
		f := http2.NewFramer(&b, nil)
		require.NoError(t, f.WriteSettings())
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{
			StreamID: 1, BlockFragment: []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'a'}, EndStream: true, EndHeaders: true, // GET / of a
		}))
		_, err := c.Write(b.Bytes())
		require.NoError(t, err)
		<-time.After(time.Minute) // virtual time
		require.Equal(t, 45*time.Second, time.Duration(left.Load()))
	})
}

// A body where none belongs (RFC 9110 9.3.1) would hold up the connection.
func TestBodiesOfGET(t *testing.T) {
	inBubble(t, bounded(hello), &connections{}, func(t *testing.T, p *pipes) {
		for _, head := range []string{
			"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
			"OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
		} {
			c := p.dial()
			say(t, c, head)
			r, _ := answered(t, c)
			require.Equal(t, http.StatusBadRequest, r.StatusCode)
			require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
			require.True(t, r.Close, "the connection is of no more use")
			require.LessOrEqual(t, cutAfter(t, c), bodyTime)
		}
		c := p.dial()
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
		r, body := answered(t, c)
		require.Equal(t, http.StatusOK, r.StatusCode)
		require.Equal(t, "hello", body)
		require.NoError(t, c.Close())
	})
}

// A body that does not come is not waited for, whether the handler reads it or has refused the request.
func TestSlowBodiesAreCut(t *testing.T) {
	reads := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			if _, err := io.ReadAll(r.Body); err != nil {
				w.WriteHeader(http.StatusRequestTimeout)
			}
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	inBubble(t, bounded(reads), &connections{}, func(t *testing.T, p *pipes) {
		for path, status := range map[string]int{"/read": http.StatusRequestTimeout, "/refuse": http.StatusUnauthorized} {
			begun, c := time.Now(), p.dial()
			say(t, c, "POST "+path+" HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of it")
			r, _ := answered(t, c)
			require.Equal(t, status, r.StatusCode)
			cutAfter(t, c)
			require.Equal(t, bodyTime, time.Since(begun), path)
		}
	})
}

// Who does not read an answer that waited for nothing is cut.
func TestSlowReadersAreCut(t *testing.T) {
	large := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	inBubble(t, bounded(large), &connections{}, func(t *testing.T, p *pipes) {
		begun, c := time.Now(), p.dial()
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		b := make([]byte, 1000)
		for {
			<-time.After(time.Second) // virtual time
			if _, err := c.Read(b); err != nil {
				break
			}
		}
		require.Equal(t, answerTime, time.Since(begun).Truncate(time.Minute))

		c = p.dial() // who does read gets all of it, on a connection that has been slow before
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, body := answered(t, c)
		require.Len(t, body, 1<<20)
		<-time.After(answerTime + time.Second)
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, body = answered(t, c)
		require.Len(t, body, 1<<20)
		require.NoError(t, c.Close())
	})
}

func TestConnections(t *testing.T) {
	count := &connections{most: 2}
	inBubble(t, roomOnly(hello), count, func(t *testing.T, p *pipes) {
		first, second := p.dial(), p.dial()
		for _, c := range []net.Conn{first, second, first} {
			say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			r, _ := answered(t, c)
			require.Equal(t, http.StatusOK, r.StatusCode)
		}
		third := p.dial()
		say(t, third, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		r, body := answered(t, third)
		require.Equal(t, http.StatusServiceUnavailable, r.StatusCode)
		require.Equal(t, "5", r.Header.Get("Retry-After"))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
		require.Contains(t, body, "too many connections")
		require.Zero(t, cutAfter(t, third))

		require.Equal(t, toldTime, cutAfter(t, p.dial()), "who is over the bound and asks nothing is not kept long")

		for range toldMost {
			p.dial()
		}
		require.Zero(t, cutAfter(t, p.dial()), "and more of those are closed at once")
		<-time.After(toldTime) // virtual time
		synctest.Wait()
		require.EqualValues(t, 2, count.open.Load())
		require.EqualValues(t, 3+toldMost, count.refused.Load())

		require.NoError(t, second.Close())
		synctest.Wait()
		fourth := p.dial()
		say(t, fourth, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		r, _ = answered(t, fourth)
		require.Equal(t, http.StatusOK, r.StatusCode, "there is room again")
		require.NoError(t, first.Close())
		require.NoError(t, fourth.Close())
	})
	require.Zero(t, count.open.Load())
}

// overHTTP2 speaks HTTP/2 with prior knowledge on a connection.
func overHTTP2(t *testing.T, c net.Conn) *http.ClientConn {
	t.Helper()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols:   &protocols,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}
	client, err := transport.NewClientConn(t.Context(), "http", "a:80")
	require.NoError(t, err)
	return client
}

// HTTP/2 connections over the bound are told as well, and end.
func TestConnectionsOfHTTP2(t *testing.T) {
	inBubble(t, roomOnly(hello), &connections{most: 1}, func(t *testing.T, p *pipes) {
		kept := p.dial()
		client := overHTTP2(t, p.dial())
		r, err := http.NewRequest(http.MethodGet, "http://a/", nil)
		require.NoError(t, err)
		answer, err := client.RoundTrip(r)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
		<-time.After(toldTime) // virtual time
		synctest.Wait()
		require.Zero(t, client.Available())
		require.NoError(t, client.Close())
		require.NoError(t, kept.Close())
	})
}

func TestMostConnections(t *testing.T) {
	require.EqualValues(t, 7, mostConnections(7))
	if files := openFiles(); files > 0 {
		require.Less(t, mostConnections(0), files)
		require.Greater(t, mostConnections(0), files/2)
	}
}
