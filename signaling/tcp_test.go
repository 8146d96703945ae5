package signaling

import (
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"whipsaw/signaling/client"
)

// overTCP makes a publisher that has nothing but TCP.
func overTCP(o *client.Options) {
	o.Configure = func(e *webrtc.SettingEngine) {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
		e.SetIncludeLoopbackCandidate(true)
	}
}

// tcpAddress is where a server takes media over TCP.
func (f *fixture) tcpAddress() string {
	f.t.Helper()
	for _, a := range f.server.MediaAddresses() {
		if a.Network() == "tcp" {
			return a.String()
		}
	}
	f.t.Fatal("no TCP address")
	return ""
}

// RFC 6544: a publisher whose network lets no UDP through publishes over TCP, and its end is seen at once.
func TestPublishOverTCP(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{TCPAddress: "127.0.0.1:0"})
	s := f.publish("live", overTCP)
	f.sending(s)
	f.eventually("media arrives", func() bool {
		st := f.status("live")
		return st.Video != nil && st.Audio != nil && st.Video.Packets > 50 && st.Audio.Packets > 20
	})
	require.Zero(t, f.status("live").Video.Lost)
	pair, err := f.only().peer.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	require.NoError(t, err)
	require.Equal(t, webrtc.ICEProtocolTCP, pair.Local.Protocol)
	require.Equal(t, http.StatusOK, f.do("DELETE", s.URL()[len(f.http.URL):], "").status)
	waitDone(t, s.Done(), 2*time.Second)
	require.ErrorIs(t, s.Err(), client.ErrPeerClosed, "it saw close_notify")
	f.eventually("no connection is left", func() bool { return f.connections() == 0 })
}

// connections is how many TCP connections are open.
func (f *fixture) connections() int {
	b := f.server.factory.sockets.bound
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}

// The answer names the TCP port after all of UDP; without one there is none.
func TestTCPCandidateInAnswer(t *testing.T) {
	f := serve(t, Config{TCPAddress: "127.0.0.1:0", PublicIPs: addrs("203.0.113.7")})
	_, port, err := net.SplitHostPort(f.tcpAddress())
	require.NoError(t, err)
	r := f.post("/whip/live", recorded(t, "chromium.sdp"))
	require.Equal(t, http.StatusCreated, r.status)
	lines := strings.Split(strings.TrimSpace(with(r.body, "a=candidate")), "\r\n")
	require.Len(t, lines, 4)
	require.Contains(t, lines[0], " udp ")
	require.Contains(t, lines[1], " udp ")
	require.Contains(t, lines[2], " 203.0.113.7 "+port+" typ host tcptype passive")
	require.Contains(t, lines[3], " 127.0.0.1 "+port+" typ host tcptype passive")
	require.NotContains(t, serve(t, Config{}).post("/whip/live", plain).body, "tcptype")
}

// A taken TCP port is an error that leaves nothing open.
func TestTCPPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = New(Config{UDPAddress: "127.0.0.1:0", TCPAddress: taken.Addr().String()}, nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "TCP media port")
	_, err = New(Config{UDPAddress: "127.0.0.1:0", TCPAddress: "nonsense"}, nil, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, ErrConfig)
}

// Connections of strangers are bounded before anything is read of them, and what they say is bounded too.
func TestTCPStrangers(t *testing.T) {
	f := serve(t, Config{TCPAddress: "127.0.0.1:0"})
	var open []net.Conn
	for range maxConnectionsEach + 10 {
		c, err := net.Dial("tcp", f.tcpAddress())
		require.NoError(t, err)
		open = append(open, c)
	}
	last := open[len(open)-1]
	require.NoError(t, last.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err := last.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, net.ErrClosed)
	var timeout net.Error
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "one too many is closed, not left waiting")
	require.LessOrEqual(t, f.connections(), maxConnectionsEach)
	for _, c := range open {
		require.NoError(t, c.Close())
	}
	f.eventually("their places are free", func() bool { return f.connections() == 0 })

	for name, say := range map[string][]byte{
		"a long packet": append(binary.BigEndian.AppendUint16(nil, 60000), make([]byte, 100)...),
		"no STUN":       append(binary.BigEndian.AppendUint16(nil, 20), make([]byte, 20)...),
		"HTTP":          []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		c, err := net.Dial("tcp", f.tcpAddress())
		require.NoError(t, err)
		_, err = c.Write(say)
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(5*time.Second)))
		_, err = c.Read(make([]byte, 1))
		require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "%s: closed at once", name)
		require.NoError(t, c.Close())
	}
	f.eventually("nothing is left of them", func() bool { return f.connections() == 0 })
	f.publish("live", overTCP)
}

// flaky is a listener that fails a few times before it has a connection.
type flaky struct {
	net.Listener
	failures atomic.Int32
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, io.ErrUnexpectedEOF // as "too many open files"
	}
	return l.Listener.Accept()
}

// A listener that has no file descriptor for a while goes on afterwards, and ends when it is closed while it waits.
func TestBoundedListenerSurvivesFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &flaky{Listener: l}
	f.failures.Store(3)
	b := newBounded(f, 1, 1)
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	in, err := b.Accept()
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, in.Close())
	require.NoError(t, in.Close(), "a second time gives no second place back")
	b.let.Wait()
	require.Empty(t, b.open)
	require.Empty(t, b.byAddr)

	f.failures.Store(1 << 30)
	ended := make(chan error, 1)
	go func() {
		_, err := b.Accept()
		ended <- err
	}()
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
}

// What is written last arrives, though the publisher goes on sending and the connection is closed right after.
func TestStreamLastWords(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := newBounded(l, 1, 1)
	publisher, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer publisher.Close()
	server, err := b.Accept()
	require.NoError(t, err)
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		packet := make([]byte, 64<<10)
		for {
			if _, err := publisher.Write(packet); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1500)
	_, err = server.Read(buf)
	require.NoError(t, err)
	reader := make(chan error, 1)
	go func() {
		for {
			if _, err := server.Read(buf); err != nil {
				reader <- err
				return
			}
			<-time.After(10 * time.Millisecond) // slower than what comes
		}
	}()
	_, err = server.Write([]byte("bye"))
	require.NoError(t, err)
	require.NoError(t, server.Close())
	require.NoError(t, server.SetReadDeadline(time.Time{}), "what others set from now on does not count")
	require.Error(t, <-reader)
	got, err := io.ReadAll(publisher)
	require.Equal(t, "bye", string(got), "%v", err)
	require.NoError(t, b.Close(), "it waits until nothing is left")
	<-flood
	require.Empty(t, b.open)
}
