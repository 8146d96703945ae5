package signaling

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"whipsaw/segmenter"
)

// rembFeedback is what SDP calls it.
const rembFeedback = "goog-remb"

// Bounds of what is told, in bit/s. The first is what encoders begin with that wait to be told.
const (
	rembStart = 1_000_000
	rembLeast = 150_000
	rembMost  = 50_000_000
)

// bandwidth tells a publisher, by REMB (draft-alvestrand-rmcat-remb), how much it may send. It is for those who know
// nothing better, like aiortc, whose encoder stays at its first bit rate otherwise; browsers find out for themselves by
// transport-wide feedback. It has one owner, the goroutine that sends feedback.
type bandwidth struct {
	in      *inlet
	sender  uint32
	bitrate float64
	lossy   bool    // packets were lost once: from then on it grows slowly
	most    float64 // that the stream takes; 0: as much as rembMost
	last    arrivals
}

// bandwidth returns what watches the video of an offer, or nil where nobody wants to be told.
func (p *peer) bandwidth(o *offer, sender uint32) *bandwidth {
	for _, s := range o.sections {
		if s.kind == segmenter.Video && slices.Contains(s.feedback, rembFeedback) {
			return &bandwidth{in: p.inlets[s.kind], sender: sender, bitrate: rembStart, most: float64(videoShare(o, o.most))}
		}
	}
	return nil
}

// message is what to tell after that much time; nil before the first packet.
func (b *bandwidth) message(passed time.Duration) rtcp.Packet {
	media, now := b.in.ssrc.Load(), b.in.arrived.load()
	since := arrivals{now.bytes - b.last.bytes, now.came - b.last.came, now.sent - b.last.sent}
	b.last = now
	if media == 0 || now.came == 0 || passed <= 0 {
		return nil
	}
	b.update(since, passed)
	told := b.bitrate
	if b.most > 0 {
		told = min(told, b.most)
	}
	return &rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: b.sender, Bitrate: float32(told), SSRCs: []uint32{media}}
}

// update follows the loss (draft-ietf-rmcat-gcc 6): more than a tenth of the packets, and it falls by half of that share;
// under a fiftieth, and it rises. It does not rise beyond twice what really comes: nobody knows whether that would get
// through.
func (b *bandwidth) update(a arrivals, passed time.Duration) {
	rate, loss := float64(a.bytes)*8/passed.Seconds(), 0.0
	if a.sent > a.came {
		loss = float64(a.sent-a.came) / float64(a.sent)
	}
	switch {
	case loss > 0.1:
		b.lossy = true
		b.bitrate = max(min(b.bitrate, rate/(1-loss))*(1-loss/2), rembLeast)
	case loss > 0.02:
		b.lossy = true
	default:
		growth := 2.0
		if b.lossy {
			growth = 1.08
		}
		b.bitrate = max(b.bitrate, min(b.bitrate*growth, max(2*rate, rembStart), rembMost))
	}
}

// arrivals counts packets of one track.
type arrivals struct {
	bytes uint64
	came  uint64 // in order, or after a gap: not those that were sent once more
	sent  uint64 // as far as sequence numbers tell
}

// arrivalCounter is written by the goroutine that reads a track, and read by others.
type arrivalCounter struct{ bytes, came, sent atomic.Uint64 }

func (c *arrivalCounter) load() arrivals {
	return arrivals{c.bytes.Load(), c.came.Load(), c.sent.Load()}
}

// maxGap is the longest gap in sequence numbers that counts as loss; what is longer is a sender that began anew.
const maxGap = 3000

// note counts a packet of n bytes, and returns the highest sequence number so far. first says that there was none before.
func (c *arrivalCounter) note(n int, sequence, highest uint16, first bool) uint16 {
	c.bytes.Add(uint64(n))
	step := sequence - highest
	if !first && (step == 0 || step >= 1<<15) {
		return highest
	}
	if first || step > maxGap {
		step = 1
	}
	c.came.Add(1)
	c.sent.Add(uint64(step))
	return sequence
}
