package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
)

// publishCommand sends a file, or the built-in clip, to a WHIP server.
func publishCommand(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) (err error) {
	cfg, err := config.ParsePublish(args, env)
	if err != nil {
		return err
	}
	in, size := demo.Clip()
	if !cfg.Demo {
		f, err := os.Open(cfg.File)
		if err != nil {
			return err
		}
		defer f.Close() // it was only read
		info, err := f.Stat()
		if err != nil {
			return err
		}
		in, size = f, info.Size()
	}
	m, err := publish.Open(in, size)
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.File, err)
	}
	for _, why := range m.Skipped() {
		fmt.Fprintf(stderr, "left out: %v\n", why)
	}
	fmt.Fprintf(stdout, "publishing %s\n", m.Describe())
	return publish.Run(ctx, m, publish.Options{
		URL: cfg.URL, Token: cfg.Token.Reveal(), Loop: cfg.Loop, Reconnect: cfg.Reconnect,
		UserAgent: userAgent(), Progress: stdout, Redraw: terminal(stdout),
	})
}

// terminal reports whether w is one, so that a line can be written over.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
