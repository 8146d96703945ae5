package signaling

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
)

// transportEvery is how often a publisher is told what has arrived when: browsers find out by that what the network
// carries, and stay at a low bit rate without it.
const transportEvery = 100 * time.Millisecond

// transportWide notes the arrival of all packets of a peer by their transport-wide sequence numbers
// (draft-holmer-rmcat-transport-wide-cc-extensions 2). It is nil where they were not offered.
type transportWide struct {
	id    int // of the header extension
	began time.Time

	mu       sync.Mutex
	recorder *twcc.Recorder
}

func newTransportWide(o *offer, sender uint32) *transportWide {
	for e := range o.extensions() {
		if e.uri == sdp.TransportCCURI {
			return &transportWide{id: e.id, began: time.Now(), recorder: twcc.NewRecorder(sender)}
		}
	}
	return nil
}

// note takes a packet into account.
func (t *transportWide) note(packet []byte) {
	if t == nil {
		return
	}
	number := headerExtension(packet, t.id)
	if len(number) < 2 {
		return
	}
	arrival := time.Since(t.began).Microseconds()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recorder.Record(binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(number), arrival)
}

// report is what has arrived since the last one.
func (t *transportWide) report() []rtcp.Packet {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.recorder.PacketsHeld() == 0 {
		return nil
	}
	return t.recorder.BuildFeedbackPacket()
}
