package publish

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// counter adds up what was sent and writes a line about it: each second over the last one on a terminal, otherwise
// every ten seconds and whenever the state changes. It is used by one goroutine.
type counter struct {
	w      io.Writer // nil: nothing is written
	redraw bool
	every  time.Duration
	now    func() time.Time

	state          string
	at             time.Duration // on the time line
	plis, obeyed   int
	bits, lastBits int64
	written        time.Time
	width          int // of the line on the terminal
}

func newCounter(w io.Writer, redraw bool) *counter {
	c := &counter{w: w, redraw: redraw, every: 10 * time.Second, now: time.Now}
	if redraw {
		c.every = time.Second
	}
	c.written = c.now()
	return c
}

// say changes the state and writes it at once.
func (c *counter) say(format string, args ...any) {
	c.state = fmt.Sprintf(format, args...)
	c.write()
}

func (c *counter) keyframe(obeyed bool) {
	c.plis++
	if obeyed {
		c.obeyed++
	}
}

// sent counts one packet of that many bytes, due at that time of the time line.
func (c *counter) sent(due time.Duration, n int) {
	c.at = max(c.at, due)
	c.bits += 8 * int64(n)
	if c.now().Sub(c.written) >= c.every {
		c.write()
	}
}

func (c *counter) write() {
	now := c.now()
	took := now.Sub(c.written)
	rate := int64(0)
	if took > 0 {
		rate = int64(float64(c.bits-c.lastBits) / took.Seconds())
	}
	c.written, c.lastBits = now, c.bits
	if c.w == nil {
		return
	}
	line := fmt.Sprintf("%s  %s", clock(c.at), c.state)
	if c.bits > 0 {
		line += fmt.Sprintf("  %d kbit/s  keyframes asked for: %d, given: %d", rate/1000, c.plis, c.obeyed)
	}
	end := "\n"
	if c.redraw {
		pad := max(0, c.width-len(line))
		c.width = len(line)
		line, end = "\r"+line+strings.Repeat(" ", pad), ""
	}
	// Progress is for a person who watches; nobody is there if it cannot be written.
	_, _ = io.WriteString(c.w, line+end)
}

// close leaves the last line standing.
func (c *counter) close() {
	c.say("ended")
	if c.w != nil && c.redraw {
		_, _ = io.WriteString(c.w, "\n")
	}
}

// clock writes a time as h:mm:ss.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
