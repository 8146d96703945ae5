package signaling

import (
	"encoding/binary"
	"io"
	"sync"
	"time"

	"github.com/pion/transport/v5/packetio"
)

// Bounds of what a publisher may send before it is known what it is: bytes of one source, and sources.
const (
	tapBytes = 256 << 10
	maxTaps  = 64
)

// tap is where the library puts the decrypted packets of one source: in place of a buffer that a goroutine of ours would
// read from. Once the source is known its packets go on at once, on the library's goroutine, which saves a copy and a
// change of goroutines for each.
type tap struct {
	arrived func(packet []byte) // called with every packet, before anything else

	mu      sync.Mutex
	deliver func(packet []byte) // nil until the source is known
	kept    [][]byte            // what came before that
	bytes   int
	read    int // how many of kept the library has looked at
	closed  bool
	more    chan struct{} // has a value when there is something to read or the tap is closed
	shown   time.Time     // when a packet that was taken before went through the library as well
	twice   uint16        // its sequence number, until it comes
	again   bool          // it has not come
}

func newTap(arrived func([]byte)) *tap { return &tap{arrived: arrived, more: make(chan struct{}, 1)} }

// Write takes a packet, which is the caller's again afterwards.
func (t *tap) Write(packet []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.again && len(packet) >= rtpHeader && binary.BigEndian.Uint16(packet[2:]) == t.twice {
		t.again = false
		return len(packet), nil
	}
	return t.take(packet)
}

// express takes a packet that did not come through the library, and reports whether it is to go there as well.
func (t *tap) express(packet []byte, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.take(packet)
	if err != nil || now.Sub(t.shown) < showEvery {
		return false
	}
	t.shown, t.again, t.twice = now, true, binary.BigEndian.Uint16(packet[2:])
	return true
}

// take notes a packet and lets it go on, or keeps it. The caller holds mu.
func (t *tap) take(packet []byte) (int, error) {
	t.arrived(packet)
	switch {
	case t.closed: // nobody wants it, which is no error of the connection
	case t.deliver != nil:
		t.deliver(packet)
	case t.bytes+len(packet) > tapBytes:
		return 0, packetio.ErrFull
	default:
		t.kept = append(t.kept, append([]byte(nil), packet...))
		t.bytes += len(packet)
		t.wake()
	}
	return len(packet), nil
}

// Read is for the library, which looks at the first packets of a source that was not declared. They stay here.
func (t *tap) Read(b []byte) (int, error) {
	for {
		t.mu.Lock()
		if t.closed {
			t.wake() // for whoever waits beside this one
			t.mu.Unlock()
			return 0, io.EOF
		}
		if t.read < len(t.kept) {
			packet := t.kept[t.read]
			t.read++
			t.mu.Unlock()
			if len(packet) > len(b) {
				return 0, io.ErrShortBuffer
			}
			return copy(b, packet), nil
		}
		t.mu.Unlock()
		<-t.more
	}
}

// Close ends it: nothing is delivered any more when it returns.
func (t *tap) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.wake()
	return nil
}

// open says where the packets go from now on, those that came before at once. deliver may change a packet, not keep it.
func (t *tap) open(deliver func(packet []byte)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	for _, packet := range t.kept {
		deliver(packet)
	}
	t.deliver, t.kept, t.bytes, t.read = deliver, nil, 0, 0
}

// wake lets a reader look again. The caller holds mu.
func (t *tap) wake() {
	select {
	case t.more <- struct{}{}:
	default:
	}
}

// controlBytes bounds the RTCP of one source that waits to be read.
const controlBytes = 100_000

// controlBuffer is the library's own buffer, for RTCP.
type controlBuffer struct{ *packetio.Buffer }

func newControlBuffer() controlBuffer {
	b := packetio.NewBuffer()
	b.SetLimitSize(controlBytes)
	return controlBuffer{b}
}

func (b controlBuffer) Read(p []byte) (int, error) {
	n, _, err := b.Buffer.Read(p, nil)
	return n, err
}

func (b controlBuffer) Write(p []byte) (int, error) { return b.Buffer.Write(p, nil) }

// buffer is the library's SettingEngine.BufferFactory for one peer: called once for each source of RTP, and once for its
// RTCP.
func (p *peer) buffer(kind packetio.BufferPacketType, ssrc uint32) io.ReadWriteCloser {
	if kind != packetio.RTPBufferPacket {
		return newControlBuffer()
	}
	t := newTap(p.transport.note)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.taps) >= maxTaps {
		t.closed = true // nobody asks for it
		return t
	}
	p.taps[ssrc] = t
	return t
}

// source returns the tap of a source, or nil.
func (p *peer) source(ssrc uint32) *tap {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taps[ssrc]
}
