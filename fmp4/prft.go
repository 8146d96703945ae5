package fmp4

import (
	"encoding/binary"
	"time"
)

const (
	prftSize = 32
	// prftFlags say that the time is when the media was captured, on a clock that is consistent from part to part
	// (ISO/IEC 14496-12 8.16.5: 16 and 8).
	prftFlags = 24
	// ntpEpoch is 1 January 1900 in Unix seconds (RFC 5905 6).
	ntpEpoch = -2208988800
)

// TimedPart is Part with a producer reference time box before it (ISO/IEC 14496-12 8.16.5): the first sample stands for
// the moment captured. Players can measure their latency by it without a playlist.
func TimedPart(captured time.Time, sequence uint32, decodeTime uint64, samples []Sample, payload []byte) ([]byte, error) {
	if err := checkSamples(samples, len(payload)); err != nil {
		return nil, err
	}
	h := headers.Get().(*header)
	defer headers.Put(h)
	if err := h.encode(sequence, decodeTime, samples, len(payload)); err != nil {
		return nil, err
	}
	part := make([]byte, 0, prftSize+len(h.buf)+len(payload))
	part = appendReference(part, captured, decodeTime)
	part = append(part, h.buf...)
	return append(part, payload...), nil
}

func appendReference(b []byte, captured time.Time, decodeTime uint64) []byte {
	b = binary.BigEndian.AppendUint32(b, prftSize)
	b = append(b, "prft"...)
	b = binary.BigEndian.AppendUint32(b, 1<<24|prftFlags) // version 1: 64 bits of media time
	b = binary.BigEndian.AppendUint32(b, trackID)
	b = binary.BigEndian.AppendUint64(b, ntpTime(captured))
	return binary.BigEndian.AppendUint64(b, decodeTime)
}

// ntpTime is 32 bits of seconds and 32 of their fraction (RFC 5905 6); it wraps in 2036 as NTP does.
func ntpTime(t time.Time) uint64 {
	seconds := uint64(uint32(t.Unix() - ntpEpoch))
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
