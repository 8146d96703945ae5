package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is one sub-command for help and errors.
type command struct {
	name, line, help string
	settings         []Setting
}

func commands() []command {
	return []command{
		{"", "whipsaw [flags]", "serve: WHIP in, low-latency HLS out", ServeSettings(new(Serve))},
		{"publish", "whipsaw publish FILE.mp4 WHIP_URL [flags]\n       whipsaw publish --demo WHIP_URL [flags]",
			"send an MP4 file's H.264 and Opus tracks in real time to a WHIP server", PublishSettings(new(Publish))},
		{"check", "whipsaw check URL [flags]",
			"follow any HLS stream as a player does and report which rules it keeps; exits with 1 if it breaks one", CheckSettings(new(Check))},
		{"bench", "whipsaw bench publish WHIP_URL [flags]\n       whipsaw bench watch HLS_URL [flags]\n" +
			"       whipsaw bench run WHIP_URL HLS_URL [flags]\n       whipsaw bench report RESULT.json... [flags]",
			"load a server with publishers and viewers and measure it, or compare such measurements", BenchSettings(new(Bench))},
		{"sign", "whipsaw sign STREAM [flags]", "print signed links to watch a stream of a server with --watch-key", SignSettings(new(Sign))},
		{"config", "whipsaw config print [flags]\n       whipsaw config check FILE [flags]",
			"print the settings of a server with the same flags, environment and file, and where each comes from; or tell all that is wrong in a file of settings", nil},
		{"completion", "whipsaw completion " + strings.Join(Shells(), "|"), "print a script that completes commands, flags and their values in a shell", nil},
		{"man", "whipsaw man", "print the manual page, for man 1 whipsaw", nil},
		{"version", "whipsaw version", "print the version", nil},
		{"help", "whipsaw help [COMMAND | TOPIC]", "list commands and topics, or print help for one", nil},
	}
}

// CommandNames are the names of all commands but the server, which has none.
func CommandNames() []string {
	var names []string
	for _, c := range commands()[1:] {
		names = append(names, c.name)
	}
	return names
}

// CommandList is one line for each of them.
func CommandList() string { return list(commands()[1:]) }

// IsCommand reports whether there is a command of this name.
func IsCommand(name string) bool { return slices.Contains(CommandNames(), name) }

// commandNames lists the commands for an error.
func commandNames() string { return strings.Join(CommandNames(), ", ") + ", or none to serve" }

// WriteHelp prints help for one command; the empty name is the server, and lists the others. An unknown name is an
// error that wraps ErrUsage; the others are the writer's.
func WriteHelp(w io.Writer, name string) error {
	all := commands()
	for _, c := range all {
		if c.name != name {
			continue
		}
		if _, err := fmt.Fprintf(w, "usage: %s\n\n%s\n", c.line, c.help); err != nil {
			return err
		}
		if name == "" {
			if _, err := io.WriteString(w, "\nother commands:\n"+list(all[1:])); err != nil {
				return err
			}
		}
		if len(c.settings) == 0 {
			return nil
		}
		if _, err := io.WriteString(w, "\nflags, each with its default and, where there is one, its environment variable:\n"); err != nil {
			return err
		}
		return writeSettings(w, c.settings)
	}
	return fmt.Errorf("%w: %q is no command; the commands are: %s", ErrUsage, name, commandNames())
}

func list(commands []command) string {
	var b strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-10s %s\n", c.name, c.help)
	}
	return b.String()
}
