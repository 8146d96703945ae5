package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"whipsaw/cmd/whipsaw/internal/bench"
	"whipsaw/cmd/whipsaw/internal/bench/report"
)

// A report of what has no graph is told whole, and leaves no picture that is none.
func TestBenchReport(t *testing.T) {
	dir := t.TempDir()
	svg := filepath.Join(dir, "graph.svg")
	tell := func(r *bench.Result) (string, error) {
		path := filepath.Join(dir, "result.json")
		require.NoError(t, writeFile(path, r.WriteJSON))
		var out bytes.Buffer
		err := benchCommand(t.Context(), []string{"report", path, "--svg", svg}, func(string) (string, bool) { return "", false }, &out, io.Discard)
		return out.String(), err
	}
	r := &bench.Result{Label: "x", Work: bench.Work{Publishers: 1, HTTP: "1.1", Within: 200}, Search: &bench.Search{Within: 200, Viewers: 640}}
	table, err := tell(r)
	require.ErrorIs(t, err, report.ErrResults)
	require.Contains(t, table, "| most viewers | 640 |")
	require.NoFileExists(t, svg)

	table, err = tell(&bench.Result{Label: "x", Work: bench.Work{Publishers: 2}, Ingest: &bench.Ingest{}, Server: &bench.Server{CPUPerStream: 7, IngestCPU: 14}})
	require.NoError(t, err)
	require.Contains(t, table, "| 2 streams | CPU per stream, ms/s | 7.00 |")
	picture, err := os.ReadFile(svg)
	require.NoError(t, err)
	require.Contains(t, string(picture), "</svg>")
}
