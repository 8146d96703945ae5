// Package metrics writes what a program counts in the text format of Prometheus, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats). Values are read when they are asked for; nothing is kept
// here. The library of Prometheus itself would be a tenth of the whole binary, most of it for Protocol Buffers.
package metrics

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a metric, as the text format names it.
type Kind string

// The kinds that there are. A counter only grows, but may begin again at 0.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
	Summary   Kind = "summary"
)

// Desc describes a metric: all of the series that have its name.
type Desc struct {
	kind       Kind
	name, help string
	labels     []string
}

// New describes a metric whose series differ in the values of labels. Name and labels are ours and well-formed.
func New(kind Kind, name, help string, labels ...string) *Desc {
	return &Desc{kind: kind, name: name, help: help, labels: labels}
}

// Collector is something that has metrics. Collect adds their values to a page; it may be called at any time, also by
// several at once.
type Collector interface {
	Collect(*Page)
}

// Page is what is told at one time. The zero value is empty.
type Page struct {
	families map[string]*family
}

type family struct {
	desc   *Desc
	series []series
}

type series struct {
	labels []string
	lines  []line
}

// line is one number of a series.
type line struct {
	suffix string // of the name
	label  string // besides those of the description, with its value; may be empty
	value  float64
}

// Collect returns what collectors tell now.
func Collect(from ...Collector) *Page {
	p := new(Page)
	for _, c := range from {
		c.Collect(p)
	}
	return p
}

// Value adds a series of one number. The labels are those of the description, in its order; that they are not as many is
// a mistake of the caller's, and panics.
func (p *Page) Value(d *Desc, v float64, labels ...string) {
	p.add(d, labels, line{value: v})
}

// Histogram adds a distribution: counts[i] values are at most bounds[i] and above the bound before; the last of counts,
// one more than there are bounds, has what lies above them all. The bounds ascend; sum is that of all values.
func (p *Page) Histogram(d *Desc, bounds []float64, counts []uint64, sum float64, labels ...string) {
	lines, all := make([]line, 0, len(counts)+2), uint64(0)
	for i, n := range counts {
		all += n
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		// buckets contain those below them
		lines = append(lines, line{"_bucket", `le="` + number(bound) + `"`, float64(all)})
	}
	p.add(d, labels, append(lines, line{"_sum", "", sum}, line{"_count", "", float64(all)})...)
}

// Quantiles adds a summary of count values that add up to sum: values by quantile, between 0 and 1.
func (p *Page) Quantiles(d *Desc, quantiles map[float64]float64, sum float64, count uint64, labels ...string) {
	var lines []line
	for _, q := range slices.Sorted(maps.Keys(quantiles)) {
		lines = append(lines, line{"", `quantile="` + number(q) + `"`, quantiles[q]})
	}
	p.add(d, labels, append(lines, line{"_sum", "", sum}, line{"_count", "", float64(count)})...)
}

func (p *Page) add(d *Desc, labels []string, lines ...line) {
	if len(labels) != len(d.labels) {
		panic(fmt.Sprintf("metrics: %s has %d labels, not %d", d.name, len(d.labels), len(labels)))
	}
	if p.families == nil {
		p.families = make(map[string]*family)
	}
	f := p.families[d.name]
	if f == nil {
		f = &family{desc: d}
		p.families[d.name] = f
	}
	f.series = append(f.series, series{labels, lines})
}

// Text is the page as it is sent: metrics by name, series by the values of their labels.
func (p *Page) Text() []byte {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(p.families)) {
		f := p.families[name]
		b = append(b, "# HELP "+name+" "+escapeHelp.Replace(f.desc.help)+"\n# TYPE "+name+" "+string(f.desc.kind)+"\n"...)
		slices.SortFunc(f.series, func(x, y series) int { return slices.CompareFunc(x.labels, y.labels, cmp.Compare[string]) })
		for _, s := range f.series {
			labels := pairs(f.desc.labels, s.labels)
			for _, l := range s.lines {
				b = append(b, name+l.suffix...)
				b = appendLabels(b, labels, l.label)
				b = append(append(append(b, ' '), number(l.value)...), '\n')
			}
		}
	}
	return b
}

var (
	escapeHelp  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// pairs writes name="value", with commas between.
func pairs(names, values []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + `="` + escapeLabel.Replace(strings.ToValidUTF8(values[i], "\uFFFD")) + `"`)
	}
	return b.String()
}

func appendLabels(b []byte, labels, more string) []byte {
	switch {
	case labels == "" && more == "":
		return b
	case labels != "" && more != "":
		more = "," + more
	}
	return append(b, "{"+labels+more+"}"...)
}

// number writes a value as Prometheus reads it, infinities and NaN included.
func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Func is a metric of one series without labels, read by a function.
func Func(kind Kind, name, help string, read func() float64) Collector {
	return single{New(kind, name, help), read}
}

type single struct {
	desc *Desc
	read func() float64
}

func (s single) Collect(p *Page) { p.Value(s.desc, s.read()) }
