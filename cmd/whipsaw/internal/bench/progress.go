package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/watch"
)

// bar is the line about the progress: each half second over the last one on a terminal, otherwise every ten seconds and
// when a phase begins. It is used by one goroutine.
type bar struct {
	w       io.Writer // nil: nothing is written
	redraw  bool
	length  time.Duration // of the whole run
	begun   time.Time
	phase   string
	written time.Time
	width   int   // of the line on the terminal
	asked   int64 // requests up to the last line
	askedAt time.Time
}

func newBar(w io.Writer, redraw bool, length time.Duration) *bar {
	now := time.Now()
	return &bar{w: w, redraw: redraw, length: length, begun: now, askedAt: now}
}

// say begins a phase.
func (b *bar) say(phase string) {
	b.phase = phase
	b.written = time.Time{}
}

// cells is how wide the bar is.
const cells = 20

func (b *bar) draw(m *meter, seen *watch.Result) {
	now := time.Now()
	quiet := 10 * time.Second
	if b.redraw {
		quiet = every / 2
	}
	if b.w == nil || now.Sub(b.written) < quiet {
		return
	}
	b.written = now
	done := min(float64(now.Sub(b.begun))/float64(b.length+1), 1)
	line := fmt.Sprintf("[%-*s] %3.0f s  %s", cells, strings.Repeat("#", int(done*cells)), now.Sub(b.begun).Seconds(), b.phase)
	if m.pid != 0 {
		line += fmt.Sprintf("  server %.0f %% of a core, %.0f MB", 100*m.rate[theServer], float64(m.last[theServer].RSS)/1e6)
	}
	line += fmt.Sprintf("  bench %.0f %%", 100*m.rate[theBench])
	if seen != nil && seen.Requests > 0 {
		rate := float64(max(seen.Requests-b.asked, 0)) / max(now.Sub(b.askedAt).Seconds(), 0.001)
		line += fmt.Sprintf("  %.0f requests/s  stalls %d  errors %d", rate, seen.Stalls, total(seen.Errors))
		b.asked, b.askedAt = seen.Requests, now
	}
	b.write(line)
}

func total(counts map[string]int64) int64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	return n
}

func (b *bar) write(line string) {
	end := "\n"
	if b.redraw {
		pad := max(0, b.width-len(line))
		b.width = len(line)
		line, end = "\r"+line+strings.Repeat(" ", pad), ""
	}
	// Progress is for a person who watches; nobody is there if it cannot be written.
	_, _ = io.WriteString(b.w, line+end)
}

// close takes the line away: the table comes in its place.
func (b *bar) close() {
	if b.w != nil && b.redraw && b.width > 0 {
		_, _ = io.WriteString(b.w, "\r"+strings.Repeat(" ", b.width)+"\r")
	}
}
