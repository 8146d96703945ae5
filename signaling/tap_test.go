package signaling

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/pion/transport/v5/packetio"
	"github.com/stretchr/testify/require"
)

func put(t *testing.T, w io.Writer, packet string) {
	t.Helper()
	n, err := io.WriteString(w, packet)
	require.NoError(t, err)
	require.Equal(t, len(packet), n)
}

// What comes before the source is known waits, also what the library has looked at, and goes on in order.
func TestTapKeepsUntilOpen(t *testing.T) {
	var noted, got []string
	p := newTap(func(b []byte) { noted = append(noted, string(b)) })
	put(t, p, "one")
	put(t, p, "two")
	b := make([]byte, 10)
	n, err := p.Read(b)
	require.NoError(t, err)
	require.Equal(t, "one", string(b[:n]))
	_, err = p.Read(b[:1])
	require.ErrorIs(t, err, io.ErrShortBuffer)
	p.open(func(b []byte) { got = append(got, string(b)) })
	put(t, p, "three")
	require.Equal(t, []string{"one", "two", "three"}, got)
	require.Equal(t, got, noted)
	require.NoError(t, p.Close())
	put(t, p, "four")
	require.Len(t, got, 3, "nothing comes after the end")
	_, err = p.Read(b)
	require.ErrorIs(t, err, io.EOF)
}

func TestTapIsBounded(t *testing.T) {
	p := newTap(func([]byte) {})
	packet, n := make([]byte, 1000), 0
	for ; ; n++ {
		if _, err := p.Write(packet); err != nil {
			require.ErrorIs(t, err, packetio.ErrFull)
			break
		}
	}
	require.Equal(t, tapBytes/1000, n)
	delivered := 0
	p.open(func([]byte) { delivered++ })
	require.Equal(t, n, delivered)

	var peer peer
	peer.taps = map[uint32]*tap{}
	for ssrc := range uint32(100) {
		put(t, peer.buffer(packetio.RTPBufferPacket, ssrc), "x")
	}
	require.Len(t, peer.taps, maxTaps)
	require.Nil(t, peer.source(maxTaps))
	require.NotNil(t, peer.source(maxTaps-1))
}

// A reader that waits is let go by a packet and by the end, however many wait.
func TestTapReaderWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTap(func([]byte) {})
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				_, err := p.Read(make([]byte, 10))
				errs <- err
			}()
		}
		synctest.Wait()
		require.Empty(t, errs)
		put(t, p, "one")
		require.NoError(t, <-errs)
		synctest.Wait()
		require.Empty(t, errs, "one packet, one reader")
		require.NoError(t, p.Close())
		require.ErrorIs(t, <-errs, io.EOF)
		require.ErrorIs(t, <-errs, io.EOF)
		p.open(func([]byte) { t.Error("delivered after the end") })
	})
}

func TestControlBuffer(t *testing.T) {
	var p peer
	b := p.buffer(packetio.RTCPBufferPacket, 1)
	put(t, b, "report")
	out := make([]byte, 10)
	n, err := b.Read(out)
	require.NoError(t, err)
	require.Equal(t, "report", string(out[:n]))
	require.NoError(t, b.Close())
	_, err = b.Read(out)
	require.ErrorIs(t, err, io.EOF)
}
