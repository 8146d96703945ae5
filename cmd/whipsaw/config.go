package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// errFaulty ends config check when there are faults. They have been told.
var errFaulty = errors.New("the settings have faults")

// configCommand prints settings, or looks for what is wrong with them.
func configCommand(args []string, env config.Lookup, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: config takes print or check first", config.ErrUsage)
	}
	switch args[0] {
	case "print":
		l, err := config.Load(args[1:], env)
		if err != nil {
			return err
		}
		return config.Print(stdout, l)
	case "check":
		return checkFile(args[1:], env, stdout, stderr)
	case "-h", "-help", "--help":
		return config.ErrHelp
	}
	return fmt.Errorf("%w: config has no %q; it has print and check", config.ErrUsage, args[0])
}

// checkFile tells all that is wrong with a file of settings and the files that it names, each fault in a line of its own.
func checkFile(args []string, env config.Lookup, stdout, stderr io.Writer) error {
	file, l, err := config.LoadFile(args, env)
	if err == nil {
		err = l.CheckFiles()
	}
	var faults config.Faults
	if errors.As(err, &faults) {
		for _, f := range faults {
			if _, err := fmt.Fprintln(stderr, strings.TrimPrefix(f.Error(), config.ErrUsage.Error()+": ")); err != nil {
				return err
			}
		}
		return errFaulty
	}
	if err != nil {
		return err
	}
	says := "nothing is wrong"
	for _, w := range l.Exposed() {
		says = "nothing else is wrong"
		if _, err := fmt.Fprintln(stderr, "warning:", w); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "%s: %s\n", file, says)
	return err
}
