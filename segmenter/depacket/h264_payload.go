package depacket

import (
	"encoding/binary"
)

// payload takes the NAL units, or the part of one, out of a payload that is not empty (RFC 6184 5.2).
func (d *H264) payload(b []byte, emit func(*AccessUnit)) {
	if d.full {
		return
	}
	kind := b[0] & nalTypeMask
	if kind != rtpFUA && d.fu >= 0 {
		d.reject() // RFC 6184 5.8: the fragments of one NAL unit follow each other
	}
	switch {
	case kind == rtpFUA:
		d.fragment(b, emit)
	case kind == rtpSTAPA && b[0]&0x80 == 0:
		d.aggregate(b[1:], emit)
	default:
		d.single(b, emit)
	}
}

// single takes one whole NAL unit.
func (d *H264) single(b []byte, emit func(*AccessUnit)) {
	d.orphans = false
	// RFC 6184 1.3, forbidden_zero_bit: 1 says that the NAL unit may have bit errors.
	if b[0]&0x80 != 0 {
		d.reject()
		return
	}
	if !d.supported(b[0] & nalTypeMask) {
		return
	}
	at := len(d.buf)
	if d.room(4 + len(b)) {
		d.buf = append(d.buf, 0, 0, 0, 0)
		d.buf = append(d.buf, b...)
		d.complete(at, emit)
	}
}

// supported counts a type that is not a NAL unit's. Aggregates and fragments (modes and nestings not offered) would have
// held parts of a picture; the undefined types 0, 30 and 31 are none of H.264 (RFC 6184 table 1).
func (d *H264) supported(kind byte) bool {
	if kind >= nalSlice && kind <= nalLast {
		return true
	}
	d.stats.Unsupported++
	if kind >= rtpSTAPA && kind <= rtpFUB {
		d.unit.Damaged = true
	}
	return false
}

// aggregate takes the NAL units of a STAP-A (RFC 6184 5.7.1).
func (d *H264) aggregate(b []byte, emit func(*AccessUnit)) {
	if len(b) == 0 {
		d.stats.Broken++
	}
	for len(b) > 0 && !d.full {
		if len(b) < 2 {
			d.reject()
			return
		}
		n := int(binary.BigEndian.Uint16(b))
		b = b[2:]
		if n > len(b) {
			d.reject()
			return
		}
		if n == 0 {
			d.stats.Broken++
			continue
		}
		d.single(b[:n], emit)
		b = b[n:]
	}
}

// fragment takes one FU-A (RFC 6184 5.8).
func (d *H264) fragment(b []byte, emit func(*AccessUnit)) {
	const start, end = 0x80, 0x40
	if len(b) < 2 || b[0]&0x80 != 0 {
		d.reject()
		return
	}
	header := b[0]&0x60 | b[1]&nalTypeMask
	switch {
	case b[1]&start != 0:
		if !d.startFragments(header) {
			return
		}
	case d.fu < 0 && d.orphans:
		d.unit.Damaged = true
		return
	case d.fu < 0 || d.buf[d.fu+4]&nalTypeMask != header&nalTypeMask:
		d.reject()
		return
	}
	if !d.room(len(b) - 2) {
		return
	}
	d.buf = append(d.buf, b[2:]...)
	if b[1]&end != 0 {
		at := d.fu
		d.fu = -1
		d.complete(at, emit)
	}
}

func (d *H264) startFragments(header byte) bool {
	if d.fu >= 0 {
		d.reject() // the one before never ended
	}
	d.orphans = false
	if !d.supported(header & nalTypeMask) {
		d.orphans = true
		return false
	}
	d.fu = len(d.buf)
	d.buf = append(d.buf, 0, 0, 0, 0, header)
	return true
}

// room tells whether n more bytes stay within the bound; if not, the unit is given up.
func (d *H264) room(n int) bool {
	if n <= d.max-len(d.buf) {
		return true
	}
	d.overflow()
	return false
}

// reject counts what breaks the payload format. What it carried is missing in the unit.
func (d *H264) reject() {
	d.stats.Broken++
	d.unit.Damaged = true
	if d.fu >= 0 {
		d.dropFragments()
		d.orphans = true
	}
}

// dropFragments forgets a NAL unit that will not become whole.
func (d *H264) dropFragments() {
	if d.fu >= 0 {
		d.buf = d.buf[:d.fu]
		d.fu = -1
	}
}
