package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/demo"
	"whipsaw/cmd/whipsaw/internal/publish"
	"whipsaw/cmd/whipsaw/internal/server"
)

// serveCommand is the server: arguments to settings, settings to run.
func serveCommand(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) error {
	l, err := config.Load(args, env)
	if err != nil {
		return err
	}
	var level slog.LevelVar
	level.Set(levels[l.LogLevel])
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP) // where there is none, none comes
	defer signal.Stop(asked)
	o := options(stdout, newLeveled(stderr, l.LogFormat, &level))
	for _, w := range l.Exposed() {
		o.Log.Warn(w)
	}
	o.Reload = &server.Reloading{
		Asked: asked, Read: func() (config.Loaded, error) { return config.Reload(args, env) },
		Begun: l, Levels: levels, Level: &level,
	}
	return server.Run(ctx, l.Serve, o)
}

// run serves until ctx ends, as the end-to-end tests call it; started (may be nil) is told the addresses once everything
// listens.
func run(ctx context.Context, cfg config.Serve, out io.Writer, log *slog.Logger, started func(server.Addresses)) error {
	o := options(out, log)
	o.Started = started
	return server.Run(ctx, cfg, o)
}

// options are what main decides besides the settings.
func options(out io.Writer, log *slog.Logger) server.Options {
	return server.Options{
		Version: version(), Out: out, Log: log,
		Demo: func(ctx context.Context, whip, token string, client *http.Client) error {
			m, err := publish.Open(demo.Clip())
			if err != nil {
				return err
			}
			return publish.Run(ctx, m, publish.Options{
				URL: whip, Token: token, Loop: true, Reconnect: 24 * time.Hour, UserAgent: userAgent(), Log: log, HTTPClient: client,
			})
		},
	}
}

// levels are those of the log by their names in the settings.
var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// newLogger writes to w in the form and from the level that the settings say; both have been checked.
func newLogger(w io.Writer, format, level string) *slog.Logger {
	return newLeveled(w, format, levels[level])
}

// newLeveled is newLogger for a level that may change.
func newLeveled(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
