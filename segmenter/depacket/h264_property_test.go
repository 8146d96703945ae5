package depacket

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sender makes a random stream: what each timestamp holds, and its packets.
type sender struct {
	pictures  []picture
	packets   []Packet
	activeSPS [][]byte // of each picture
	activePPS [][]byte
}

func drawSender(t *rapid.T) sender {
	var s sender
	each := rapid.IntRange(1, 4).Draw(t, "slices")
	delimiters, messages := rapid.Bool().Draw(t, "AUD"), rapid.Bool().Draw(t, "SEI")
	marker := rapid.SampledFrom([]string{"last", "never", "every"}).Draw(t, "marker")
	n := rapid.IntRange(2, 80).Draw(t, "pictures")
	if marker == "every" {
		n = min(n, trustAfter) // such a sender is found out with its first picture of several packets
	}
	mtu := rapid.IntRange(20, 300).Draw(t, "mtu")
	timestamp := rapid.Uint32().Draw(t, "timestamp")
	sps, pps := sps0, pps0
	frame := uint32(0)
	for i := range n {
		p := picture{timestamp: timestamp}
		timestamp += 3000
		key := i == 0 || rapid.IntRange(0, 7).Draw(t, "key") == 0
		if delimiters {
			p.nalus = append(p.nalus, aud)
		}
		if key {
			frame = 0
			if rapid.IntRange(0, 2).Draw(t, "change") == 0 {
				sps = spsSpec{width: rapid.Uint32Max(3).Draw(t, "width")}.nalu()
				pps = ppsSpec{initialQP: rapid.Int32Range(0, 3).Draw(t, "QP")}.nalu()
			}
			p.nalus = append(p.nalus, sps, pps)
		}
		if messages {
			p.nalus = append(p.nalus, sei(rapid.IntRange(0, 30).Draw(t, "message"), -1))
		}
		for k := range each {
			slice := sliceSpec{firstMB: uint32(k * 20), frameNum: frame, lsb: 2 * frame, size: rapid.IntRange(1, 400).Draw(t, "size")}
			if key {
				slice.kind, slice.typ = nalIDR, SliceI
			}
			p.nalus = append(p.nalus, slice.nalu())
		}
		frame++
		s.pictures = append(s.pictures, p)
		s.activeSPS, s.activePPS = append(s.activeSPS, sps), append(s.activePPS, pps)
		packets := p.grouped(t, mtu)
		for j := range packets {
			packets[j].Marker = marker == "every" || marker == "last" && j == len(packets)-1
		}
		s.packets = append(s.packets, packets...)
	}
	return s
}

// grouped packs like packets, but puts neighbours together into a STAP-A now and then.
func (p picture) grouped(t *rapid.T, mtu int) []Packet {
	var out []Packet
	for rest := p.nalus; len(rest) > 0; {
		n := min(len(rest), rapid.IntRange(1, 4).Draw(t, "together"))
		payloads := [][]byte{aggregate(rest[:n]...)}
		if n == 1 || len(payloads[0]) > mtu {
			n = 1
			payloads = [][]byte{rest[0]}
			if len(rest[0]) > mtu {
				payloads = fragment(rest[0], mtu)
			}
		}
		rest = rest[n:]
		for _, b := range payloads {
			out = append(out, Packet{Timestamp: p.timestamp, Payload: b})
		}
	}
	return out
}

// vcl returns the slices among NAL units.
func vcl(nalus [][]byte) [][]byte {
	var out [][]byte
	for _, n := range nalus {
		if kind := n[0] & nalTypeMask; kind >= nalSlice && kind <= nalIDR {
			out = append(out, n)
		}
	}
	return out
}

// Whatever is lost: a unit that may be published is exactly one that was sent, to be decoded with the sets it was made with.
func TestLost_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSender(t)
		r := newReceiver(t)
		burst := rapid.IntRange(1, 40).Draw(t, "burst")
		rate := rapid.IntRange(0, 30).Draw(t, "rate")
		hole, dropping, lossless := false, 0, true
		for _, p := range s.packets {
			if dropping == 0 && rapid.IntRange(0, 99).Draw(t, "loss") < rate {
				dropping = rapid.IntRange(1, burst).Draw(t, "length")
			}
			if dropping > 0 {
				dropping--
				hole, lossless = true, false
				continue
			}
			if hole {
				r.Lost()
				hole = false
			}
			r.push(p)
		}
		if hole {
			r.Lost()
		}
		all := r.flush()
		checkAgainst(t, s, all)
		if lossless {
			require.Len(t, all, len(s.pictures))
			for _, g := range all {
				require.True(t, g.publishable())
			}
		}
		require.Zero(t, r.Stats().Broken)
	})
}

// checkAgainst compares what was emitted with what was sent.
func checkAgainst(t require.TestingT, s sender, all []got) {
	next, synced := 0, false
	for _, g := range all {
		skipped := false
		for next < len(s.pictures) && s.pictures[next].timestamp != g.Timestamp {
			next, skipped = next+1, true
		}
		require.Less(t, next, len(s.pictures), "emitted a timestamp twice, or one never sent")
		p := s.pictures[next]
		require.False(t, skipped && !g.AfterLoss, "a picture is gone and nobody was told")
		synced = synced && g.publishable() && !g.AfterLoss || g.publishable() && g.IDR
		if g.publishable() {
			require.Equal(t, vcl(p.nalus), vcl(g.nalus(t)))
			if !g.AfterLoss {
				require.Equal(t, p.avcc(), g.Data)
			}
		}
		if synced {
			require.Equal(t, [][]byte{s.activeSPS[next]}, g.sps)
			require.Equal(t, [][]byte{s.activePPS[next]}, g.pps)
		}
		next++
	}
}
