package depacket

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/stretchr/testify/require"
)

// picture is one access unit on the sending side.
type picture struct {
	timestamp uint32
	nalus     [][]byte
}

// fragment cuts a NAL unit into FU-A payloads of at most mtu bytes.
func fragment(nalu []byte, mtu int) [][]byte {
	var out [][]byte
	indicator, kind := nalu[0]&0xe0|rtpFUA, nalu[0]&nalTypeMask
	for rest, first := nalu[1:], true; len(rest) > 0 || first; first = false {
		n := min(len(rest), mtu-2)
		header := kind
		if first {
			header |= 0x80
		}
		if n == len(rest) {
			header |= 0x40
		}
		out = append(out, append([]byte{indicator, header}, rest[:n]...))
		rest = rest[n:]
	}
	return out
}

// aggregate makes one STAP-A payload.
func aggregate(nalus ...[]byte) []byte {
	out := []byte{0x60 | rtpSTAPA}
	for _, n := range nalus {
		out = binary.BigEndian.AppendUint16(out, uint16(len(n)))
		out = append(out, n...)
	}
	return out
}

// packets gives every NAL unit its own packet, or several, and a marker to the last one.
func (p picture) packets(mtu int) []Packet {
	var out []Packet
	for _, n := range p.nalus {
		payloads := [][]byte{n}
		if len(n) > mtu {
			payloads = fragment(n, mtu)
		}
		for _, b := range payloads {
			out = append(out, Packet{Timestamp: p.timestamp, Payload: b})
		}
	}
	out[len(out)-1].Marker = true
	return out
}

// avcc is what Data must hold of the picture.
func (p picture) avcc() []byte {
	var out []byte
	for _, n := range p.kept() {
		out = binary.BigEndian.AppendUint32(out, uint32(len(n)))
		out = append(out, n...)
	}
	return out
}

func (p picture) kept() [][]byte {
	var out [][]byte
	for _, n := range p.nalus {
		switch n[0] & nalTypeMask {
		case 7, 8, 9, 10, 11, 12, 13, 15:
		default:
			out = append(out, n)
		}
	}
	return out
}

// got is a copy of what was emitted, with the sets as they were then.
type got struct {
	AccessUnit
	sps, pps [][]byte
	version  int
}

// nalus takes Data apart; it must be exact.
func (g got) nalus(t require.TestingT) [][]byte {
	var out [][]byte
	for b := g.Data; len(b) > 0; {
		require.GreaterOrEqual(t, len(b), 5)
		n := int(binary.BigEndian.Uint32(b))
		require.Positive(t, n)
		require.LessOrEqual(t, n, len(b)-4)
		out = append(out, b[4:4+n])
		b = b[4+n:]
	}
	return out
}

func (g got) publishable() bool { return !g.Damaged && !g.MissingSets }

// receiver collects what a depacketizer emits.
type receiver struct {
	*H264
	t    require.TestingT
	all  []got
	sink func(*AccessUnit)
}

func newReceiver(t require.TestingT) *receiver {
	r := &receiver{H264: NewH264(1 << 20), t: t}
	r.sink = func(u *AccessUnit) {
		g := got{AccessUnit: *u}
		g.Data = append([]byte(nil), u.Data...)
		g.sps, g.pps, g.version = r.ParameterSets()
		r.all = append(r.all, g)
	}
	return r
}

func (r *receiver) push(packets ...Packet) *receiver {
	for _, p := range packets {
		require.NoError(r.t, r.Push(p, r.sink))
	}
	return r
}

func (r *receiver) flush() []got {
	r.Flush(r.sink)
	return r.take()
}

func (r *receiver) take() []got {
	out := r.all
	r.all = nil
	return out
}

// recorded reads a file of testdata: what x264 made of testsrc2, 192x108, cut into pictures of so many slices.
//
//	bframes:    keyint=12 bframes=3 b-pyramid=normal aud=1
//	slices:     keyint=8 slices=4, baseline, zerolatency
//	refresh:    keyint=8 intra-refresh=1
//	opengop:    keyint=6 bframes=2 open-gop=1 nal-hrd=vbr
//	interlaced: keyint=4 interlaced=1
func recorded(t testing.TB, name string, slicesEach int) []picture {
	b, err := os.ReadFile(filepath.Join("testdata", name+".h264"))
	require.NoError(t, err)
	var out []picture
	current := picture{}
	n := 0
	for _, nalu := range avc.ExtractNalusFromByteStream(b) {
		current.nalus = append(current.nalus, nalu)
		if kind := nalu[0] & nalTypeMask; kind == nalSlice || kind == nalIDR {
			n++
		}
		if n == slicesEach {
			out = append(out, current)
			current = picture{timestamp: current.timestamp + 3600}
			n = 0
		}
	}
	require.Empty(t, current.nalus)
	return out
}

// A stream of three sets and pictures to be used in tables.
var (
	sps0 = spsSpec{}.nalu()
	pps0 = ppsSpec{}.nalu()
)

func idr(size int) []byte {
	return sliceSpec{kind: nalIDR, typ: SliceI, size: size}.nalu()
}

func predicted(frameNum uint32, size int) []byte {
	return sliceSpec{frameNum: frameNum, lsb: 2 * frameNum, size: size}.nalu()
}
