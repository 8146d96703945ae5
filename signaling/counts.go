package signaling

import (
	"maps"
	"sync"

	"whipsaw/segmenter"
)

// Counts is what a server has counted since its start.
type Counts struct {
	Ended   map[segmenter.Reason]int64 // sessions that ended, by why; every reason there is, from 0
	Refused map[string]int64           // POSTs that made no session, by the kind of problem; every kind there is, from 0
}

// counters are the server's own, living copy of Counts.
type counters struct {
	mu sync.Mutex
	Counts
}

func newCounters() *counters {
	c := &counters{Counts: Counts{Ended: map[segmenter.Reason]int64{}, Refused: map[string]int64{}}}
	for _, r := range endReasons {
		c.Ended[r] = 0
	}
	for _, p := range postProblems {
		c.Refused[p.kind] = 0
	}
	return c
}

func (c *counters) ended(r segmenter.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Ended[r]++
}

func (c *counters) refused(p *problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Refused[p.kind]++
}

// Counts returns a copy of what has been counted.
func (s *Server) Counts() Counts {
	c := s.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Ended: maps.Clone(c.Ended), Refused: maps.Clone(c.Refused)}
}

// endReasons are all with which a session can end.
var endReasons = []segmenter.Reason{
	segmenter.ReasonDeleted, segmenter.ReasonPeerClosed, segmenter.ReasonICEFailed, segmenter.ReasonNotConnected,
	segmenter.ReasonShutdown, segmenter.ReasonKicked, segmenter.ReasonReplaced, segmenter.ReasonNoMedia,
	segmenter.ReasonNoParameters, segmenter.ReasonNoRandomAccess, segmenter.ReasonSilent, segmenter.ReasonTooLarge, segmenter.ReasonTooFast,
	segmenter.ReasonInternal,
}

// postProblems are all with which a POST can be refused.
var postProblems = []problem{
	probSyntax, probUnauthorized, probForbidden, probUndecided, probOrigin, probBlocked, probStream, probBusy, probTooLarge, probType, probRate, probSlow, probInternal,
	probFull, probCrowded, probMemory, probClosing, probCodec, probCodecRule, probDirection, probSections, probSimulcast, probTransport,
}
