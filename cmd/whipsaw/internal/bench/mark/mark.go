// Package mark hides in every frame who sent it and when, and finds that again in the parts of a player's stream: so the
// delay of a server is measured with one clock, without its help.
package mark

import (
	"bytes"
	"time"
)

// Mark is what a frame carries. Frames of one publisher and kind are numbered from 0.
type Mark struct {
	Publisher uint32
	Frame     uint32
	Sent      time.Time // when its first packet was sent, on the wall clock of the sender
	Video     bool      // it was found in a picture; not written
}

// id is the uuid_iso_iec_11578 of our user_data_unregistered messages (H.264 D.1.7). It has no zero byte, nor has what
// follows it: so emulation prevention (H.264 7.4.1) finds nothing to do.
const id = "\xb5\x77whipsaw bench\x9d"

const (
	dataLength = 5 + 5 + 10 // of the numbers
	seiLength  = 3 + len(id) + dataLength + 1
	tailLength = len(id) + dataLength // of what ends an Opus packet
)

// AppendSEI appends an SEI NAL unit without start code to b.
func (m Mark) AppendSEI(b []byte) []byte {
	const naluSEI, userDataUnregistered, trailing = 6, 5, 0x80
	b = append(b, naluSEI, userDataUnregistered, byte(len(id)+dataLength))
	return append(m.append(b), trailing)
}

// append writes each number as groups of seven bits with the eighth set, the highest first.
func (m Mark) append(b []byte) []byte {
	b = append(b, id...)
	b = appendGroups(b, uint64(m.Publisher), 5)
	b = appendGroups(b, uint64(m.Frame), 5)
	return appendGroups(b, uint64(m.Sent.UnixNano()), 10)
}

func appendGroups(b []byte, n uint64, groups int) []byte {
	for i := groups - 1; i >= 0; i-- {
		b = append(b, byte(n>>(7*i))|0x80)
	}
	return b
}

// parse reads what append wrote; b has at least tailLength bytes.
func parse(b []byte) (Mark, bool) {
	if string(b[:len(id)]) != id {
		return Mark{}, false
	}
	b = b[len(id):]
	return Mark{
		Publisher: uint32(groups(b[:5])),
		Frame:     uint32(groups(b[5:10])),
		Sent:      time.Unix(0, int64(groups(b[10:20]))),
	}, true
}

func groups(b []byte) uint64 {
	n := uint64(0)
	for _, c := range b {
		n = n<<7 | uint64(c&0x7f)
	}
	return n
}

// AppendOpus appends an Opus packet to b, and the mark as its padding, which decoders skip whatever it holds (RFC 6716
// 3.2.5). A packet that has padding already, or is none, is appended as it is.
func (m Mark) AppendOpus(b, packet []byte) []byte {
	const arbitrary, variable, padded = 3, 0x80, 0x40
	if len(packet) == 0 {
		return b
	}
	toc, rest := packet[0], packet[1:]
	var count byte
	switch toc & 3 {
	case 0: // one frame
		count = 1
	case 1: // two of the same size
		count = 2
	case 2: // two, and the size of the first, which stands there in the same form
		count = 2 | variable
	default:
		if len(rest) == 0 || rest[0]&padded != 0 {
			return append(b, packet...)
		}
		count, rest = rest[0], rest[1:]
	}
	b = append(b, toc|arbitrary, count|padded, byte(tailLength))
	return m.append(append(b, rest...))
}

// InSample finds the mark of one sample: an Opus packet, or a picture as NAL units with four bytes of length each.
func InSample(sample []byte) (Mark, bool) {
	if len(sample) >= tailLength {
		if m, ok := parse(sample[len(sample)-tailLength:]); ok {
			return m, true
		}
	}
	for len(sample) > 4 {
		size := int(uint32(sample[0])<<24 | uint32(sample[1])<<16 | uint32(sample[2])<<8 | uint32(sample[3]))
		sample = sample[4:]
		if size <= 0 || size > len(sample) {
			return Mark{}, false
		}
		nalu := sample[:size]
		sample = sample[size:]
		const slice, idr, sei = 1, 5, 6
		switch nalu[0] & 0x1f {
		case sei:
			// Ours is the only message of its unit, but a server may have put several units' messages into one.
			if i := bytes.Index(nalu, []byte(id)); i >= 0 && len(nalu)-i >= tailLength {
				m, ok := parse(nalu[i:])
				m.Video = ok
				return m, ok
			}
		case slice, idr: // what stands before the picture has been seen
			return Mark{}, false
		}
	}
	return Mark{}, false
}
