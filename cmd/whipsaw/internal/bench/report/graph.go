package report

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"

	"whipsaw/cmd/whipsaw/internal/bench"
)

// The size of the picture, and of the room around each of its panels, in pixels.
const (
	panelWidth, panelHeight  = 380, 300
	left, right, top, bottom = 58, 14, 46, 44
	legendHeight             = 30
	gridLines                = 5
	fontStyle                = `font-family="system-ui, sans-serif" font-size="12"`
)

// colours are of the labels in their order: told apart on light and dark pages, and by those who see few colours.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// series is what one panel shows of one label.
type series struct {
	label  string
	points []point
}

// point is the median of some runs, and how far they lie apart.
type point struct {
	x, y, low, high float64
}

// panel is one diagram.
type panel struct {
	title, x string
	log      bool   // decades of the same height, for what differs by far
	guide    string // name of a dashed line at 1000, where there is room for it; empty: none
	series   []series
}

// oneCore is what 1000 ms of CPU a second are.
const oneCore = "one core"

// WriteSVG draws how the server's CPU grows with streams and with viewers.
func WriteSVG(w io.Writer, results []*bench.Result) error {
	panels := []panel{
		{title: "CPU of the server, ms per second", x: "streams, no viewers", guide: oneCore, series: collect(results, func(r *bench.Result) (x, y float64, ok bool) {
			if r.Server == nil || !ingestOnly(r) {
				return 0, 0, false
			}
			return float64(r.Work.Publishers), r.Server.IngestCPU, true
		})},
		{title: "CPU of the server, ms per second", x: "viewers of one stream", guide: oneCore, series: collect(results, func(r *bench.Result) (x, y float64, ok bool) {
			if r.Server == nil || r.Watch == nil || r.Work.Publishers != 1 || !usual(r.Work) {
				return 0, 0, false
			}
			return float64(r.Work.Viewers), r.Server.WatchCPU, true
		})},
		{title: "part delay p99, ms (logarithmic)", x: "viewers of one stream", log: true, series: collect(results, func(r *bench.Result) (x, y float64, ok bool) {
			if r.Watch == nil || r.Work.Publishers != 1 || !usual(r.Work) {
				return 0, 0, false
			}
			return float64(r.Work.Viewers), r.Watch.Part.P99, true
		})},
	}
	panels = slices.DeleteFunc(panels, func(p panel) bool { return len(p.series) == 0 })
	if len(panels) == 0 {
		return fmt.Errorf("%w: nothing to draw: they need a server's CPU (--pid)", ErrResults)
	}
	return draw(w, panels, labels(results))
}

// usual reports whether viewers do what the viewers of a graph do.
func usual(w bench.Work) bool { return w.HTTP == "1.1" && !w.VideoOnly && !w.Waiters && !w.Hints }

func labels(results []*bench.Result) []string {
	var out []string
	for _, r := range results {
		if !slices.Contains(out, r.Label) {
			out = append(out, r.Label)
		}
	}
	return out
}

