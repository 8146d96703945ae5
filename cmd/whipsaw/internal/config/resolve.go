package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Origin is where a value comes from. The zero value is the default.
type Origin struct {
	Flag bool
	Env  string // name of the variable
	File string
	Line int // of File
}

// String names the origin as its reader would look for it.
func (o Origin) String() string {
	switch {
	case o.Flag:
		return "flag"
	case o.Env != "":
		return "environment " + o.Env
	case o.File != "":
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	return "default"
}

// Value is a setting with what it was given.
type Value struct {
	Setting
	Given  []string // as it was written; nil: nothing, and there is no default
	Origin Origin
}

// resolve chooses each setting's value and calls its set: flags outdo the environment, that a file, and that the default.
// It returns all that is wrong.
func resolve(defs []Setting, flagged map[string][]string, env Lookup, file *document) ([]Value, []error) {
	var all []Value
	var faults []error
	for _, d := range defs {
		v := d.choose(flagged, env, file)
		all = append(all, v)
		if err := d.outdone(v, file); err != nil {
			faults = append(faults, err)
		}
		if v.Given == nil {
			continue
		}
		if err := d.take(v.Given); err != nil {
			faults = append(faults, v.fault(err))
		}
	}
	return all, faults
}

// shownHidden stands for a secret where settings are printed.
const shownHidden = "(hidden)"

var errHidden = errors.New("this is what stands for a secret where settings are printed; write the secret itself")

// take sets the values, unless they are what a secret was printed as.
func (d Setting) take(values []string) error {
	if d.Secret && slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, shownHidden) }) {
		return errHidden
	}
	return d.set(values)
}

// choose returns the value that wins.
func (d Setting) choose(flagged map[string][]string, env Lookup, file *document) Value {
	if v, ok := flagged[d.Name]; ok {
		return Value{d, v, Origin{Flag: true}}
	}
	if d.Env != "" {
		if s, ok := env(d.Env); ok && (s != "" || d.Empty) {
			if d.Repeat {
				return Value{d, splitList(s), Origin{Env: d.Env}}
			}
			return Value{d, []string{s}, Origin{Env: d.Env}}
		}
	}
	if file != nil {
		if e, ok := file.entries[d.Name]; ok {
			return Value{d, e.values, Origin{File: file.file, Line: e.line}}
		}
	}
	if d.Default == "" {
		return Value{Setting: d}
	}
	return Value{Setting: d, Given: []string{d.Default}}
}

// outdone is what is wrong with a value in the file that v is preferred to: it would show when the preference ends.
func (d Setting) outdone(v Value, file *document) error {
	if file == nil || v.Origin.File != "" {
		return nil
	}
	e, ok := file.entries[d.Name]
	if !ok {
		return nil
	}
	if err := d.take(e.values); err != nil {
		return fault{file.file, e.line, d.Name, err.Error()}
	}
	return nil
}

// fault is an error about a value, named by what the reader wrote.
func (v Value) fault(err error) error {
	switch {
	case v.Origin.File != "":
		return fault{v.Origin.File, v.Origin.Line, v.Name, err.Error()}
	case v.Origin.Env != "":
		return fmt.Errorf("%w: %s: %w", ErrUsage, v.Origin.Env, err)
	}
	return fmt.Errorf("%w: --%s: %w", ErrUsage, v.Name, err)
}

// mentioned finds the settings that a sentence is about.
var mentioned = regexp.MustCompile(`--([a-z0-9-]*[a-z0-9])`)

// locate puts the line of a file before an error about settings that do not go together, if one of those it speaks of
// comes from there.
func locate(err error, values []Value) error {
	says := strings.TrimPrefix(err.Error(), ErrUsage.Error()+": ")
	for _, m := range mentioned.FindAllStringSubmatch(says, -1) {
		i := slices.IndexFunc(values, func(v Value) bool { return v.Name == m[1] && v.Origin.File != "" })
		if i >= 0 {
			return fault{values[i].Origin.File, values[i].Origin.Line, m[1], says}
		}
	}
	return err
}

// Faults is an error that tells of all that is wrong, each in a line of its own.
type Faults []error

func (f Faults) Error() string {
	var lines []string
	for _, err := range f {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is look at each of them.
func (f Faults) Unwrap() []error { return f }

// faultsOf is nil without any, so that no empty Faults is taken for an error. Those in a file come in its order.
func faultsOf(all []error) error {
	if len(all) == 0 {
		return nil
	}
	line := func(err error) int {
		if f, ok := err.(fault); ok {
			return f.line
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b error) int { return line(a) - line(b) })
	return Faults(all)
}
