package signaling

import "encoding/binary"

// rtpHeader is the length of an RTP header without sources and extensions (RFC 3550 5.1).
const rtpHeader = 12

// headerLength is where the payload of an RTP packet begins, and 0 for one that is shorter than its header says.
func headerLength(packet []byte) int {
	if len(packet) < rtpHeader {
		return 0
	}
	n := rtpHeader + 4*int(packet[0]&0x0f) // RFC 3550 5.1: CSRC count
	if packet[0]&0x10 != 0 {
		if len(packet) < n+4 {
			return 0
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(packet[n+2:])) // RFC 3550 5.3.1
	}
	if n > len(packet) {
		return 0
	}
	return n
}

// headerExtension returns the element id of an RTP packet's header extension, a view of it, or nil. Both forms are read
// (RFC 8285 4.2 and 4.3), whichever was offered: elements of one byte's header and of two.
func headerExtension(packet []byte, id int) []byte {
	end := headerLength(packet)
	start := rtpHeader
	if end > 0 {
		start += 4 * int(packet[0]&0x0f)
	}
	if end == 0 || packet[0]&0x10 == 0 {
		return nil
	}
	profile, rest := binary.BigEndian.Uint16(packet[start:]), packet[start+4:end]
	short := profile == 0xbede
	if !short && profile&0xfff0 != 0x1000 {
		return nil
	}
	for len(rest) > 0 {
		if rest[0] == 0 { // padding
			rest = rest[1:]
			continue
		}
		found, length, header := int(rest[0]>>4), int(rest[0]&0x0f)+1, 1
		if !short {
			if len(rest) < 2 {
				return nil
			}
			found, length, header = int(rest[0]), int(rest[1]), 2
		}
		// RFC 8285 4.2: 15 ends the reading
		if short && found == 15 || len(rest) < header+length {
			return nil
		}
		if found == id {
			return rest[header : header+length]
		}
		rest = rest[header+length:]
	}
	return nil
}

// original turns a retransmission into the packet that was lost, in place (RFC 4588 4): its own sequence number is the
// first two bytes of the payload. It returns nil for what carries none, as padding that probes the path.
func original(packet []byte, pt uint8, ssrc uint32) []byte {
	header := headerLength(packet)
	if header == 0 {
		return nil
	}
	padding := 0
	if packet[0]&0x20 != 0 {
		padding = int(packet[len(packet)-1])
	}
	if len(packet)-header-padding < 2 {
		return nil
	}
	sequence := binary.BigEndian.Uint16(packet[header:])
	copy(packet[2:], packet[:header])
	packet = packet[2:]
	packet[1] = packet[1]&0x80 | pt
	binary.BigEndian.PutUint16(packet[2:], sequence)
	binary.BigEndian.PutUint32(packet[8:], ssrc)
	return packet
}
