package signaling

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// somePacket draws a packet as the RTP library writes it.
func somePacket(t *rapid.T) (*rtp.Packet, []byte) {
	p := &rtp.Packet{Header: rtp.Header{
		Version: 2, Marker: rapid.Bool().Draw(t, "marker"), PayloadType: uint8(rapid.IntRange(0, 127).Draw(t, "pt")),
		SequenceNumber: rapid.Uint16().Draw(t, "sequence"), Timestamp: rapid.Uint32().Draw(t, "timestamp"), SSRC: rapid.Uint32().Draw(t, "ssrc"),
		CSRC: rapid.SliceOfN(rapid.Uint32(), 0, 15).Draw(t, "csrc"),
	}}
	if n := rapid.IntRange(0, 4).Draw(t, "extensions"); n > 0 {
		most, largest := 14, 16
		p.Extension, p.ExtensionProfile = true, rtp.ExtensionProfileOneByte
		if rapid.Bool().Draw(t, "two bytes") {
			most, largest, p.ExtensionProfile = 255, 255, rtp.ExtensionProfileTwoByte
		}
		for range n {
			value := rapid.SliceOfN(rapid.Byte(), 1, largest).Draw(t, "value")
			require.NoError(t, p.SetExtension(uint8(rapid.IntRange(1, most).Draw(t, "id")), value))
		}
	}
	p.Payload = rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "payload")
	raw, err := p.Marshal()
	require.NoError(t, err)
	return p, raw
}

// Whatever the RTP library writes is read as it was meant.
func TestHeadersAsTheLibraryWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, raw := somePacket(t)
		require.Equal(t, p.Header.MarshalSize(), headerLength(raw))
		for id := range 256 {
			require.True(t, bytes.Equal(p.GetExtension(uint8(id)), headerExtension(raw, id)), "extension %d", id)
		}
	})
}

// RFC 4588 4: what was lost comes back as it was, but for what the source's own stream says.
func TestOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, want := somePacket(t)
		again := *p
		again.PayloadType, again.SSRC, again.SequenceNumber = 97, 4711, 9
		again.Payload = append([]byte{byte(p.SequenceNumber >> 8), byte(p.SequenceNumber)}, p.Payload...)
		raw, err := again.Marshal()
		require.NoError(t, err)
		require.Equal(t, want, original(raw, p.PayloadType, p.SSRC))
	})
}

func TestOriginalOfNothing(t *testing.T) {
	probe := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 97, Padding: true}, PaddingSize: 200}
	raw, err := probe.Marshal()
	require.NoError(t, err)
	require.Nil(t, original(raw, 96, 1), "padding")
	require.Nil(t, original(raw[:rtpHeader], 96, 1), "its last byte is the header's")
	require.Nil(t, original(append(raw[:rtpHeader:rtpHeader], 7), 96, 1), "half a number")
	require.Nil(t, original(raw[:5], 96, 1))
	require.Nil(t, original(nil, 96, 1))
}

// Broken headers.
func TestHeadersThatLie(t *testing.T) {
	base := make([]byte, rtpHeader, 64)
	base[0] = 0x80
	with := func(first byte, rest ...byte) []byte {
		b := append(bytes.Clone(base), rest...)
		b[0] = first
		return b
	}
	require.Equal(t, rtpHeader, headerLength(base))
	require.Zero(t, headerLength(with(0x81)), "a source that is not there")
	require.Zero(t, headerLength(with(0x90, 0xbe)), "an extension's head that is not there")
	require.Zero(t, headerLength(with(0x90, 0xbe, 0xde, 0xff, 0xff)), "an extension that is not there")
	require.Nil(t, headerExtension(with(0x90, 0xbe, 0xde, 0, 1, 0xf0, 1, 0x10, 7), 1), "15 ends the reading")
	require.Nil(t, headerExtension(with(0x90, 0xbe, 0xde, 0, 1, 0, 0, 0, 0x17), 1), "longer than the extension")
	require.Nil(t, headerExtension(with(0x90, 0x10, 0, 0, 1, 0, 0, 0, 1), 1), "no length")
	require.Nil(t, headerExtension(with(0x90, 0x12, 0x34, 0, 1, 1, 1, 1, 1), 1), "a profile that nobody knows")
	require.Equal(t, []byte{7}, headerExtension(with(0x90, 0xbe, 0xde, 0, 1, 0, 0, 0x10, 7), 1))
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0xbe, 0xde, 0, 1, 0x31, 0, 7, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := headerLength(b)
		require.True(t, n == 0 || n >= rtpHeader && n <= len(b))
		for _, id := range []int{1, 3, 15, 255} {
			require.LessOrEqual(t, len(headerExtension(b, id)), 255)
		}
		require.LessOrEqual(t, len(original(bytes.Clone(b), 96, 1)), max(len(b)-2, 0))
	})
}
