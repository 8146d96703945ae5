package config

import (
	"slices"
	"strings"
)

// Command is one of the program's commands, as completion and the manual page tell of it.
type Command struct {
	Name     string    // empty: the server
	Usage    []string  // command lines
	Help     string    // one sentence without a full stop
	Words    []string  // that may stand behind the name
	Files    bool      // or files may
	Settings []Setting // its flags
}

// words are what may stand behind the names of commands, besides their flags.
var words = map[string][]string{
	"bench":      {BenchPublish, BenchWatch, BenchRun, BenchReport},
	"config":     {"print", "check"},
	"completion": Shells(),
}

// Shells are those that completion is made for.
func Shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// Commands lists all of them, the server first.
func Commands() []Command {
	var out []Command
	for _, c := range commands() {
		one := Command{Name: c.name, Help: c.help, Words: words[c.name], Settings: c.settings, Files: strings.Contains(c.line, "FILE") || strings.Contains(c.line, "RESULT")}
		for line := range strings.Lines(c.line) {
			one.Usage = append(one.Usage, strings.TrimSpace(line))
		}
		switch c.name {
		case "config":
			one.Settings = ServeSettings(new(Serve))
		case "help":
			one.Words = CommandNames()
		}
		out = append(out, one)
	}
	return out
}

// Choices are the words that the setting takes, if it takes nothing else.
func (d Setting) Choices() []string {
	all := strings.Split(d.Value, "|")
	if len(all) < 2 || strings.ToLower(d.Value) != d.Value {
		return nil
	}
	return slices.Clone(all)
}

// TakesFile and TakesDir tell what kind of path the setting takes, if any.
func (d Setting) TakesFile() bool { return strings.Contains(d.Value, "FILE") }

// TakesDir is for directories what TakesFile is for files.
func (d Setting) TakesDir() bool { return d.Value == "DIR" }
