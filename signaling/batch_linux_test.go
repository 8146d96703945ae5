package signaling

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listenBatch is a socket that is read in batches, and one that sends to it.
func listenBatch(t *testing.T, network, listen, dial string) (*mediaSocket, *net.UDPConn) {
	t.Helper()
	a, err := net.ResolveUDPAddr(network, listen)
	require.NoError(t, err)
	c, err := net.ListenUDP(network, a)
	if err != nil {
		t.Skipf("%s: %v", network, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetReadBuffer(socketBuffer))
	to := netip.AddrPortFrom(netip.MustParseAddr(dial), c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	from, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	require.NoError(t, err)
	t.Cleanup(func() { _ = from.Close() })
	s, err := newMediaSocket(c)
	require.NoError(t, err)
	return s, from
}

// Packets come one by one, whole, in order and with their sender, as if each had been read for itself.
func TestBatchIsEachPacket(t *testing.T) {
	for name, c := range map[string]struct {
		network, listen, dial string
		mapped                bool
	}{
		"IPv4":             {"udp4", "127.0.0.1:0", "127.0.0.1", false},
		"IPv6":             {"udp6", "[::1]:0", "::1", false},
		"IPv4 mapped":      {"udp", "[::]:0", "127.0.0.1", true},
		"IPv6 beside IPv4": {"udp", "[::]:0", "::1", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, from := listenBatch(t, c.network, c.listen, c.dial)
			want := from.LocalAddr().(*net.UDPAddr).AddrPort()
			want = netip.AddrPortFrom(want.Addr().Unmap(), want.Port())
			if c.mapped {
				want = netip.AddrPortFrom(netip.AddrFrom16(want.Addr().As16()), want.Port())
			}
			const packets = 5*batchSize + 3
			size := func(i int) int { return []int{2, 1200, receiveMTU, 100}[i%4] }
			for i := range packets {
				packet := make([]byte, size(i))
				binary.BigEndian.PutUint16(packet, uint16(i))
				_, err := from.Write(packet)
				require.NoError(t, err)
			}
			got := make([]byte, 4*receiveMTU)
			for i := range packets {
				n, sender, err := s.ReadFromAddrPort(got)
				require.NoError(t, err)
				require.Equal(t, size(i), n)
				require.Equal(t, i, int(binary.BigEndian.Uint16(got)))
				require.Equal(t, want, sender)
			}
		})
	}
}

// A packet that is longer than any that can be used is left out, and does no harm to its neighbours.
func TestBatchLeavesOutLongPackets(t *testing.T) {
	s, from := listenBatch(t, "udp4", "127.0.0.1:0", "127.0.0.1")
	for _, size := range []int{7, receiveMTU + 1, 65507, 0, 9} {
		_, err := from.Write(make([]byte, size))
		require.NoError(t, err)
	}
	got := make([]byte, 65536)
	for _, size := range []int{7, 0, 9} {
		n, _, err := s.ReadFromAddrPort(got)
		require.NoError(t, err)
		require.Equal(t, size, n)
	}
}

// A short buffer takes what fits, as with any socket; the rest of the packet is gone.
func TestBatchIntoShortBuffer(t *testing.T) {
	s, from := listenBatch(t, "udp4", "127.0.0.1:0", "127.0.0.1")
	for _, text := range []string{"first", "second"} {
		_, err := from.Write([]byte(text))
		require.NoError(t, err)
	}
	got := make([]byte, 3)
	for _, want := range []string{"fir", "sec"} {
		n, _, err := s.ReadFromAddrPort(got)
		require.NoError(t, err)
		require.Equal(t, want, string(got[:n]))
	}
}

func TestBatchDeadline(t *testing.T) {
	s, from := listenBatch(t, "udp4", "127.0.0.1:0", "127.0.0.1")
	require.NoError(t, s.SetReadDeadline(time.Unix(1, 0)))
	_, _, err := s.ReadFromAddrPort(make([]byte, 100))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.True(t, os.IsTimeout(err), "as the multiplexer asks")
	require.NoError(t, s.SetReadDeadline(time.Time{}))
	_, err = from.Write([]byte("later"))
	require.NoError(t, err)
	n, _, err := s.ReadFromAddrPort(make([]byte, 100))
	require.NoError(t, err)
	require.Equal(t, 5, n)
}

// Close ends a reader that waits.
func TestBatchClose(t *testing.T) {
	s, from := listenBatch(t, "udp4", "127.0.0.1:0", "127.0.0.1")
	_, err := from.Write([]byte("one"))
	require.NoError(t, err)
	first, ended := make(chan struct{}), make(chan error)
	go func() {
		b := make([]byte, 100)
		_, _, err := s.ReadFromAddrPort(b)
		close(first)
		for err == nil {
			_, _, err = s.ReadFromAddrPort(b)
		}
		ended <- err
	}()
	<-first
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
	_, _, err = s.ReadFromAddrPort(make([]byte, 100))
	require.ErrorIs(t, err, net.ErrClosed)
}

// Reading allocates nothing.
func TestBatchAllocations(t *testing.T) {
	s, from := listenBatch(t, "udp4", "127.0.0.1:0", "127.0.0.1")
	packet, got := make([]byte, 1200), make([]byte, receiveMTU)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := from.Write(packet); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.ReadFromAddrPort(got); err != nil {
			t.Fatal(err)
		}
	}))
}

// An address of a zone can be answered to (RFC 4007 11.2: a zone by its number).
func TestBatchAddress(t *testing.T) {
	var s sockaddr
	_, known := s.addrPort()
	require.False(t, known)
	binary.NativeEndian.PutUint16(s[:], 10) // AF_INET6
	binary.BigEndian.PutUint16(s[2:], 5000)
	copy(s[8:], netip.MustParseAddr("fe80::1").AsSlice())
	binary.NativeEndian.PutUint32(s[24:], 3)
	a, known := s.addrPort()
	require.True(t, known)
	require.Equal(t, netip.MustParseAddrPort("[fe80::1%3]:5000"), a)
}
