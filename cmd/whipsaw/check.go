package main

import (
	"context"
	"errors"
	"io"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/watch"
)

// errViolated ends the check command when the stream breaks a rule. The report has told which.
var errViolated = errors.New("the stream breaks rules")

// checkCommand follows a stream and reports which rules it keeps.
func checkCommand(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) error {
	cfg, err := config.ParseCheck(args, env)
	if err != nil {
		return err
	}
	o := watch.Options{URL: cfg.URL, For: cfg.For, Strict: cfg.Strict, Insecure: cfg.Insecure, HTTP3: cfg.HTTP3, UserAgent: userAgent()}
	if terminal(stderr) {
		o.Progress = stderr
	}
	report, err := watch.Run(ctx, o)
	if err != nil {
		return err
	}
	write := report.WriteText
	if cfg.JSON {
		write = report.WriteJSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	if report.Verdict == watch.Violated {
		return errViolated
	}
	return nil
}
