package depacket

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLost(t *testing.T) {
	twoSlices := func(frame uint32) [][]byte {
		return [][]byte{
			sliceSpec{frameNum: frame, lsb: 2 * frame, size: 200}.nalu(),
			sliceSpec{firstMB: 20, frameNum: frame, lsb: 2 * frame, size: 200}.nalu(),
		}
	}
	a := picture{timestamp: 1, nalus: twoSlices(1)}.packets(100)
	b := picture{timestamp: 2, nalus: twoSlices(2)}.packets(100)
	require.Len(t, a, 6)
	c := picture{timestamp: 3, nalus: twoSlices(3)}.packets(100)
	type unit struct {
		timestamp          uint32
		damaged, afterLoss bool
	}
	for name, test := range map[string]struct {
		lost []int // of the 18 packets
		want []unit
	}{
		"nothing":                  {nil, []unit{{1, false, false}, {2, false, false}, {3, false, false}}},
		"middle of a unit":         {[]int{7}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"the rest of a unit":       {[]int{10, 11}, []unit{{1, false, false}, {2, true, false}, {3, false, true}}},
		"a whole unit":             {[]int{6, 7, 8, 9, 10, 11}, []unit{{1, true, false}, {3, false, true}}},
		"the first packet":         {[]int{6}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"the first slice":          {[]int{6, 7, 8}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"end and beginning":        {[]int{5, 6}, []unit{{1, true, false}, {2, true, true}, {3, false, false}}},
		"a slice between two":      {[]int{8, 9}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"all but one fragment":     {[]int{6, 7, 9, 10, 11}, []unit{{1, true, false}, {2, true, true}, {3, false, true}}},
		"the very first":           {[]int{0}, []unit{{1, true, true}, {2, false, false}, {3, false, false}}},
		"two holes in one unit":    {[]int{7, 9}, []unit{{1, false, false}, {2, true, false}, {3, false, false}}},
		"whole unit and a bit":     {[]int{6, 7, 8, 9, 10, 11, 12}, []unit{{1, true, false}, {3, true, true}}},
		"the last of all (unseen)": {[]int{17}, []unit{{1, false, false}, {2, false, false}, {3, true, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			r.SetParameterSets([][]byte{sps0, pps0})
			hole := false
			all := append(append(append([]Packet(nil), a...), b...), c...)
			for i, p := range all {
				if slices.Contains(test.lost, i) {
					hole = true
					continue
				}
				if hole {
					r.Lost()
					hole = false
				}
				r.push(p)
			}
			var got []unit
			for _, g := range r.flush() {
				got = append(got, unit{g.Timestamp, g.Damaged, g.AfterLoss})
			}
			require.Equal(t, test.want, got)
			require.Zero(t, r.Stats().Broken, "what a hole leaves is not broken")
		})
	}
}

func TestLost_beforeAUnitThatIsNotEmitted(t *testing.T) {
	r := newReceiver(t)
	r.push(packet(0, sps0), packet(0, pps0), packet(0, idr(9)))
	r.push(packet(1, predicted(1, 9)))
	r.Lost()
	r.push(packet(2, sei(3, -1)), packet(3, predicted(3, 9)))
	all := r.flush()
	require.Len(t, all, 3)
	require.True(t, all[2].AfterLoss, "the hole is still between the pictures")
	require.False(t, all[2].Damaged)
}

func TestLost_sliceMissingFromAUnitOfNothingElse(t *testing.T) {
	r := trusting(t)
	r.push(packet(31, aud))
	r.Lost()
	r.marked(32, 1)
	all := r.take()
	require.Len(t, all, 2)
	require.True(t, all[0].Damaged, "its picture is what was lost")
	require.Empty(t, all[0].Data)
	require.True(t, all[1].AfterLoss)
}

func TestLost_afterATrustedMarker(t *testing.T) {
	r := trusting(t)
	r.marked(31, 1)
	r.Lost()
	r.push(packet(33, predicted(33, 9)))
	all := r.flush()
	require.Equal(t, []bool{false, true}, []bool{all[0].Damaged, all[1].AfterLoss})
}

func TestLost_betweenPicturesOfOneTimestamp(t *testing.T) {
	for name, c := range map[string]struct {
		next    [][]byte
		damaged bool
	}{
		"its first slice":  {[][]byte{predicted(3, 9)}, false},
		"another slice":    {[][]byte{sliceSpec{firstMB: 20, frameNum: 3, lsb: 6}.nalu()}, true},
		"with a delimiter": {[][]byte{aud, predicted(3, 9)}, false},
	} {
		r := newReceiver(t)
		r.SetParameterSets([][]byte{sps0, pps0})
		r.push(packet(0, predicted(1, 9)))
		r.Lost()
		for _, n := range c.next {
			r.push(packet(0, n))
		}
		all := r.flush()
		require.Len(t, all, 2, name)
		require.True(t, all[0].Damaged && all[1].AfterLoss, name)
		require.Equal(t, c.damaged, all[1].Damaged, name)
	}
}

// The rest of a unit whose only slice so far was broken is not taken for a picture.
func TestLost_restAfterAMarkerOnADamagedUnit(t *testing.T) {
	r := trusting(t)
	r.Lost()
	r.push(Packet{Timestamp: 31, Marker: true, Payload: fragment(predicted(31, 300), 100)[3]})
	require.True(t, r.take()[0].Damaged)
	r.push(packet(31, sliceSpec{firstMB: 20, frameNum: 31, lsb: 62, size: 9}.nalu()))
	require.True(t, r.flush()[0].Damaged)
}

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
