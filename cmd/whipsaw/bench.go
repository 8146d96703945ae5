package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"whipsaw/cmd/whipsaw/internal/bench"
	"whipsaw/cmd/whipsaw/internal/bench/report"
	"whipsaw/cmd/whipsaw/internal/config"
)

// benchCommand measures a server, or reports on what was measured. The table goes to stdout, progress to stderr.
func benchCommand(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) error {
	cfg, err := config.ParseBench(args, env)
	if err != nil {
		return err
	}
	if cfg.Mode == config.BenchReport {
		return writeReport(cfg, stdout)
	}
	o := bench.Options{
		WHIP: cfg.WHIP, HLS: cfg.HLS, Publishers: cfg.Streams, Viewers: cfg.Viewers, Token: cfg.Token.Reveal(),
		HTTP: cfg.HTTP, Insecure: cfg.Insecure, VideoOnly: cfg.VideoOnly, Waiters: cfg.Waiters, Hints: cfg.Hints,
		PID: cfg.PID, Warm: cfg.Warm, Time: cfg.Time, Within: cfg.Within,
		Label: cfg.Label, Version: version(), Progress: stderr, Redraw: terminal(stderr),
	}
	if o.WHIP != "" {
		if o.Clip, err = bench.OpenClip(cfg.Clip); err != nil {
			return err
		}
	}
	result, failed := bench.Run(ctx, o)
	if ctx.Err() != nil {
		failed = nil // it was told to end: what there is counts
	}
	return errors.Join(failed, writeResult(result, cfg.JSON, stdout))
}

func writeResult(r *bench.Result, path string, stdout io.Writer) error {
	if path == "-" {
		return r.WriteJSON(stdout)
	}
	if path != "" {
		if err := writeFile(path, r.WriteJSON); err != nil {
			return err
		}
	}
	return r.WriteTable(stdout)
}

// writeReport compares the results that --json has written before.
func writeReport(cfg config.Bench, stdout io.Writer) error {
	var results []*bench.Result
	for _, path := range cfg.Results {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		r, err := report.Read(f)
		_ = f.Close() // it was only read
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, r)
	}
	r, err := report.New(results)
	if err != nil {
		return err
	}
	if err := writeNumbers(r, cfg.JSON, stdout); err != nil || cfg.SVG == "" {
		return err
	}
	var picture bytes.Buffer // there may be nothing to draw
	if err := report.WriteSVG(&picture, results); err != nil {
		return err
	}
	return os.WriteFile(cfg.SVG, picture.Bytes(), 0o644)
}

func writeNumbers(r *report.Report, path string, stdout io.Writer) error {
	if path == "-" {
		return r.WriteJSON(stdout)
	}
	if path != "" {
		if err := writeFile(path, r.WriteJSON); err != nil {
			return err
		}
	}
	return r.WriteTable(stdout)
}

// writeFile makes a file of what write writes.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
