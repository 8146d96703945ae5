package main

import (
	"io"
	"strconv"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/cmd/whipsaw/internal/manual"
)

// style tells what the writer can show: COLUMNS says how wide it is, and only a terminal gets colours, unless NO_COLOR
// or TERM speak against them (no-color.org).
func style(w io.Writer, env config.Lookup) manual.Style {
	s := manual.Style{Width: 80}
	if columns, _ := env("COLUMNS"); columns != "" {
		if n, err := strconv.Atoi(columns); err == nil && n > 0 {
			s.Width = n
		}
	}
	kind, _ := env("TERM")
	plain, _ := env("NO_COLOR")
	s.Colour = terminal(w) && plain == "" && kind != "" && kind != "dumb"
	return s
}
