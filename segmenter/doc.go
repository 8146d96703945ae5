// Package segmenter turns the RTP packets of live publishers into the immutable parts and playlists of low-latency HLS.
//
// # The journey of a packet
//
// Signaling hands a decrypted packet to [Track.WriteRTP], which copies it into the stream's inbox. From there on one
// goroutine, the stream's owner, does all: reorder puts the packets in sequence and asks for what is missing; package
// depacket makes access units of them; timeline lays these on the stream's time line; videoWriter and audioWriter give
// them durations and decide, by the rules in cut, where parts and segments end; builder boxes them with package fmp4 and
// publishes a new [Snapshot] of the [Rendition].
//
// Readers never meet the owner: they load a Snapshot, or wait for a newer one, and everything in it is immutable. A
// playlist is rendered by its first reader, once.
//
// # Words
//
// A [Stream] is a channel that publishers come to and go from. A [Generation] is one run of its playlists, from the first
// segment to EXT-X-ENDLIST. An epoch is one publisher's time line inside a generation; it begins with
// EXT-X-DISCONTINUITY.
//
// # Time and units
//
// Server time is a duration since the registry was made. Stream time is a duration since a generation's start; lead is
// stream time minus server time. Ticks are media time: 90 kHz for video, 48 kHz for audio.
//
// # What is dropped when there is too much
//
// The inbox holds 8 MiB; packets beyond it are dropped, counted, and repaired or concealed like any loss. An access unit
// over Config.MaxAccessUnit ends its publisher.
package segmenter
