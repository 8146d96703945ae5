package signaling

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// kept is how many packets of media wait in a socket with a receive buffer of so many bytes while nobody reads it.
func kept(t *testing.T, buffer int) (packets, granted int) {
	t.Helper()
	to, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer to.Close()
	require.NoError(t, to.SetReadBuffer(buffer))
	granted, known := receiveBuffer(to)
	require.True(t, known)
	from, err := net.Dial("udp", to.LocalAddr().String())
	require.NoError(t, err)
	defer from.Close()
	packet := make([]byte, 1200)
	for range 6000 {
		_, err := from.Write(packet)
		require.NoError(t, err)
	}
	for {
		require.NoError(t, to.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		if _, _, err := to.ReadFromUDPAddrPort(packet); err != nil {
			return packets, granted
		}
		packets++
	}
}

// What many publishers send while the reading goroutine waits for a core is kept, as far as the kernel grants it: the
// numbers of deploy/sysctl.conf.
func TestReceiveBuffer(t *testing.T) {
	const usual = 212992 // net.core.rmem_max as Linux has it
	few, granted := kept(t, usual)
	require.Equal(t, usual, granted)
	many, granted := kept(t, socketBuffer)
	t.Logf("of 6000 packets of 1200 bytes %d wait in %d bytes, %d in %d bytes", few, usual, many, granted)
	require.InDelta(t, float64(granted)/usual, float64(many)/float64(few), 0.3*float64(granted)/usual)
}

// A buffer that is too small is told of once, however many sockets there are; one that is large enough is not.
func TestSmallBufferIsTold(t *testing.T) {
	socket := func(buffer int) *mediaSocket {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetReadBuffer(buffer))
		s, err := newMediaSocket(c)
		require.NoError(t, err)
		return s
	}
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	tellBuffers([]*mediaSocket{socket(100_000), socket(100_000)}, log)
	require.Equal(t, 1, bytes.Count(text.Bytes(), []byte("net.core.rmem_max")))
	require.Contains(t, text.String(), "bytes=100000 wanted=4194304")

	large := socket(socketBuffer)
	text.Reset()
	tellBuffers([]*mediaSocket{large}, log)
	got, _ := receiveBuffer(large.UDPConn)
	require.Equal(t, got < socketBuffer, text.Len() > 0)
	f := serve(t, Config{})
	require.Equal(t, got < socketBuffer, strings.Contains(f.logs.String(), "net.core.rmem_max"), "the server's own")
}
