package completion

import (
	"fmt"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// fish has one line for each command and flag.
func fish(commands []config.Command) string {
	var b strings.Builder
	b.WriteString(`# Completion of whipsaw for fish. Try it: whipsaw completion fish | source
# Keep it: whipsaw completion fish > ~/.config/fish/completions/whipsaw.fish
function __whipsaw_command
	set -l words (commandline -opc)
	if test (count $words) -gt 1; and contains -- $words[2] $argv
		return 0
	end
	return 1
end
complete -c whipsaw -f
`)
	all := strings.Join(names(commands), " ")
	for _, c := range commands {
		when := "__whipsaw_command " + c.Name
		if c.Name == "" {
			when = "not __whipsaw_command " + all
		} else {
			fmt.Fprintf(&b, "complete -c whipsaw -n '__fish_is_first_token' -a %s -d %s\n", c.Name, fishText(c.Help))
		}
		if len(c.Words) > 0 {
			fmt.Fprintf(&b, "complete -c whipsaw -n '%s; and test (count (commandline -opc)) -eq 2' -a %s\n", when, fishText(strings.Join(c.Words, " ")))
		}
		if c.Files {
			behind := ""
			if len(c.Words) > 0 {
				behind = "; and test (count (commandline -opc)) -gt 2"
			}
			fmt.Fprintf(&b, "complete -c whipsaw -n '%s%s' -F\n", when, behind)
		}
		for _, s := range c.Settings {
			fmt.Fprintf(&b, "complete -c whipsaw -n '%s' -l %s%s -d %s\n", when, s.Name, fishValue(s), fishText(s.Help))
		}
		fmt.Fprintf(&b, "complete -c whipsaw -n '%s' -l help -d 'print help'\n", when)
	}
	return b.String()
}

func fishValue(s config.Setting) string {
	switch {
	case s.Value == "":
		return ""
	case s.Choices() != nil:
		return " -x -a " + fishText(strings.Join(s.Choices(), " "))
	case s.TakesFile():
		return " -r -F"
	case s.TakesDir():
		return " -x -a '(__fish_complete_directories)'"
	}
	return " -x"
}

// fishText puts text in single quotes, in which fish knows \' and \\.
func fishText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
