// Package config turns a command line and its environment into what the commands need. Every setting is defined once,
// in a table: parsing, --help and the documentation all read that table.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// ErrUsage is wrapped by every error that another command line would cure; ErrHelp says that help was asked for.
var (
	ErrUsage = errors.New("wrong use")
	ErrHelp  = errors.New("help requested")
)

// Setting is one definition: a flag, and an environment variable and a key of the settings' file of the same meaning. A
// flag outdoes the environment, that the file, and that the default.
type Setting struct {
	Name    string // of the flag, without dashes
	Env     string // of the variable; empty: there is none
	Value   string // what kind of value, for help; empty: a switch without one
	Default string // as it would be written on the command line; empty: none
	Help    string // one sentence without a full stop
	Repeat  bool   // the flag may stand several times; the variable separates by commas
	Empty   bool   // an empty variable is a value; otherwise it counts as unset
	Allowed string // what values there are, if Value does not say it
	Secret  bool   // its values are shown to nobody
	Reload  bool   // it can change while the server runs
	Stream  bool   // some streams may have it of their own
	Group   string // what it is about; empty where there are no groups

	set func(values []string) error // called once, with the values that won
}

// Lookup tells an environment variable, like os.LookupEnv.
type Lookup func(name string) (string, bool)

// parse reads args by the definitions and calls each one's set. It returns what is no flag, and the names of the
// settings that were given by flag or variable. Flags may stand before, between and after the others.
func parse(defs []Setting, args []string, env Lookup) (rest []string, given map[string]bool, err error) {
	values, rest, err := flags(defs, args)
	if err != nil {
		return nil, nil, err
	}
	all, faults := resolve(defs, values, env, nil)
	given = make(map[string]bool)
	for _, v := range all {
		given[v.Name] = v.Origin != Origin{}
	}
	return rest, given, faultsOf(faults)
}

// flags collects the raw values of all flags in args, and the rest.
func flags(defs []Setting, args []string) (values map[string][]string, rest []string, err error) {
	fs := flag.NewFlagSet("whipsaw", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	values = make(map[string][]string)
	for _, d := range defs {
		collect := func(v string) error {
			if d.Repeat {
				values[d.Name] = append(values[d.Name], splitList(v)...)
			} else {
				values[d.Name] = []string{v}
			}
			return nil
		}
		if d.Value == "" {
			fs.BoolFunc(d.Name, d.Help, collect)
		} else {
			fs.Func(d.Name, d.Help, collect)
		}
	}
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, nil, ErrHelp
			}
			return nil, nil, fmt.Errorf("%w: %w", ErrUsage, err)
		}
		if fs.NArg() == 0 {
			return values, rest, nil
		}
		// The flag package stops at the first other word: keep that one and go on behind it.
		if stoppedByDashes(args, fs.NArg()) {
			return values, append(rest, fs.Args()...), nil
		}
		rest, args = append(rest, fs.Arg(0)), fs.Args()[1:]
	}
}

// stoppedByDashes reports whether the word before the last n ones is "--", behind which nothing is a flag.
func stoppedByDashes(args []string, n int) bool {
	i := len(args) - n - 1
	return i >= 0 && args[i] == "--"
}

func splitList(s string) []string {
	out := []string{}
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// writeSettings lists definitions for help.
func writeSettings(w io.Writer, defs []Setting) error {
	for _, d := range defs {
		line := "  --" + d.Name
		if d.Value != "" {
			line += " " + d.Value
		}
		var notes []string
		if d.Default != "" {
			notes = append(notes, "default "+d.Default)
		}
		if d.Env != "" {
			notes = append(notes, d.Env)
		}
		line += "\n        " + d.Help + "\n"
		if len(notes) > 0 {
			line += "        [" + strings.Join(notes, ", ") + "]\n"
		}
		if _, err := io.WriteString(w, line); err != nil {
			return err
		}
	}
	return nil
}
