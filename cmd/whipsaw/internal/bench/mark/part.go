package mark

import "encoding/binary"

// InPart finds the mark of the last sample of a part (ISO/IEC 14496-12: moof and mdat, one or several of them, with one
// track or several muxed): the one that was sent last, if there are more. Everything else in the part is passed over.
func InPart(part []byte) (Mark, bool) {
	var found Mark
	ok := false
	for rest, moof := part, []byte(nil); ; {
		b, after, valid := cutBox(rest)
		if !valid {
			return found, ok
		}
		switch b.kind {
		case "moof":
			moof = rest
			for traf := range children(b.body, "traf") {
				sample, there := lastSample(moof, traf)
				if !there {
					continue
				}
				if m, marked := InSample(sample); marked && (!ok || m.Sent.After(found.Sent)) {
					found, ok = m, true
				}
			}
		}
		rest = after
	}
}

// box is one box of a file: what stands behind its header.
type box struct {
	kind string
	body []byte
}

// cutBox takes the first box off b; one that is larger than b is none.
func cutBox(b []byte) (first box, rest []byte, ok bool) {
	if len(b) < 8 {
		return box{}, nil, false
	}
	size, header := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	switch size {
	case 0: // to the end
		size = uint64(len(b))
	case 1:
		if len(b) < 16 {
			return box{}, nil, false
		}
		size, header = binary.BigEndian.Uint64(b[8:]), 16
	}
	if size < header || size > uint64(len(b)) {
		return box{}, nil, false
	}
	return box{string(b[4:8]), b[header:size]}, b[size:], true
}

// children yields the bodies of the boxes of one kind.
func children(b []byte, kind string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for {
			first, rest, ok := cutBox(b)
			if !ok || first.kind == kind && !yield(first.body) {
				return
			}
			b = rest
		}
	}
}

// fields reads big-endian numbers from the front; past the end it gives zeros and is bad.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) u32() uint32 {
	if len(f.b) < 4 {
		f.b, f.bad = nil, true
		return 0
	}
	n := binary.BigEndian.Uint32(f.b)
	f.b = f.b[4:]
	return n
}

// skip passes over a 32-bit field if a flag says that it is there.
func (f *fields) skip(present bool) {
	if present {
		f.u32()
	}
}

// lastSample returns the bytes of the last sample of a traf; moof is where its moof box begins, from which offsets count.
func lastSample(moof, traf []byte) ([]byte, bool) {
	var usual uint32
	for tfhd := range children(traf, "tfhd") { // ISO/IEC 14496-12 8.8.7
		f := fields{b: tfhd}
		flags := f.u32() & 0xffffff
		f.u32() // the track's ID
		f.skip(flags&0x01 != 0)
		f.skip(flags&0x01 != 0)
		f.skip(flags&0x02 != 0)
		f.skip(flags&0x08 != 0)
		if flags&0x10 != 0 {
			usual = f.u32()
		}
	}
	var sample []byte
	found := false
	for trun := range children(traf, "trun") {
		if s, ok := lastOfRun(moof, trun, usual); ok {
			sample, found = s, true
		}
	}
	return sample, found
}

// lastOfRun is lastSample for one trun (ISO/IEC 14496-12 8.8.8); usual is the size of samples without one of their own.
func lastOfRun(moof, trun []byte, usual uint32) ([]byte, bool) {
	f := fields{b: trun}
	flags, count := f.u32()&0xffffff, f.u32()
	offset := uint64(0)
	if flags&0x01 != 0 {
		offset = uint64(f.u32())
	}
	f.skip(flags&0x04 != 0)
	size := usual
	for i := range count {
		if f.bad {
			return nil, false
		}
		f.skip(flags&0x100 != 0)
		if flags&0x200 != 0 {
			size = f.u32()
		} else if flags&0xf00 == 0 { // nothing to read: all samples are the same
			offset += uint64(count-1-i) * uint64(size)
			break
		}
		f.skip(flags&0x400 != 0)
		f.skip(flags&0x800 != 0)
		if i < count-1 {
			offset += uint64(size)
		}
	}
	end := offset + uint64(size)
	if f.bad || count == 0 || flags&0x01 == 0 || end > uint64(len(moof)) {
		return nil, false
	}
	return moof[offset:end], true
}
