package depacket

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// script turns bytes into calls. Each packet is: flags, two bytes of length, payload.
const (
	scriptMarker = 1 << iota
	scriptNext   // of the timestamp
	scriptLost
	scriptFlush
)

func scriptOf(packets []Packet) []byte {
	var out []byte
	last := uint32(0)
	for _, p := range packets {
		flags := byte(0)
		if p.Marker {
			flags |= scriptMarker
		}
		if p.Timestamp != last {
			flags |= scriptNext
		}
		last = p.Timestamp
		out = append(out, flags)
		out = binary.BigEndian.AppendUint16(out, uint16(len(p.Payload)))
		out = append(out, p.Payload...)
	}
	return out
}

// play runs a script and checks what must hold whatever comes.
func play(t *testing.T, script []byte) {
	const bound = 1 << 12
	d := NewH264(bound)
	units, damaged, missing := 0, 0, 0
	version := 0
	emit := func(u *AccessUnit) {
		units++
		if u.Damaged {
			damaged++
		}
		if u.MissingSets {
			missing++
		}
		sps, pps, v := d.ParameterSets()
		require.GreaterOrEqual(t, v, version)
		require.Equal(t, v > 0, len(sps) > 0 && len(pps) > 0)
		version = v
		slices := checkUnit(t, u, bound)
		require.True(t, slices > 0 || u.Damaged)
		require.False(t, u.IDR && !u.Damaged && !u.MissingSets && v == 0)
	}
	timestamp := uint32(0)
	for len(script) >= 3 {
		flags, n := script[0], int(binary.BigEndian.Uint16(script[1:]))
		script = script[3:]
		n = min(n, len(script))
		if flags&scriptNext != 0 {
			timestamp++
		}
		if flags&scriptLost != 0 {
			d.Lost()
		}
		if err := d.Push(Packet{Timestamp: timestamp, Marker: flags&scriptMarker != 0, Payload: script[:n]}, emit); err != nil {
			require.ErrorIs(t, err, ErrTooLarge)
		}
		if flags&scriptFlush != 0 {
			d.Flush(emit)
		}
		script = script[n:]
	}
	d.Flush(emit)
	s := d.Stats()
	require.EqualValues(t, units, s.Units)
	require.EqualValues(t, damaged, s.Damaged)
	require.EqualValues(t, missing, s.MissingSets)
	require.LessOrEqual(t, d.sets.bytes, maxSetBytes)
	require.LessOrEqual(t, cap(d.buf), 4*bound)
}

// checkUnit checks the form of one unit and counts its slices.
func checkUnit(t *testing.T, u *AccessUnit, bound int) (slices int) {
	require.LessOrEqual(t, len(u.Data), bound)
	for b := u.Data; len(b) > 0; {
		require.GreaterOrEqual(t, len(b), 5)
		n := int(binary.BigEndian.Uint32(b))
		require.Positive(t, n)
		require.LessOrEqual(t, n, len(b)-4)
		require.Zero(t, b[4]&0x80)
		switch kind := b[4] & nalTypeMask; kind {
		case 1, 2, 5:
			slices++
			require.True(t, kind != 5 || u.IDR)
		case 0, 7, 8, 9, 10, 11, 12, 13, 15, 24, 25, 26, 27, 28, 29, 30, 31:
			require.Fail(t, "not to be kept", "type %d", kind)
		}
		b = b[4+n:]
	}
	return slices
}

func FuzzH264(f *testing.F) {
	for name, each := range map[string]int{"bframes": 1, "slices": 4, "refresh": 1, "opengop": 1, "interlaced": 1} {
		var packets []Packet
		for _, p := range recorded(f, name, each)[:4] {
			packets = append(packets, p.packets(200)...)
		}
		f.Add(scriptOf(packets))
		for i := range packets {
			packets[i].Timestamp /= 7200 // two pictures each
		}
		f.Add(scriptOf(packets))
	}
	all := []Packet{{Payload: aggregate(sps0, pps0, pps1, aud, sei(3, 0), idr(5))}}
	for i, b := range fragment(predicted(1, 300), 90) {
		all = append(all, Packet{Timestamp: 1, Payload: b, Marker: i == 3})
	}
	fields := spsSpec{fields: true, profile: 100, reorder: 2}
	all = append(all, Packet{Timestamp: 2, Payload: aggregate(fields.nalu(), ppsSpec{order: true, redundant: true}.nalu(), scalingSPS(3))})
	all = append(all, Packet{Timestamp: 2, Payload: sliceSpec{kind: nalIDR, field: true, sps: fields}.nalu()})
	f.Add(scriptOf(all))
	for _, kind := range []byte{0, 24, 25, 26, 27, 28, 29, 30, 31} {
		f.Add(scriptOf([]Packet{{Payload: idr(4)}, {Payload: []byte{kind, 0x80 | 5, 0, 3, 1, 2, 3, 0, 9}}, {Payload: predicted(1, 3)}}))
	}
	f.Fuzz(play)
}

// FuzzH264Loss drops and damages packets of a good stream: what may be published is what was sent.
func FuzzH264Loss(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 1}, uint16(200))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1}, uint16(60))
	var s sender
	for _, p := range recorded(f, "slices", 4) {
		s.pictures = append(s.pictures, p)
		s.activeSPS = append(s.activeSPS, recorded(f, "slices", 4)[0].setOf(nalSPS))
		s.activePPS = append(s.activePPS, recorded(f, "slices", 4)[0].setOf(nalPPS))
	}
	f.Fuzz(func(t *testing.T, drop []byte, mtu uint16) {
		r := newReceiver(t)
		hole, i := false, 0
		for _, p := range s.pictures {
			for _, p := range p.packets(3 + int(mtu)%1400) {
				if i < len(drop) && drop[i]&1 != 0 {
					hole = true
				} else {
					if hole {
						r.Lost()
					}
					hole = false
					r.push(p)
				}
				i++
			}
		}
		if hole {
			r.Lost()
		}
		checkAgainst(t, s, r.flush())
	})
}