// collect gathers the points of all labels that have any. Runs in which the bench was too busy are left out.
func collect(results []*bench.Result, of func(*bench.Result) (x, y float64, ok bool)) []series {
	var out []series
	for _, label := range labels(results) {
		s := series{label: label}
		values := map[float64][]float64{}
		for _, r := range results {
			if x, y, ok := of(r); ok && r.Label == label && !r.Bench.Void() {
				values[x] = append(values[x], y)
			}
		}
		for x, v := range values {
			slices.Sort(v)
			s.points = append(s.points, point{x: x, y: (v[(len(v)-1)/2] + v[len(v)/2]) / 2, low: v[0], high: v[len(v)-1]})
		}
		if len(s.points) > 0 {
			slices.SortFunc(s.points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
			out = append(out, s)
		}
	}
	return out
}

func draw(w io.Writer, panels []panel, labels []string) error {
	var b strings.Builder
	width, height := len(panels)*panelWidth, panelHeight+legendHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" %s>`+"\n", width, height, width, height, fontStyle)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	for i, l := range labels {
		x := left + 170*i
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text x="%d" y="%d" fill="#222222">%s</text>`+"\n",
			x, panelHeight+6, colour(i), x+18, panelHeight+17, html.EscapeString(l))
	}
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d 0)">`+"\n", i*panelWidth)
		p.draw(&b, labels)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func colour(i int) string { return colours[i%len(colours)] }

// draw draws axes, and a line with the spread of each point for every series.
func (p *panel) draw(b *strings.Builder, labels []string) {
	maxX := 0.0
	for _, s := range p.series {
		for _, at := range s.points {
			maxX = max(maxX, at.x)
		}
	}
	stepX := step(maxX)
	maxX = math.Ceil(maxX/stepX) * stepX
	x := func(v float64) float64 { return left + v/maxX*(panelWidth-left-right) }
	y, ticks := p.height()
	fmt.Fprintf(b, `<text x="%d" y="24" fill="#222222" font-weight="600">%s</text>`+"\n", left, html.EscapeString(p.title))
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="#555555" text-anchor="middle">%s</text>`+"\n",
		(left+panelWidth-right)/2, panelHeight-8, html.EscapeString(p.x))
	for _, v := range ticks {
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dddddd"/><text x="%d" y="%.1f" fill="#555555" text-anchor="end">%.6g</text>`+"\n",
			left, y(v), panelWidth-right, y(v), left-6, y(v)+4, v)
	}
	if p.guide != "" && ticks[len(ticks)-1] >= 1000 {
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#888888" stroke-dasharray="4 4"/><text x="%d" y="%.1f" fill="#555555">%s</text>`+"\n",
			left, y(1000), panelWidth-right, y(1000), left+6, y(1000)-5, p.guide)
	}
	for v := 0.0; v <= maxX*1.001; v += stepX {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" fill="#555555" text-anchor="middle">%.4g</text>`+"\n", x(v), panelHeight-bottom+16, v)
	}
	for _, s := range p.series {
		c := colour(slices.Index(labels, s.label))
		var line []string
		for _, at := range s.points {
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(at.x), y(at.y)))
			fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="1.5"/><circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n",
				x(at.x), y(at.low), x(at.x), y(at.high), c, x(at.x), y(at.y), c)
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(line, " "), c)
	}
}

// height is where values stand on the vertical axis, and those with a line of the grid: from zero, or, on a logarithmic
// axis, from the last of 1, 2, 5, 10, 20 and so on below the smallest to the first above the largest.
func (p *panel) height() (y func(float64) float64, ticks []float64) {
	least, most := math.Inf(1), 0.0
	for _, s := range p.series {
		for _, at := range s.points {
			least, most = min(least, at.low), max(most, at.high)
		}
	}
	const room = panelHeight - top - bottom
	if p.log && least > 0 {
		for e := math.Floor(math.Log10(least)); len(ticks) < 2 || ticks[len(ticks)-1] < most; e++ {
			for _, f := range []float64{1, 2, 5} {
				v := f * math.Pow(10, e)
				if v <= least {
					ticks = ticks[:0]
				}
				if len(ticks) < 2 || ticks[len(ticks)-1] < most {
					ticks = append(ticks, v)
				}
			}
		}
		from, to := math.Log10(ticks[0]), math.Log10(ticks[len(ticks)-1])
		return func(v float64) float64 { return panelHeight - bottom - (math.Log10(v)-from)/(to-from)*room }, ticks
	}
	stepY := step(most)
	top := math.Ceil(most/stepY) * stepY
	for v := 0.0; v <= top*1.001; v += stepY {
		ticks = append(ticks, v)
	}
	top = max(top, stepY)
	return func(v float64) float64 { return panelHeight - bottom - v/top*room }, ticks
}

// step is a round distance of grid lines, of which about gridLines reach up to most.
func step(most float64) float64 {
	if most <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most/gridLines)))
	for _, f := range []float64{1, 2, 5} {
		if most/(f*unit) <= gridLines {
			return f * unit
		}
	}
	return 10 * unit
}
