package completion

import (
	"fmt"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// zsh uses _arguments, which knows --flag value and --flag=value.
func zsh(commands []config.Command) string {
	var b strings.Builder
	b.WriteString(`#compdef whipsaw
# Completion of whipsaw for zsh. Try it: source <(whipsaw completion zsh)
# Keep it: whipsaw completion zsh > "${fpath[1]}/_whipsaw"
_whipsaw() {
	local command=
	local -a spec
	if ((CURRENT > 2)); then
		command=$words[2]
	fi
	case $command in
`)
	for _, c := range commands {
		if c.Name != "" {
			fmt.Fprintf(&b, "\t%s)\n\t\tshift words\n\t\t((CURRENT--))\n\t\tspec=(\n", c.Name)
			b.WriteString(zshSpec(c, c.Words, nil) + "\t\t)\n\t\t;;\n")
		}
	}
	server, help := commands[0], []string{}
	for _, c := range commands[1:] {
		help = append(help, strings.ReplaceAll(c.Name, ":", `\:`)+`\:`+zshText(c.Help))
	}
	b.WriteString("\t*)\n\t\tspec=(\n" + zshSpec(server, names(commands), help) + "\t\t)\n\t\t;;\n\tesac\n\t_arguments -S $spec\n}\n" +
		"if [[ $funcstack[1] == _whipsaw ]]; then\n\t_whipsaw\nelse\n\tcompdef _whipsaw whipsaw\nfi\n")
	return b.String()
}

// zshSpec lists the arguments of a command; help describes words one by one, if there is any.
func zshSpec(c config.Command, words, help []string) string {
	var b strings.Builder
	line := func(spec string) { b.WriteString("\t\t\t" + single(spec) + "\n") }
	for _, s := range c.Settings {
		spec := "--" + s.Name
		if s.Repeat {
			spec = "*" + spec
		}
		if s.Value != "" {
			spec += "="
		}
		spec += "[" + zshText(s.Help) + "]"
		if s.Value != "" {
			spec += ":" + zshText(s.Value) + ":" + zshAction(s)
		}
		line(spec)
	}
	line("--help[print help]")
	switch {
	case help != nil:
		var quoted []string
		for _, h := range help {
			quoted = append(quoted, `"`+strings.ReplaceAll(h, `"`, `\"`)+`"`)
		}
		line("1:command:((" + strings.Join(quoted, " ") + "))")
	case words != nil:
		line("1:word:(" + strings.Join(words, " ") + ")")
	}
	if c.Files {
		line("*:file:_files")
	}
	return b.String()
}

func zshAction(s config.Setting) string {
	switch {
	case s.Choices() != nil:
		return "(" + strings.Join(s.Choices(), " ") + ")"
	case s.TakesFile():
		return "_files"
	case s.TakesDir():
		return "_files -/"
	}
	return " "
}

// zshText keeps a description from being taken for the syntax around it.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`, "`", `\`+"`", "$", `\$`).Replace(s)
}
