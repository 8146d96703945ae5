package depacket

import (
	"errors"
	"fmt"
)

// ErrOpus is wrapped by every error about an Opus packet that no decoder may take (RFC 6716 3.4).
var ErrOpus = errors.New("depacket: not an Opus packet")

const (
	opusMaxSamples = 5760 // 120 ms at 48 kHz (RFC 6716 3.4, R5)
	opusMaxFrame   = 1275 // bytes (RFC 6716 3.4, R2)
	opusShortest   = 120  // samples of the shortest frame, 2.5 ms
	opusMaxCount   = opusMaxSamples / opusShortest
)

// OpusDuration returns how long a packet plays, in samples at 48 kHz: 120 (2.5 ms) to 5760 (120 ms). A payload of RFC 7587
// is exactly one packet. Frames without content (DTX: the TOC byte alone) are as long as any. The error wraps ErrOpus for
// a packet that breaks a requirement of RFC 6716 3.4: empty, cut short, or longer than 120 ms.
func OpusDuration(payload []byte) (samples int, err error) {
	if len(payload) == 0 {
		return 0, fmt.Errorf("%w: empty", ErrOpus) // R1
	}
	rest := payload[1:]
	count := 1
	switch payload[0] & 3 { // RFC 6716 3.2
	case 0:
		err = opusFrame(len(rest))
	case 1:
		count, err = 2, opusEqualFrames(len(rest), 2)
	case 2:
		count, err = 2, opusTwoFrames(rest)
	case 3:
		count, err = opusManyFrames(rest)
	}
	if err != nil {
		return 0, err
	}
	samples = count * opusFrameSamples(payload[0])
	if samples > opusMaxSamples {
		return 0, fmt.Errorf("%w: %d samples", ErrOpus, samples) // R5
	}
	return samples, nil
}

// OpusChannels returns 2 when the packet is coded as stereo, else 1; 0 when it is empty. It may change from packet to packet and
// does not bind the decoder's output (RFC 7587 3.4).
func OpusChannels(payload []byte) int {
	switch {
	case len(payload) == 0:
		return 0
	case payload[0]&4 != 0: // RFC 6716 3.1
		return 2
	}
	return 1
}

// OpusSilence makes a packet that decodes to silence for that many samples at 48 kHz: any multiple of 120 (2.5 ms) up to
// 5760 (120 ms), so every duration that OpusDuration returns; nil for another number. Stereo if channels is 2.
//
// It is made of full-band CELT frames whose content is the silence flag (RFC 6716 4.3). A TOC byte without content would tell the
// decoder to conceal a loss: to go on with the sound before.
func OpusSilence(samples, channels int) []byte {
	if samples <= 0 || samples > opusMaxSamples || samples%opusShortest != 0 {
		return nil
	}
	const fullBand = 28 // configurations 28 to 31: CELT, 2.5, 5, 10, 20 ms
	size := 3
	for samples%(opusShortest<<size) != 0 {
		size--
	}
	count := samples / (opusShortest << size)
	toc := byte(fullBand+size) << 3
	if channels == 2 {
		toc |= 4
	}
	packet := make([]byte, 0, 2+2*count)
	if count == 1 {
		packet = append(packet, toc)
	} else {
		packet = append(packet, toc|3, byte(count))
	}
	for range count {
		packet = append(packet, 0xff, 0xfe)
	}
	return packet
}

// opusFrameSamples is the length of one frame by its configuration (RFC 6716 table 2).
func opusFrameSamples(toc byte) int {
	const silk60 = 2880
	switch config := toc >> 3; {
	case config >= 16: // CELT: 2.5, 5, 10, 20 ms
		return opusShortest << (config & 3)
	case config >= 12: // hybrid: 10, 20 ms
		return 480 << (config & 1)
	case config&3 == 3: // SILK: 10, 20, 40, 60 ms
		return silk60
	default:
		return 480 << (config & 3)
	}
}

func opusFrame(n int) error {
	if n > opusMaxFrame {
		return fmt.Errorf("%w: a frame of %d bytes", ErrOpus, n) // R2
	}
	return nil
}

func opusEqualFrames(n, count int) error {
	if n%count != 0 {
		return fmt.Errorf("%w: %d bytes for %d equal frames", ErrOpus, n, count) // R3, R6
	}
	return opusFrame(n / count)
}

// opusTwoFrames checks code 2: the length of the first frame, two frames (RFC 6716 3.2.4).
func opusTwoFrames(b []byte) error {
	n, used := opusLength(b)
	if used == 0 || n > len(b)-used {
		return fmt.Errorf("%w: two frames cut short", ErrOpus) // R4
	}
	return opusFrame(len(b) - used - n)
}

// opusManyFrames checks code 3 and returns its number of frames (RFC 6716 3.2.5).
func opusManyFrames(b []byte) (count int, err error) {
	if len(b) == 0 {
		return 0, fmt.Errorf("%w: no frame count", ErrOpus) // R6, R7
	}
	const variable, padded = 0x80, 0x40
	head := b[0]
	b = b[1:]
	if count = int(head & 0x3f); count == 0 || count > opusMaxCount {
		return 0, fmt.Errorf("%w: %d frames", ErrOpus, count) // R5
	}
	if head&padded != 0 {
		if b, err = opusUnpad(b); err != nil {
			return 0, err
		}
	}
	if head&variable == 0 {
		return count, opusEqualFrames(len(b), count)
	}
	sum := 0
	for range count - 1 {
		n, used := opusLength(b)
		if used == 0 {
			return 0, fmt.Errorf("%w: frame lengths cut short", ErrOpus) // R7
		}
		b = b[used:]
		sum += n
	}
	if sum > len(b) {
		return 0, fmt.Errorf("%w: frames of %d bytes in %d", ErrOpus, sum, len(b)) // R7
	}
	return count, opusFrame(len(b) - sum)
}

// opusUnpad takes padding and its length off.
func opusUnpad(b []byte) ([]byte, error) {
	padding := 0
	for {
		if len(b) == 0 {
			return nil, fmt.Errorf("%w: padding cut short", ErrOpus) // R6, R7
		}
		n := int(b[0])
		b = b[1:]
		if n < 255 {
			padding += n
			break
		}
		padding += 254
	}
	if padding > len(b) {
		return nil, fmt.Errorf("%w: %d bytes of padding in %d", ErrOpus, padding, len(b)) // R6, R7
	}
	return b[:len(b)-padding], nil
}

// opusLength reads the length of a frame and how many bytes it is coded in, 0 when they are not there (RFC 6716 3.2.1).
func opusLength(b []byte) (n, used int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 252:
		return int(b[0]), 1
	case len(b) == 1:
		return 0, 0
	}
	return int(b[1])*4 + int(b[0]), 2
}
