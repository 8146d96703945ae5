package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench"
	"whipsaw/cmd/whipsaw/internal/bench/fleet"
)

func ingested(label string, streams int, cpu float64) *bench.Result {
	return &bench.Result{
		Label: label, Work: bench.Work{Publishers: streams, HTTP: "1.1", Seconds: 10},
		Ingest: &bench.Ingest{Counts: fleet.Counts{Packets: 1}, FirstPlaylist: 800},
		Server: &bench.Server{CPUPerStream: cpu, RSSPerStream: 3 << 20, IngestCPU: cpu * float64(streams)},
	}
}

func viewed(label string, viewers int, cpu float64) *bench.Result {
	r := ingested(label, 1, 10)
	r.Work.Viewers = viewers
	r.Server.CPUPerViewer, r.Server.RSSPerViewer, r.Server.WatchCPU = cpu, 40<<10, 10+cpu*float64(viewers)
	r.Watch = &bench.Watch{Part: bench.Quantiles{Count: 1, P50: 1, P99: cpu}, Errors: map[string]int64{"a": 1, "b": 2}}
	return r
}

func numbers(c Case) map[string]Number {
	out := map[string]Number{}
	for _, n := range c.Numbers {
		out[n.Name] = n
	}
	return out
}

func TestReport(t *testing.T) {
	busy := viewed("a", 100, 99)
	busy.Bench.Share = 0.81
	r, err := New([]*bench.Result{
		viewed("a", 300, 0.5), viewed("a", 100, 0.4), viewed("a", 100, 0.6), viewed("a", 100, 0.2), busy,
		viewed("b", 100, 1.5), viewed("b", 100, 0.5),
		ingested("a", 10, 4), ingested("a", 1, 5), ingested("b", 1, 10),
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, r.Labels)
	var titles []string
	for _, c := range r.Cases {
		titles = append(titles, Title(c.Work))
	}
	require.Equal(t, []string{"1 stream", "10 streams", "1 stream, 100 viewers, HTTP/1.1", "1 stream, 300 viewers, HTTP/1.1"}, titles)

	n := numbers(r.Cases[0])
	require.Equal(t, 0.5, n["CPU per stream"].Ratio)
	require.Equal(t, 3.0, n["memory per stream"].Values[0].Median)
	require.NotContains(t, n, "CPU per viewer")

	c := r.Cases[2]
	require.Equal(t, []int{4, 2}, c.Runs)
	require.Equal(t, []int{1, 0}, c.Void)
	n = numbers(c)
	require.Equal(t, Spread{Median: 0.4, Min: 0.2, Max: 0.6, Runs: 3}, n["CPU per viewer"].Values[0])
	require.Equal(t, Spread{Median: 1, Min: 0.5, Max: 1.5, Runs: 2}, n["CPU per viewer"].Values[1])
	require.InDelta(t, 0.4, n["CPU per viewer"].Ratio, 1e-9)
	require.Equal(t, 3.0, n["errors"].Values[0].Median)
	require.NotContains(t, n, "CPU per stream", "what viewers change is not the stream's")
	require.Zero(t, numbers(r.Cases[3])["CPU per viewer"].Ratio, "nothing to compare with")

	var out bytes.Buffer
	require.NoError(t, r.WriteTable(&out))
	require.Contains(t, out.String(), "| 1 stream, 100 viewers, HTTP/1.1 | CPU per viewer, ms/s | 0.40 (0.20 - 0.60) | 1.00 (0.50 - 1.50) | **0.40** |\n")
	require.Contains(t, out.String(), "void, a | 1 of 4 runs")
	for line := range strings.Lines(out.String()) {
		require.True(t, strings.HasPrefix(line, "| "+"") || strings.HasPrefix(line, "|---"), line)
	}
	out.Reset()
	require.NoError(t, r.WriteJSON(&out))
	var again Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &again))
	require.Equal(t, *r, again)
}

