package completion

import (
	"fmt"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// bash runs with version 3.2, which macOS has, as well. There = parts words, so that --flag=value are three.
func bash(commands []config.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Completion of whipsaw for bash. Try it: source <(whipsaw completion bash)
# Keep it: whipsaw completion bash > /etc/bash_completion.d/whipsaw
_whipsaw() {
	local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD-1]} command= words= flags= values= files=
	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $flag == = ]]; then
		flag=${COMP_WORDS[COMP_CWORD-2]}
	fi
	if ((COMP_CWORD > 1)); then
		case ${COMP_WORDS[1]} in
		%s) command=${COMP_WORDS[1]} ;;
		esac
	fi
	case $command in
`, strings.Join(names(commands), " | "))
	for _, c := range commands {
		words := c.Words
		if c.Name == "" {
			words = names(commands)
		}
		fmt.Fprintf(&b, "\t%s)\n\t\twords='%s'\n\t\tflags='%s'\n", single(c.Name), strings.Join(words, " "), strings.Join(flags(c), " "))
		if c.Files {
			b.WriteString("\t\tfiles=f\n")
		}
		b.WriteString(bashValues(c) + "\t\t;;\n")
	}
	b.WriteString(`	esac
	case $values in
	FILE) files=f ;;
	DIR) files=d ;;
	ANY) return ;;
	?*)
		COMPREPLY=($(compgen -W "$values" -- "$cur"))
		return
		;;
	esac
	if [[ -z $values && $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$flags" -- "$cur"))
		return
	fi
	# A word stands behind its command at once, a command at the beginning.
	if [[ -z $values ]] && ((COMP_CWORD == 1 || COMP_CWORD == 2)) && [[ -n $command || COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W "$words" -- "$cur"))
		[[ -n $words ]] && return
	fi
	if [[ -n $files ]]; then
		local IFS=$'\n'
		COMPREPLY=($(compgen -$files -- "$cur"))
		compopt -o filenames 2>/dev/null
	fi
}
complete -F _whipsaw whipsaw
`)
	return b.String()
}

// bashValues sets values to what the flag before the cursor takes.
func bashValues(c config.Command) string {
	by := map[string][]string{}
	var order []string
	for _, s := range c.Settings {
		kind := "ANY"
		switch {
		case s.Value == "":
			continue
		case s.Choices() != nil:
			kind = strings.Join(s.Choices(), " ")
		case s.TakesFile():
			kind = "FILE"
		case s.TakesDir():
			kind = "DIR"
		}
		if by[kind] == nil {
			order = append(order, kind)
		}
		by[kind] = append(by[kind], "-"+s.Name, "--"+s.Name)
	}
	if order == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("\t\tcase $flag in\n")
	for _, kind := range order {
		fmt.Fprintf(&b, "\t\t%s) values='%s' ;;\n", strings.Join(by[kind], " | "), kind)
	}
	return b.String() + "\t\tesac\n"
}
