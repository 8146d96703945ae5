// Command whipsaw takes live video and sound over WHIP and serves it as low-latency HLS.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"whipsaw/cmd/whipsaw/internal/completion"
	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/manpage"
	"whipsaw/cmd/whipsaw/internal/manual"
	"whipsaw/cmd/whipsaw/internal/watch"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(command(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// command runs one command line to its end and returns the exit code.
func command(ctx context.Context, args []string, env config.Lookup, stdout, stderr io.Writer) int {
	name, rest := "", args
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, rest = args[0], args[1:]
	}
	var err error
	switch name {
	case "version":
		_, err = fmt.Fprintln(stdout, "whipsaw", version())
	case "help":
		err = manual.Write(stdout, first(rest), style(stdout, env))
	case "sign":
		err = signCommand(rest, env, stdout)
	case "config":
		err = configCommand(rest, env, stdout, stderr)
	case "completion":
		err = completion.Write(stdout, rest)
	case "man":
		err = manpage.Write(stdout, version())
	case "publish":
		err = publishCommand(ctx, rest, env, stdout, stderr)
	case "check":
		err = checkCommand(ctx, rest, env, stdout, stderr)
	case "bench":
		err = benchCommand(ctx, rest, env, stdout, stderr)
	default:
		name = ""
		err = serveCommand(ctx, args, env, stdout, stderr)
	}
	if errors.Is(err, config.ErrHelp) {
		err = config.WriteHelp(stdout, name)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errViolated), errors.Is(err, errFaulty):
		return exitError // the report has told it
	case errors.Is(err, watch.ErrUnreachable):
		fmt.Fprintf(stderr, "whipsaw: %v\n", err)
		return exitUsage
	case errors.Is(err, config.ErrUsage):
		fmt.Fprintf(stderr, "whipsaw: %v\nwhipsaw --help tells more\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "whipsaw: %v\n", err)
		return exitError
	}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
