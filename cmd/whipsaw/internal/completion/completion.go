// Package completion makes scripts by which shells complete the command line: commands, flags, and the values of flags
// where there are few. All of it comes from the definitions of the settings.
package completion

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/static"
)

// Write prints the script for the shell that args names, and nothing else. Errors wrap config.ErrUsage, config.ErrHelp, or
// are the writer's.
func Write(w io.Writer, args []string) error {
	shells := map[string]func([]config.Command) string{"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		return config.ErrHelp
	}
	if len(args) != 1 || shells[args[0]] == nil {
		return fmt.Errorf("%w: completion takes one of %s", config.ErrUsage, strings.Join(config.Shells(), ", "))
	}
	_, err := io.WriteString(w, shells[args[0]](withTopics(config.Commands())))
	return err
}

// withTopics lets help be asked for topics as well.
func withTopics(commands []config.Command) []config.Command {
	for i := range commands {
		if c := &commands[i]; c.Name == "help" {
			for _, t := range static.Topics() {
				c.Words = append(c.Words, t.Name)
			}
			slices.Sort(c.Words)
			c.Words = slices.Compact(c.Words) // some commands have a topic of the same name
		}
	}
	return commands
}

// names are those of all commands that have one.
func names(commands []config.Command) []string {
	var out []string
	for _, c := range commands {
		if c.Name != "" {
			out = append(out, c.Name)
		}
	}
	return out
}

// flags are those of a command, with their dashes.
func flags(c config.Command) []string {
	var out []string
	for _, s := range c.Settings {
		out = append(out, "--"+s.Name)
	}
	return append(out, "--help")
}

// single puts text in single quotes for a shell of the Bourne family.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
