// Command release builds whipsaw for all systems it runs on, from the root of the module:
//
//	go run ./cmd/whipsaw/internal/release -out DIR -version v1.2.3
//
// DIR then has a stripped binary for each, their SHA-256 sums, and a list of what is in them (CycloneDX). The same sources
// and the same Go make the same bytes, wherever and whenever.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
)

// targets are the systems that there are binaries for.
var targets = []string{
	"linux/amd64", "linux/arm64", "linux/arm", "linux/riscv64", "darwin/amd64", "darwin/arm64", "windows/amd64", "freebsd/amd64",
}

// sizeBound is what the binary for bounded may not reach, in bytes. Others are as large as their formats make them.
const (
	bounded   = "linux/amd64"
	sizeBound = 20_000_000
)

var errUsage = errors.New("usage")

// options are what a release is made by.
type options struct {
	source  string   // root of the module
	out     string   // directory that it is written to; made if it is missing
	version string   // like v1.2.3; empty: what git says
	targets []string // of those above
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{source: "."}
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	flags.StringVar(&o.out, "out", "dist", "directory for what is built")
	flags.StringVar(&o.version, "version", "", "version that the binaries tell, like v1.2.3; without it what git describe says")
	list := flags.String("targets", strings.Join(targets, ","), "systems to build for")
	_ = flags.Parse(os.Args[1:]) // ends the process by itself
	o.targets = strings.Split(*list, ",")
	if err := release(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds everything, and says on w what it made.
func release(ctx context.Context, o options, w io.Writer) error {
	for _, t := range o.targets {
		if !slices.Contains(targets, t) {
			return fmt.Errorf("%w: no target %q, there are %s", errUsage, t, strings.Join(targets, ", "))
		}
	}
	if o.version == "" {
		var err error
		if o.version, err = described(ctx, o.source); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	var built []binary
	for _, t := range o.targets {
		b, err := build(ctx, o, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		if _, err := fmt.Fprintf(w, "%s  %8d kB  %s\n", b.sum, b.size/1000, b.name); err != nil {
			return err
		}
		if t == bounded && b.size >= sizeBound {
			return fmt.Errorf("%s has %d bytes, and has to stay under %d", b.name, b.size, sizeBound)
		}
		built = append(built, b)
	}
	if err := writeBill(o, built); err != nil {
		return err
	}
	return writeSums(o, built)
}

// described is the version by the tags of the repository.
func described(ctx context.Context, source string) (string, error) {
	c := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty")
	c.Dir = source
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("git describe (or say -version): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
