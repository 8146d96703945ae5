package clip

import (
	"fmt"

	"whipsaw/fmp4"
)

const (
	// maxPayload keeps packets with all their headers under 1,280 bytes, which every path carries.
	maxPayload = 1180
	// markRoom is what a mark takes in an aggregation packet, more than enough.
	markRoom = 64
)

// NAL unit types (H.264 7.4.1, RFC 6184 5.2).
const (
	naluSEI   = 6
	naluSPS   = 7
	naluAUD   = 9
	naluSTAPA = 24
	naluFUA   = 28
)

// readFrame turns sample i into payloads. Access unit delimiters and SEI of the file's encoder are left out. Before a
// picture that decoding may begin with stand the parameter sets, as RFC 6184 8.4 advises.
func readFrame(t *fmp4.Track, i int) (Frame, error) {
	sample, err := t.ReadSample(nil, i)
	if err != nil {
		return Frame{}, err
	}
	units, err := fmp4.NALUs(sample)
	if err != nil {
		return Frame{}, err
	}
	f := Frame{IDR: t.Samples[i].Sync}
	var nalus [][]byte
	inBand := false
	for _, n := range units {
		switch n[0] & 0x1f {
		case naluAUD, naluSEI:
			continue
		case naluSPS:
			inBand = true
		}
		nalus = append(nalus, n)
	}
	if f.IDR && !inBand {
		nalus = append(append(append([][]byte{}, t.SPS...), t.PPS...), nalus...)
	}
	if len(nalus) == 0 {
		return Frame{}, fmt.Errorf("%w: sample %d has no picture", ErrClip, i)
	}
	room := maxPayload - markRoom
	for len(nalus) > 0 && len(nalus[0])+2 <= room {
		room -= len(nalus[0]) + 2
		f.Small, nalus = append(f.Small, nalus[0]), nalus[1:]
	}
	for _, n := range nalus {
		f.Payloads = appendPayloads(f.Payloads, n)
	}
	return f, nil
}

// appendPayloads appends a NAL unit, alone (RFC 6184 5.6) or in fragments (5.8).
func appendPayloads(out [][]byte, nalu []byte) [][]byte {
	if len(nalu) <= maxPayload {
		return append(out, nalu)
	}
	const start, end = 0x80, 0x40
	indicator, header, rest := nalu[0]&0xe0|naluFUA, nalu[0]&0x1f|start, nalu[1:]
	for len(rest) > 0 {
		n := min(len(rest), maxPayload-2)
		if n == len(rest) {
			header |= end
		}
		out = append(out, append([]byte{indicator, header}, rest[:n]...))
		rest, header = rest[n:], header&^start
	}
	return out
}

// AppendFirst appends the payload of a frame's first packet to b: its SEI, alone or in an aggregation packet (RFC 6184
// 5.7.1) with the small NAL units of the frame, those before the picture before it.
func (f *Frame) AppendFirst(b, sei []byte) []byte {
	if len(f.Small) == 0 {
		return append(b, sei...)
	}
	importance := byte(0) // RFC 6184 5.3: the highest nal_ref_idc of those within
	for _, n := range f.Small {
		importance = max(importance, n[0]&0x60)
	}
	b = append(b, importance|naluSTAPA)
	marked := false
	for _, n := range f.Small {
		if kind := n[0] & 0x1f; !marked && (kind < naluSEI) { // H.264 7.4.1.2.3: SEI stands before the first slice
			b, marked = appendUnit(b, sei), true
		}
		b = appendUnit(b, n)
	}
	if !marked {
		b = appendUnit(b, sei)
	}
	return b
}

func appendUnit(b, nalu []byte) []byte {
	return append(append(b, byte(len(nalu)>>8), byte(len(nalu))), nalu...)
}
