// Package logbook stands between the log and its output: it keeps the last lines of each stream for bug reports, and holds
// back what repeats itself.
package logbook

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxStreams = 1000 // whose lines are kept; the one that was silent for longest is forgotten first
	maxLines   = 100  // of one stream
	maxLine    = 1000 // bytes of one line

	burst      = 10          // the same line about the same stream, at info level and above,
	burstTime  = time.Minute // in this time; what comes beyond it is counted
	maxRepeats = 4096        // lines that are told apart
)

// Line is one that was logged.
type Line struct {
	At    time.Time `json:"at"`
	Level string    `json:"level"`
	Text  string    `json:"text"` // message and attributes
}

// Book is a slog.Handler.
type Book struct {
	next   slog.Handler
	attrs  []slog.Attr
	prefix string // of groups
	stream string
	*pages
}

// pages is what all handlers that were made of one Book share.
type pages struct {
	now func() time.Time

	mu      sync.Mutex
	streams map[string]*page
	repeats map[repeat]*count
	clock   uint64
}

type page struct {
	lines []Line // the newest last
	used  uint64
}

type repeat struct {
	level           slog.Level
	message, stream string
}

type count struct {
	began      time.Time
	n, skipped int
}

// New returns a Book that hands on what is logged to a handler.
func New(next slog.Handler) *Book {
	return &Book{next: next, pages: &pages{now: time.Now, streams: map[string]*page{}, repeats: map[repeat]*count{}}}
}

// Enabled says whether a level is logged (slog.Handler).
func (b *Book) Enabled(ctx context.Context, level slog.Level) bool { return b.next.Enabled(ctx, level) }

// WithAttrs is part of slog.Handler.
func (b *Book) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *b
	c.next = b.next.WithAttrs(attrs)
	c.attrs = slices.Clip(b.attrs)
	for _, a := range attrs {
		if a.Key == "stream" && b.prefix == "" {
			c.stream = a.Value.Resolve().String()
			continue
		}
		a.Key = b.prefix + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

// WithGroup is part of slog.Handler.
func (b *Book) WithGroup(name string) slog.Handler {
	c := *b
	c.next = b.next.WithGroup(name)
	if name != "" {
		c.prefix += name + "."
	}
	return &c
}

// Handle keeps a record, if it is about a stream, and hands it on, unless it came too often (slog.Handler).
func (b *Book) Handle(ctx context.Context, r slog.Record) error {
	stream := b.stream
	if stream == "" && b.prefix == "" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "stream" {
				stream = a.Value.Resolve().String()
			}
			return stream == ""
		})
	}
	skipped, pass := b.pass(repeat{r.Level, r.Message, stream})
	if !pass {
		return nil
	}
	if skipped > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("repeats_left_out", skipped))
	}
	if stream != "" {
		b.keep(stream, Line{At: r.Time, Level: r.Level.String(), Text: b.text(r)})
	}
	return b.next.Handle(ctx, r)
}

// pass decides whether a line is logged, and how many like it were left out since the last one.
func (p *pages) pass(key repeat) (skipped int, pass bool) {
	if key.level < slog.LevelInfo {
		return 0, true // who asks for debug wants all
	}
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.repeats[key]
	if c == nil {
		p.room(now)
		c = &count{began: now}
		p.repeats[key] = c
	}
	if now.Sub(c.began) >= burstTime {
		skipped = c.skipped
		*c = count{began: now}
	}
	if c.n >= burst {
		c.skipped++
		return 0, false
	}
	c.n++
	return skipped, true
}

// room forgets lines that did not come for a while, or any one if there is none.
func (p *pages) room(now time.Time) {
	if len(p.repeats) < maxRepeats {
		return
	}
	for k, c := range p.repeats {
		if now.Sub(c.began) >= burstTime && c.skipped == 0 {
			delete(p.repeats, k)
		}
	}
	for k := range p.repeats {
		if len(p.repeats) < maxRepeats {
			return
		}
		delete(p.repeats, k)
	}
}

// text writes a record in one line, without time, level and stream.
func (b *Book) text(r slog.Record) string {
	var s strings.Builder
	s.WriteString(r.Message)
	for _, a := range b.attrs {
		write(&s, a)
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stream" && b.prefix == "" {
			return true
		}
		a.Key = b.prefix + a.Key
		write(&s, a)
		return s.Len() < maxLine
	})
	out := s.String()
	if len(out) > maxLine {
		out = strings.ToValidUTF8(out[:maxLine], "") + "..."
	}
	return out
}

func write(s *strings.Builder, a slog.Attr) {
	s.WriteByte(' ')
	s.WriteString(a.Key)
	s.WriteByte('=')
	s.WriteString(a.Value.Resolve().String())
}

func (p *pages) keep(stream string, l Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.streams[stream]
	if g == nil {
		if len(p.streams) >= maxStreams {
			p.forgetOldest()
		}
		g = &page{}
		p.streams[stream] = g
	}
	p.clock++
	g.used = p.clock
	if len(g.lines) == maxLines {
		g.lines = slices.Delete(g.lines, 0, 1)
	}
	g.lines = append(g.lines, l)
}

func (p *pages) forgetOldest() {
	name, oldest := "", uint64(0)
	for n, g := range p.streams {
		if name == "" || g.used < oldest {
			name, oldest = n, g.used
		}
	}
	delete(p.streams, name)
}

// Lines are the last ones about a stream, the oldest first; never null.
func (p *pages) Lines(stream string) []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.streams[stream]; g != nil {
		return slices.Clone(g.lines)
	}
	return []Line{}
}
