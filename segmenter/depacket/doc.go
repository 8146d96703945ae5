// Package depacket turns RTP payloads back into what an encoder produced: H.264 access units (RFC 6184) and Opus packets
// with their durations (RFC 7587). One file, or a family of files with one prefix, per payload format.
//
// The packets come in sequence order, holes already declared by the caller's reorder buffer. Nothing here knows clocks,
// goroutines or sockets, nothing panics on what came from the network, and everything that is kept is bounded.
package depacket

// Packet is one RTP packet in sequence order.
type Packet struct {
	Timestamp uint32 // of the RTP header, in the payload format's clock
	Marker    bool   // of the RTP header
	Payload   []byte // without header, extensions and padding; borrowed for the call
}
