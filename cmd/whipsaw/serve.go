package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
	"whipsaw/cmd/whipsaw/internal/server"
)

// serveCommand is the server: arguments to settings, settings to run.
func serveCommand(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) error {
	cfg, err := config.ParseServe(args, env)
	if err != nil {
		return err
	}
	return run(ctx, cfg, stdout, newLogger(stderr, cfg.LogFormat, cfg.LogLevel), nil)
}

// run serves until ctx ends. It is all that main does with its settings, and what the end-to-end tests call; started
// (may be nil) is told the addresses once everything listens.
func run(ctx context.Context, cfg config.Serve, out io.Writer, log *slog.Logger, started func(server.Addresses)) error {
	return server.Run(ctx, cfg, server.Options{
		Version: version(), Out: out, Log: log, Started: started,
		Demo: func(ctx context.Context, whip, token string, client *http.Client) error {
			m, err := publish.Open(demo.Clip())
			if err != nil {
				return err
			}
			return publish.Run(ctx, m, publish.Options{
				URL: whip, Token: token, Loop: true, Reconnect: 24 * time.Hour, UserAgent: userAgent(), Log: log, HTTPClient: client,
			})
		},
	})
}

// newLogger writes to w in the form and from the level that the settings say; both have been checked.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	opts := &slog.HandlerOptions{Level: map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[level]}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
