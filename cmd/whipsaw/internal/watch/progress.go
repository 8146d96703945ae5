package watch

import (
	"fmt"
	"io"
	"time"

	"whipsaw/segmenter/check"
)

// progress is a line on a terminal that is written over once a second.
type progress struct {
	s     *session
	began time.Time
	to    io.Writer // nil: nowhere
}

func newProgress(s *session) *progress {
	return &progress{s: s, began: time.Now(), to: s.opts.Progress}
}

func (p *progress) draw() {
	if p.to == nil {
		return
	}
	p.s.mu.Lock()
	violated := 0
	var all check.Tally
	for _, f := range p.s.renditions {
		t := f.check.Tally()
		all.Add(&t)
	}
	for _, r := range check.Rules() {
		if verdict(r, all[r], p.s.opts.Strict) == Violated {
			violated++
		}
	}
	p.s.mu.Unlock()
	p.write(fmt.Sprintf("%.0f of %.0f s, %s, %d requests, %s, %s violated", time.Since(p.began).Seconds(), p.s.opts.For.Seconds(),
		count(len(p.s.renditions), "playlist"), p.s.client.requests.Load(), size(p.s.client.bytes.Load()), count(violated, "rule")))
}

// clear takes the line away.
func (p *progress) clear() {
	if p.to != nil {
		p.write("")
	}
}

// write replaces the line: back to its beginning, and what is left of the old one is erased.
func (p *progress) write(line string) {
	// A terminal that cannot be written to is of no importance.
	_, _ = io.WriteString(p.to, "\r"+line+"\x1b[K")
}
