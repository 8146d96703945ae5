package depacket

import (
	"bytes"
	"slices"
)

const (
	maxSetBytes  = 64 << 10 // of all parameter sets that are kept; avcC has 16 bits for the length of one
	maxActivePPS = 255      // avcC counts them with 8 bits (ISO/IEC 14496-15 5.3.3.1.2)
)

// sps and pps are parameter sets as they came. A change of bytes makes a new one, so that a pointer stands for the bytes.
type sps struct {
	spsFacts
	nalu   []byte
	active int // the version it is part of; 0: none yet
}

type pps struct {
	ppsFacts
	nalu   []byte
	active int
	stale  bool // its SPS has changed since it last came: kept, but not announced unless a slice refers to it
}

// parameterSets keeps what came last under each id, and the active sets: those that the newest published random access
// point is decoded with (RFC 6184 8.4; H.264 7.4.1.2.1).
type parameterSets struct {
	sps     [32]*sps
	pps     [256]*pps
	bytes   int
	changed bool // since the last activation
	changes uint64

	version   int
	activeSPS [][]byte
	activePPS [][]byte
	reorder   int // of the first active sequence parameter set

	waiting setCount // came since the last picture began
	carried setCount // came between the beginning of the last picture and of the one before
}

// setCount is how many parameter sets came, changed or not.
type setCount struct{ sps, pps int }

func (c setCount) less(d setCount) bool { return c.sps < d.sps || c.pps < d.pps }

func (c setCount) most(d setCount) setCount { return setCount{max(c.sps, d.sps), max(c.pps, d.pps)} }

// beginPicture says that what came until now came with the picture that begins.
func (p *parameterSets) beginPicture() {
	p.carried, p.waiting = p.waiting, setCount{}
}

// put keeps a copy of a parameter set; false when it cannot be read or would exceed the bound.
func (p *parameterSets) put(nalu []byte) bool {
	if nalu[0]&nalTypeMask == nalSPS {
		return p.putSPS(nalu)
	}
	return p.putPPS(nalu)
}

func (p *parameterSets) putSPS(nalu []byte) bool {
	facts, ok := parseSPS(nalu[1:])
	if !ok {
		return false
	}
	old := p.sps[facts.id]
	if old != nil && bytes.Equal(old.nalu, nalu) {
		p.waiting.sps++
		return true
	}
	var replaced []byte
	if old != nil {
		replaced = old.nalu
	}
	if !p.account(replaced, nalu) {
		return false
	}
	p.sps[facts.id] = &sps{spsFacts: facts, nalu: bytes.Clone(nalu)}
	for _, q := range p.pps {
		if q != nil && q.sps == facts.id {
			q.stale = old != nil
		}
	}
	p.waiting.sps++
	return true
}

func (p *parameterSets) putPPS(nalu []byte) bool {
	facts, ok := parsePPS(nalu[1:])
	if !ok {
		return false
	}
	old := p.pps[facts.id]
	if old != nil && bytes.Equal(old.nalu, nalu) {
		p.changed = p.changed || old.stale
		old.stale = false
		p.waiting.pps++
		return true
	}
	var replaced []byte
	if old != nil {
		replaced = old.nalu
	}
	if !p.account(replaced, nalu) {
		return false
	}
	p.pps[facts.id] = &pps{ppsFacts: facts, nalu: bytes.Clone(nalu)}
	p.waiting.pps++
	return true
}

// account makes room for a set in place of another one.
func (p *parameterSets) account(old, replacement []byte) bool {
	n := p.bytes - len(old) + len(replacement)
	if n > maxSetBytes {
		return false
	}
	p.bytes = n
	p.changed = true
	p.changes++
	return true
}

// decodable tells whether the active sets hold all that the picture refers to. Before anything is active it tells whether
// the sets have come at all.
func (p *parameterSets) decodable(refs []*pps) bool {
	for _, q := range refs {
		s := p.sps[q.sps]
		if s == nil || p.version > 0 && (q.active != p.version || s.active != p.version) {
			return false
		}
	}
	return true
}

// activate makes the sets of a random access point the active ones: what its slices refer to, and the other picture
// parameter sets that came for the same sequence parameter sets, which later pictures may refer to.
func (p *parameterSets) activate(refs []*pps) {
	if !p.changed && p.version > 0 && p.decodable(refs) {
		return
	}
	p.changed = false
	active := p.choose(refs)
	var spsOf []*sps
	for _, q := range active {
		if s := p.sps[q.sps]; !slices.Contains(spsOf, s) {
			spsOf = append(spsOf, s)
		}
	}
	slices.SortFunc(spsOf, func(a, b *sps) int { return int(a.id) - int(b.id) })
	newSPS, newPPS := make([][]byte, 0, len(spsOf)), make([][]byte, 0, len(active))
	for _, s := range spsOf {
		newSPS = append(newSPS, s.nalu)
	}
	for _, q := range active {
		newPPS = append(newPPS, q.nalu)
	}
	if !equalSets(newSPS, p.activeSPS) || !equalSets(newPPS, p.activePPS) {
		p.version++
		p.activeSPS, p.activePPS = newSPS, newPPS
	}
	for _, s := range spsOf {
		s.active = p.version
	}
	for _, q := range active {
		q.active = p.version
	}
	p.reorder = spsOf[0].reorder
}

// choose returns the picture parameter sets to activate, by id. refs are not empty and their sequence parameter sets are
// known.
func (p *parameterSets) choose(refs []*pps) []*pps {
	active := slices.Clone(refs)
	for _, q := range p.pps {
		if q == nil || q.stale || len(active) >= maxActivePPS {
			continue
		}
		sameSPS := slices.ContainsFunc(refs, func(r *pps) bool { return r.sps == q.sps })
		sameID := slices.ContainsFunc(refs, func(r *pps) bool { return r.id == q.id })
		if sameSPS && !sameID {
			active = append(active, q)
		}
	}
	slices.SortFunc(active, func(a, b *pps) int { return int(a.id) - int(b.id) })
	return active
}

func equalSets(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }
