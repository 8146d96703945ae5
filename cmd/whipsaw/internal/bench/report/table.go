package report

import (
	"fmt"
	"io"
	"strings"

	"whipsaw/cmd/whipsaw/internal/bench"
)

// WriteTable writes the report as a table in Markdown: medians, in parentheses the smallest and the largest run.
func (r *Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| work | |")
	for _, l := range r.Labels {
		b.WriteString(" " + strings.ReplaceAll(l, "|", `\|`) + " |")
	}
	if len(r.Labels) > 1 {
		b.WriteString(" ratio |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.Labels)))
	if len(r.Labels) > 1 {
		b.WriteString("---|")
	}
	b.WriteString("\n")
	for _, c := range r.Cases {
		title := Title(c.Work)
		for _, n := range c.Numbers {
			fmt.Fprintf(&b, "| %s | %s |", title, strings.TrimSuffix(n.Name+", "+n.Unit, ", "))
			for _, v := range n.Values {
				b.WriteString(" " + v.String() + " |")
			}
			if len(r.Labels) > 1 {
				b.WriteString(" " + ratio(n.Ratio) + " |")
			}
			b.WriteString("\n")
			title = ""
		}
		for i, n := range c.Void {
			if n > 0 {
				fmt.Fprintf(&b, "| %s | void, %s | %d of %d runs |\n", title, r.Labels[i], n, c.Runs[i])
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Title says in a few words what the work was.
func Title(w bench.Work) string {
	s := plural(w.Publishers, "stream")
	if w.Viewers > 0 {
		s += ", " + plural(w.Viewers, "viewer") + ", HTTP/" + w.HTTP
	}
	if w.Within > 0 {
		s += fmt.Sprintf(", part delay p99 within %.4g ms, HTTP/%s", w.Within, w.HTTP)
	}
	if w.VideoOnly {
		s += ", video only"
	}
	if w.Waiters {
		s += ", playlists only"
	}
	if w.Hints {
		s += ", hints"
	}
	return s
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func ratio(x float64) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("**%.2f**", x)
}

// String is a cell of the table.
func (s Spread) String() string {
	switch s.Runs {
	case 0:
		return ""
	case 1:
		return figure(s.Median)
	}
	return fmt.Sprintf("%s (%s - %s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// figure writes a number with about three digits.
func figure(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x >= 100 || x <= -100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10 || x <= -10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
