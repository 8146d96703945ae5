package signaling

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// draft-alvestrand-rmcat-remb: a publisher that offers it, and nothing better, is told what it may send.
func TestREMB(t *testing.T) {
	t.Parallel()
	f := serve(t, Config{})
	p := newRaw(f)
	p.post(strings.ReplaceAll(p.offer(nil), "transport-cc", "unknown"))
	require.Contains(t, p.pc.RemoteDescription().SDP, "goog-remb")
	p.wait()
	p.sending()
	sender := p.pc.GetSenders()[0]
	ssrc := uint32(sender.GetParameters().Encodings[0].SSRC)
	require.NoError(t, sender.SetReadDeadline(time.Now().Add(10*time.Second)))
	var told []float32
	for len(told) < 2 {
		packets, _, err := sender.ReadRTCP()
		require.NoError(t, err)
		for _, p := range packets {
			if m, ok := p.(*rtcp.ReceiverEstimatedMaximumBitrate); ok {
				require.Equal(t, []uint32{ssrc}, m.SSRCs)
				told = append(told, m.Bitrate)
			}
		}
	}
	require.GreaterOrEqual(t, told[0], float32(rembStart))
	require.Greater(t, told[1], float32(rembStart), "more than 1 Mbit/s comes without loss")
}

// second is what a second brought: bits, and packets that came of those sent.
func (b *bandwidth) second(bits, came, sent uint64) float64 {
	b.update(arrivals{bytes: bits / 8, came: came, sent: sent}, time.Second)
	return b.bitrate
}

// draft-ietf-rmcat-gcc 6: more while little is lost, less when much is.
func TestBandwidthFollowsLoss(t *testing.T) {
	b := &bandwidth{bitrate: rembStart}
	require.EqualValues(t, 1_000_000, b.second(100_000, 10, 10), "a still picture says nothing of the network")
	require.EqualValues(t, 2_000_000, b.second(1_000_000, 100, 100))
	require.EqualValues(t, 3_000_000, b.second(1_500_000, 100, 100), "not more than twice what comes")
	require.EqualValues(t, 3_000_000, b.second(500_000, 50, 50), "not less because less is sent")
	require.EqualValues(t, 3_000_000, b.second(2_850_000, 95, 100), "a little loss stops it")
	require.InDelta(t, 2_700_000, b.second(2_400_000, 80, 100), 1, "by half of the loss, from what was sent")
	require.InDelta(t, 2_916_000, b.second(2_700_000, 100, 100), 1, "slowly up again")
	for range 100 {
		b.second(10_000, 50, 100)
	}
	require.EqualValues(t, rembLeast, b.bitrate)
	for range 1000 {
		b.second(1e9, 1000, 1000)
	}
	require.EqualValues(t, rembMost, b.bitrate)
}

// What was sent once more, or came twice, makes up for no loss; a sender that begins anew has lost nothing.
func TestArrivals(t *testing.T) {
	for name, c := range map[string]struct {
		sequence   []uint16
		came, sent uint64
	}{
		"in order, over the wrap":  {[]uint16{65534, 65535, 0, 1}, 4, 4},
		"a gap":                    {[]uint16{10, 11, 15}, 3, 6},
		"a gap that is filled":     {[]uint16{10, 13, 11, 12, 14}, 3, 5},
		"one twice":                {[]uint16{10, 10, 11, 11}, 2, 2},
		"numbers from elsewhere":   {[]uint16{10, 11, 9000, 9001}, 4, 4},
		"the first may be any one": {[]uint16{40000}, 1, 1},
	} {
		var a arrivalCounter
		highest := uint16(0)
		for i, s := range c.sequence {
			highest = a.note(100, s, highest, i == 0)
		}
		require.Equal(t, arrivals{uint64(100 * len(c.sequence)), c.came, c.sent}, a.load(), name)
	}
}
