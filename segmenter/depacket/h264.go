package depacket

import (
	"errors"
	"fmt"
)

// ErrTooLarge is wrapped by the error of Push when one access unit exceeds the bound in bytes or in NAL units.
var ErrTooLarge = errors.New("depacket: access unit too large")

// maxNALUs bounds the NAL units in one access unit. Level 6.2 pictures of one slice per macroblock row have 544.
const maxNALUs = 4096

// NAL unit types (H.264 table 7-1) and payload structures (RFC 6184 table 1).
const (
	nalTypeMask = 0x1f

	nalSlice        = 1
	nalPartitionA   = 2
	nalPartitionB   = 3
	nalPartitionC   = 4
	nalIDR          = 5
	nalSEI          = 6
	nalSPS          = 7
	nalPPS          = 8
	nalAUD          = 9
	nalEndSequence  = 10
	nalEndStream    = 11
	nalFiller       = 12
	nalSPSExtension = 13
	nalPrefix       = 14
	nalSubsetSPS    = 15
	nalReserved18   = 18
	nalLast         = 23

	rtpSTAPA = 24
	rtpSTAPB = 25
	rtpFUA   = 28
	rtpFUB   = 29
)

// AccessUnit is one coded picture, or two fields of one, with what a segmenter must know of it. It and its Data belong to
// the depacketizer and are valid during the call of emit only.
type AccessUnit struct {
	Timestamp uint32 // RTP, 90 kHz
	// Data is AVCC: before each NAL unit its length, 4 bytes, big-endian. Parameter sets, access unit delimiters, filler data
	// and ends of sequence or stream are left out; SEI and all else is as it came.
	Data []byte

	Damaged     bool // a packet of it was lost or broken: not to be published
	MissingSets bool // refers to a parameter set that has not come, or is not among the active ones: not to be published either
	AfterLoss   bool // something between the unit before and this one was lost
	ByMarker    bool // ended by a trusted marker, not by what follows

	IDR           bool // has a slice of an IDR picture
	Intra         bool // has slices, and all are I or SI
	Reference     bool // nal_ref_idc of its first slice is not 0
	FirstMB0      bool // begins with macroblock 0
	SliceType     SliceType
	RecoveryPoint int // recovery_frame_cnt of its recovery point SEI message, -1 when it has none

	// POC is the picture order count since the last IDR, if HasPOC: only with pic_order_cnt_type 0. With type 2 the output
	// order is the decoding order.
	POC    int64
	HasPOC bool
}

// Stats counts since the beginning.
type Stats struct {
	Units               uint64 // emitted, of any kind
	Damaged             uint64 // of them with Damaged
	MissingSets         uint64 // of them with MissingSets
	Broken              uint64 // payloads and NAL units dropped because they break RFC 6184 or H.264
	Unsupported         uint64 // payloads and NAL units dropped because of their type
	Empty               uint64 // packets of padding alone
	ParameterSetChanges uint64 // parameter sets that came new or with other bytes
	MarkerFaults        uint64 // markers that did not agree with the timestamps
}

// H264 puts RTP payloads of RFC 6184, packetization modes 0 and 1, together into access units. Its methods are not safe for
// concurrent use; emit may ask for ParameterSets, MaxReorder and Stats, and must not call the others.
//
// An access unit ends where the timestamp changes; where a marker says so, while the sender's markers are trusted; and where
// a slice begins another primary coded picture under the same timestamp.
type H264 struct {
	max  int
	buf  []byte // Data of the unit in progress
	sets parameterSets
	poc  orderCount

	unit    AccessUnit // in progress if open, else the one before
	open    bool
	closed  bool // unit was ended by its marker
	packets int  // of unit
	marked  bool // the last packet of unit had a marker
	trust   markerTrust

	fu      int  // where the NAL unit in progress stands in buf; -1: none
	orphans bool // further fragments belong to a NAL unit whose start is known to be lost
	nalus   int  // in buf
	full    bool // unit exceeded the bound: what else comes of it is dropped
	err     error

	slices  int // of unit
	last    slice
	zero    bool   // unit has a slice with macroblock 0
	refs    []*pps // what unit's slices refer to
	tail    int    // where NAL units stand in buf that begin the next access unit if another picture follows; -1: none
	pending int    // recovery point before the next picture's first slice

	lost   bool // a hole before the next packet
	gap    bool // a hole since unit's last slice
	check  bool // what unit begins with must be the beginning of a picture
	sawIDR bool
	habit  setCount // what a sender gives with its IDRs: as many as with the last whole one, or more with one since
	stats  Stats
}