// What a search has found is a case of its own, and none of publishing alone.
func TestReportOfSearch(t *testing.T) {
	found := func(label string, viewers int) *bench.Result {
		r := ingested(label, 1, 10)
		r.Work.Within, r.Search = 200, &bench.Search{Within: 200, Viewers: viewers}
		return r
	}
	r, err := New([]*bench.Result{found("a", 700), ingested("a", 1, 5), found("a", 900), found("a", 800), ingested("b", 1, 10), found("b", 400)})
	require.NoError(t, err)
	require.Len(t, r.Cases, 2)
	require.Equal(t, []int{1, 1}, r.Cases[0].Runs)
	require.Equal(t, "1 stream, part delay p99 within 200 ms, HTTP/1.1", Title(r.Cases[1].Work))
	require.Len(t, r.Cases[1].Numbers, 1)
	n := r.Cases[1].Numbers[0]
	require.Equal(t, Spread{Median: 800, Min: 700, Max: 900, Runs: 3}, n.Values[0])
	require.Equal(t, 2.0, n.Ratio)
}

func TestReportRefuses(t *testing.T) {
	_, err := New(nil)
	require.ErrorIs(t, err, ErrResults)
	for _, text := range []string{"", "{", "[]", "{}", `{"label":7}`} {
		_, err := Read(strings.NewReader(text))
		require.ErrorIs(t, err, ErrResults, text)
	}
	var out bytes.Buffer
	require.NoError(t, viewed("x", 5, 1).WriteJSON(&out))
	r, err := Read(&out)
	require.NoError(t, err)
	require.Equal(t, viewed("x", 5, 1), r)
}

func TestGraph(t *testing.T) {
	results := []*bench.Result{
		ingested("ours & theirs", 1, 5), ingested("ours & theirs", 10, 5), ingested("ours & theirs", 25, 5), ingested("<b>", 25, 17),
		viewed("ours & theirs", 100, 0.4), viewed("ours & theirs", 100, 0.5), viewed("ours & theirs", 1000, 0.5),
	}
	var out bytes.Buffer
	require.NoError(t, WriteSVG(&out, results))
	text := out.String()
	require.Equal(t, 4, strings.Count(text, "<polyline"), "two labels in the first panel, one in the others")
	require.Equal(t, 4+2+2, strings.Count(text, "<circle"), "runs of one kind are one point")
	require.Contains(t, text, "ours &amp; theirs")
	require.NotContains(t, text, "<b>")
	require.NotContains(t, text, "NaN")
	d := xml.NewDecoder(&out)
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
	}
	require.NotContains(t, text, oneCore, "nothing comes near it")
	require.ErrorIs(t, WriteSVG(io.Discard, []*bench.Result{{Label: "x"}}), ErrResults)
}

// Delays stand on a logarithmic axis, from round numbers around the smallest and the largest; what is nothing at all, as the
// delay of no part is, on one from zero.
func TestHeight(t *testing.T) {
	p := panel{log: true, series: []series{{points: []point{{y: 30, low: 25, high: 40}}}, {points: []point{{y: 1000, low: 600, high: 2000}}}}}
	y, ticks := p.height()
	require.Equal(t, []float64{20, 50, 100, 200, 500, 1000, 2000}, ticks)
	require.InDelta(t, panelHeight-bottom, y(20), 1e-9)
	require.InDelta(t, top, y(2000), 1e-9)
	require.InDelta(t, y(20)-y(200), y(200)-y(2000), 1e-9)
	p.series[0].points[0].low = 0
	y, ticks = p.height()
	require.Equal(t, []float64{0, 500, 1000, 1500, 2000}, ticks)
	require.InDelta(t, top, y(2000), 1e-9)
	y, ticks = (&panel{log: true, series: []series{{points: []point{{}}}}}).height()
	require.Equal(t, []float64{0}, ticks)
	require.InDelta(t, panelHeight-bottom, y(0), 1e-9, "no division by nothing")
	full := []*bench.Result{viewed("a", 100, 4), viewed("a", 300, 3.3)}
	var out bytes.Buffer
	require.NoError(t, WriteSVG(&out, full))
	require.Contains(t, out.String(), oneCore)
}

func TestStep(t *testing.T) {
	for most, want := range map[float64]float64{0: 1, 1: 0.2, 5: 1, 7: 2, 25: 5, 26: 10, 1000: 200, 0.04: 0.01, 99: 20} {
		require.InDelta(t, want, step(most), 1e-9, fmt.Sprint(most))
	}
}
