package depacket

import (
	"encoding/binary"
	"slices"
)

// begin starts a unit with the next packet. It keeps nothing of the unit before.
func (d *H264) begin(timestamp uint32) {
	d.buf = d.buf[:0]
	d.fu, d.packets, d.marked, d.full = -1, 0, false, false
	d.pending = -1
	d.open, d.closed = true, false
	d.reset(timestamp, d.lost)
	d.lost = false
}

// reset clears what is known of a unit. afterLoss: there is a hole before it, and the rest of a picture may stand at its
// beginning.
func (d *H264) reset(timestamp uint32, afterLoss bool) {
	d.unit = AccessUnit{Timestamp: timestamp, AfterLoss: afterLoss, RecoveryPoint: -1}
	d.check = d.check || afterLoss
	d.slices, d.nalus, d.tail = 0, 0, -1
	d.refs = d.refs[:0]
	d.zero, d.gap = false, false
}

// finish ends the unit in progress. One without slices is not emitted, unless slices of it may be what is missing; a hole
// before it is then one before its successor.
func (d *H264) finish(byMarker bool, emit func(*AccessUnit)) {
	if d.fu >= 0 {
		d.reject()
	}
	d.open, d.closed = false, byMarker
	if d.slices == 0 && !d.unit.Damaged {
		d.lost = d.lost || d.unit.AfterLoss
		return
	}
	d.unit.ByMarker = byMarker
	d.deliver(len(d.buf), emit)
}

// deliver emits the first n bytes of buf as the unit.
func (d *H264) deliver(n int, emit func(*AccessUnit)) {
	u := &d.unit
	u.Data = d.buf[:n:n]
	d.check = false
	d.judge(u)
	d.stats.Units++
	if u.Damaged {
		d.stats.Damaged++
	}
	if u.MissingSets {
		d.stats.MissingSets++
	}
	emit(u)
	u.Data = nil
}

// judge decides whether the parameter sets allow the unit to be decoded, and makes those of a random access point active.
func (d *H264) judge(u *AccessUnit) {
	// A sender that gives its parameter sets with every IDR has given them with this one, too: they were lost, and may have
	// been other ones.
	if u.IDR && u.AfterLoss && d.sets.carried.less(d.habit) {
		u.Damaged = true
	}
	switch {
	case !u.IDR:
	case u.AfterLoss || u.Damaged:
		d.habit = d.habit.most(d.sets.carried)
	default:
		d.habit = d.sets.carried
	}
	access := u.IDR || u.RecoveryPoint == 0 && u.Intra && !d.sawIDR
	if access && !u.Damaged && !u.MissingSets {
		d.sawIDR = d.sawIDR || u.IDR
		d.sets.activate(d.refs)
	}
	u.MissingSets = u.MissingSets || !d.sets.decodable(d.refs)
}

// complete takes the NAL unit that stands at the end of buf, from its length field on.
func (d *H264) complete(at int, emit func(*AccessUnit)) {
	nalu := d.buf[at+4:]
	binary.BigEndian.PutUint32(d.buf[at:], uint32(len(nalu)))
	kind := nalu[0] & nalTypeMask
	if d.tail < 0 && opensUnit(kind) {
		d.tail = at
	}
	d.nalus++
	switch kind {
	case nalSlice, nalPartitionA, nalIDR:
		d.addSlice(at, emit)
	case nalPartitionB, nalPartitionC:
		if d.slices == 0 {
			d.discard(at) // H.264 7.4.1.2.5: they follow their partition A
		}
	case nalSEI:
		if n := recoveryPoint(nalu); n >= 0 {
			d.pending = n
		}
	case nalSPS, nalPPS:
		if !d.sets.put(nalu) {
			d.stats.Broken++
		}
		d.leaveOut(at)
	case nalAUD, nalEndSequence, nalEndStream, nalFiller, nalSPSExtension, nalSubsetSPS:
		d.leaveOut(at)
	}
	if d.nalus > maxNALUs {
		d.overflow()
	}
}

// opensUnit: after the last VCL NAL unit of a primary coded picture these begin the next access unit (H.264 7.4.1.2.3).
func opensUnit(kind byte) bool {
	return kind >= nalSEI && kind <= nalAUD || kind >= nalPrefix && kind <= nalReserved18
}

func isSet(header byte) bool {
	kind := header & nalTypeMask
	return kind == nalSPS || kind == nalPPS
}

// discard drops a broken NAL unit, which is missing in the unit.
func (d *H264) discard(at int) {
	d.stats.Broken++
	d.unit.Damaged = true
	d.leaveOut(at)
}

func (d *H264) leaveOut(at int) {
	d.buf = d.buf[:at]
	d.nalus--
}

// addSlice takes the slice at the end of buf.
func (d *H264) addSlice(at int, emit func(*AccessUnit)) {
	s, ok := parseSlice(d.buf[at+4:], &d.sets)
	if !ok {
		d.discard(at)
		return
	}
	if d.slices > 0 && s.begins(&d.last, d.zero) {
		d.split(at, emit)
	}
	if d.slices == 0 {
		d.first(&s)
	}
	d.slices++
	d.unit.IDR = d.unit.IDR || s.idr
	d.unit.Intra = d.unit.Intra && (s.kind == SliceI || s.kind == SliceSI)
	d.zero = d.zero || s.firstMB == 0
	d.refer(s.pps)
	d.last = s
	d.tail, d.pending, d.gap = -1, -1, false
}

// first takes what the first slice of a unit tells.
func (d *H264) first(s *slice) {
	u := &d.unit
	u.FirstMB0 = s.firstMB == 0 && s.redundant == 0
	u.SliceType, u.Reference, u.Intra = s.kind, s.reference, true
	u.RecoveryPoint = d.pending
	d.sets.beginPicture()
	if d.check && !u.FirstMB0 {
		u.Damaged = true // the slices before it are in the hole
	}
	u.POC, u.HasPOC = d.poc.next(s)
}

// refer notes the parameter set of a slice; nil is one that has not come. A picture has one, two fields may have two (H.264
// 7.4.1.2.4), and none changes within a picture (7.4.1.2.1).
func (d *H264) refer(p *pps) {
	switch {
	case p == nil:
		d.unit.MissingSets = true
	case slices.Contains(d.refs, p):
	case slices.ContainsFunc(d.refs, func(q *pps) bool { return q.id == p.id }):
		d.unit.MissingSets = true
	default:
		d.refs = append(d.refs, p)
	}
}

// split ends the unit in progress although the timestamp stays the same: the slice at the end of buf, and what stands
// between it and the slices before, begin another one.
func (d *H264) split(at int, emit func(*AccessUnit)) {
	if d.tail >= 0 {
		at = d.tail
	}
	gap := d.gap
	d.deliver(at, emit)
	d.buf = d.buf[:copy(d.buf, d.buf[at:])]
	damaged := d.unit.Damaged
	d.reset(d.unit.Timestamp, gap)
	// What was damaged may have been the parameter sets by which this slice was taken for another picture's.
	d.check = d.check || damaged
	for i := 0; i < len(d.buf); i += 4 + int(binary.BigEndian.Uint32(d.buf[i:])) {
		d.nalus++
	}
}
