package depacket

// trustAfter is how many units in a row a sender's marker bit must have ended before it is believed.
const trustAfter = 30

// markerTrust learns whether a sender sets the marker bit on the last packet of an access unit and on no other (RFC 6184
// 5.1 asks for it; some senders set it on every packet, some never).
type markerTrust struct {
	agreed  int  // units in a row
	suspect bool // once set in the middle: a unit of one packet proves nothing from then on
}

func (m *markerTrust) trusted() bool { return m.agreed >= trustAfter }

// middle: a packet with the same timestamp followed one with a marker.
func (m *markerTrust) middle() { m.agreed, m.suspect = 0, true }

// end: the timestamp changed after a unit of so many packets, all there, the last one with a marker or without.
func (m *markerTrust) end(marked bool, packets int) {
	switch {
	case !marked:
		m.agreed = 0
	case packets > 1 || !m.suspect:
		m.agreed = min(m.agreed+1, trustAfter)
	}
}