// NewH264 returns a depacketizer for access units of at most maxSize bytes.
func NewH264(maxSize int) *H264 {
	return &H264{max: maxSize, fu: -1, tail: -1, pending: -1, check: true, orphans: true, sets: parameterSets{reorder: -1}}
}

// Push takes the next packet and calls emit for every access unit that it shows to be over. The only error wraps
// ErrTooLarge, once per unit that exceeds the bound: that unit will be emitted as damaged, and the next one is as good as any.
func (d *H264) Push(p Packet, emit func(*AccessUnit)) error {
	if len(p.Payload) == 0 {
		d.stats.Empty++
		return nil
	}
	d.arrive(p.Timestamp, emit)
	d.packets++
	d.marked = p.Marker
	d.payload(p.Payload, emit)
	if p.Marker && d.trust.trusted() && d.fu < 0 && (d.slices > 0 || d.unit.Damaged) {
		d.finish(true, emit)
	}
	err := d.err
	d.err = nil
	return err
}

// Lost says that packets between the last and the next one will never come.
func (d *H264) Lost() {
	d.lost, d.gap, d.orphans = true, true, true
	d.habit, d.sets.waiting = d.habit.most(d.sets.waiting), setCount{}
	if d.open {
		d.unit.Damaged = true
		d.dropFragments()
	}
}

// Flush ends the unit in progress at the end of input; what is pushed afterwards begins anew. A unit without the marker
// that its sender is known to set is damaged: its end never came.
func (d *H264) Flush(emit func(*AccessUnit)) {
	if d.open {
		if d.fu >= 0 || !d.marked && d.trust.agreed > 0 {
			d.unit.Damaged = true
			d.dropFragments()
		}
		d.finish(false, emit)
	}
	d.closed, d.lost = false, false
	d.check, d.orphans = true, true
}

// SetParameterSets gives sets known from elsewhere (sprop-parameter-sets, RFC 6184 8.1): NAL units, copied. They take effect
// like those in the stream: with an IDR.
func (d *H264) SetParameterSets(nalus [][]byte) {
	for _, n := range nalus {
		if len(n) == 0 || !isSet(n[0]) || !d.sets.put(n) {
			d.stats.Broken++
		}
	}
	d.sets.waiting = setCount{}
}

// ParameterSets returns the sets that the unit emitted most recently is decoded with, each kind by id; version counts
// their changes and is 0 before there are any. The slices are never written to again.
func (d *H264) ParameterSets() (sps, pps [][]byte, version int) {
	return d.sets.activeSPS, d.sets.activePPS, d.sets.version
}

// MaxReorder is how many pictures may precede one in decoding order and follow it in output order, by the active sequence
// parameter set: 0 when there are no such pictures, -1 when it does not say (H.264 E.2.1, max_num_reorder_frames).
func (d *H264) MaxReorder() int { return d.sets.reorder }

// Stats returns the counters.
func (d *H264) Stats() Stats {
	s := d.stats
	s.ParameterSetChanges = d.sets.changes
	return s
}

// arrive decides by the timestamp whether a packet belongs to the unit in progress.
func (d *H264) arrive(timestamp uint32, emit func(*AccessUnit)) {
	same := timestamp == d.unit.Timestamp
	switch {
	case d.open && same:
		if d.marked {
			d.markerFault()
		}
		d.lost = false
	case d.open:
		if !d.unit.Damaged {
			d.trust.end(d.marked, d.packets)
			if !d.marked {
				d.stats.MarkerFaults++
			}
		}
		d.finish(false, emit)
		d.begin(timestamp)
	case d.closed && same:
		d.markerFault()
		d.begin(timestamp)
		d.check = true // it may be the rest of what the marker ended too early
	default:
		d.begin(timestamp)
	}
}

func (d *H264) markerFault() {
	d.trust.middle()
	d.stats.MarkerFaults++
}

// overflow gives the unit in progress up.
func (d *H264) overflow() {
	d.err = fmt.Errorf("%w: over %d bytes or %d NAL units", ErrTooLarge, d.max, maxNALUs)
	d.full, d.unit.Damaged = true, true
	d.dropFragments()
	d.buf, d.tail = d.buf[:0], -1
}
