package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%.0f s, %s, %d requests, %s, %s\n", r.URL, r.Seconds, count(len(r.Renditions), "playlist"), r.Requests, size(r.Bytes), r.Protocol)
	for i := range r.Renditions {
		b.WriteByte('\n')
		r.Renditions[i].write(&b)
	}
	b.WriteByte('\n')
	r.writeRules(&b)
	if len(r.NotChecked) > 0 {
		b.WriteString("\nnot checked:\n")
	}
	for _, line := range r.NotChecked {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	r.writeEnd(&b)
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Rendition) write(b *bytes.Buffer) {
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	line("%s (%s)", r.URI, r.Kind)
	line("  %s", strings.Join(r.media(), ", "))
	line("  %s", strings.Join(r.playlist(), ", "))
	if r.Segments.Count > 0 {
		line("  segments    %s", r.Segments)
	}
	if r.Parts.Count > 0 {
		line("  parts       %s", r.Parts)
	}
	if r.GOP.Count > 0 {
		line("  keyframes   %s", r.GOP)
	}
	if r.Arrival.Count > 0 {
		line("  updates     %s apart", r.Arrival)
	}
	if r.Latency.Count > 0 {
		line("  latency     %s from capture to listing, by EXT-X-PROGRAM-DATE-TIME and this machine's clock", r.Latency)
	}
	if r.Lost != "" {
		line("  lost        %s", r.Lost)
	}
}

// media says what is played.
func (r *Rendition) media() []string {
	list := []string{strings.Join(r.Codecs, " and ")}
	if len(r.Codecs) == 0 {
		list[0] = "unknown media"
	}
	if r.Width > 0 {
		list = append(list, fmt.Sprintf("%dx%d", r.Width, r.Height))
	}
	if r.FrameRate > 0 {
		list = append(list, fmt.Sprintf("%.2f pictures/s", r.FrameRate))
	}
	if r.Channels > 0 {
		list = append(list, count(r.Channels, "channel"))
	}
	if r.PeakBitrate > 0 {
		list = append(list, fmt.Sprintf("peak %.0f kbit/s", r.PeakBitrate/1000))
	}
	return list
}

// playlist says how it is announced.
func (r *Rendition) playlist() []string {
	list := []string{fmt.Sprintf("target duration %d s", r.TargetDuration)}
	if r.PartTarget > 0 {
		list = append(list, fmt.Sprintf("PART-TARGET %.3f s, PART-HOLD-BACK %.3f s", r.PartTarget, r.PartHoldBack))
	}
	if r.BlockingReload {
		list = append(list, "blocking reloads")
	}
	list = append(list, count(r.Versions, "version"))
	if r.Deltas > 0 {
		list = append(list, fmt.Sprintf("%d of them delta updates", r.Deltas))
	}
	if r.Discontinuities > 0 {
		list = append(list, fmt.Sprintf("discontinuities %d", r.Discontinuities))
	}
	if r.Gaps > 0 {
		list = append(list, count(r.Gaps, "gap"))
	}
	if r.Ended {
		list = append(list, "ended")
	}
	return list
}

// String is the mean with the extremes, where they differ.
func (s Spread) String() string {
	if s.Max-s.Min < 0.0005 {
		return fmt.Sprintf("%d, %.3f s", s.Count, s.Mean)
	}
	return fmt.Sprintf("%d, %.3f s (%.3f to %.3f)", s.Count, s.Mean, s.Min, s.Max)
}

// writeRules lists what was found first, and what was not seen last.
func (r *Report) writeRules(b *bytes.Buffer) {
	for _, verdict := range []string{Violated, Unwise, Held, NotSeen} {
		for _, rule := range r.Rules {
			if rule.Verdict != verdict {
				continue
			}
			shown := verdict
			if verdict == Violated {
				shown = "VIOLATED"
			}
			fmt.Fprintf(b, "%-9s %-27s %-26s %s\n", shown, rule.Name, rule.Section, rule.Says)
			if rule.Broken > 0 {
				fmt.Fprintf(b, "%10s%s%s\n", "", rule.Example, others(rule.Broken-1))
			}
		}
	}
}

func others(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; and %d more", n)
}

func (r *Report) writeEnd(b *bytes.Buffer) {
	n := map[string]int{}
	for _, rule := range r.Rules {
		n[rule.Verdict]++
	}
	b.WriteByte('\n')
	if n[Violated] > 0 {
		fmt.Fprintf(b, "%s violated; ", count(n[Violated], "rule"))
	} else {
		b.WriteString("no rule is violated; ")
	}
	if n[Unwise] > 0 {
		fmt.Fprintf(b, "%s not followed, ", count(n[Unwise], "recommendation"))
	}
	fmt.Fprintf(b, "%d held, %d not seen\n", n[Held], n[NotSeen])
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func size(n int64) string {
	if n < 10_000_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
