package completion

import (
	"fmt"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// powershell has a table of words by command, and of values by flag.
func powershell(commands []config.Command) string {
	var b strings.Builder
	b.WriteString(`# Completion of whipsaw for PowerShell. Try it: whipsaw completion powershell | Out-String | Invoke-Expression
# Keep it: put that line into $PROFILE
Register-ArgumentCompleter -Native -CommandName whipsaw -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @{
`)
	for _, c := range commands {
		behind := c.Words
		if c.Name == "" {
			behind = names(commands)
		}
		fmt.Fprintf(&b, "        %s = @(%s)\n", quoted(c.Name), list(behind))
	}
	b.WriteString("    }\n    $flags = @{\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "        %s = @(%s)\n", quoted(c.Name), list(flags(c)))
	}
	b.WriteString("    }\n    $values = @{\n")
	for _, c := range commands {
		for _, s := range c.Settings {
			if s.Choices() != nil {
				fmt.Fprintf(&b, "        %s = @(%s)\n", quoted(c.Name+" --"+s.Name), list(s.Choices()))
			}
		}
	}
	b.WriteString(`    }
    $line = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    $command = ''
    if ($line.Count -gt 1 -and $words.ContainsKey($line[1]) -and -not ($line.Count -eq 2 -and $wordToComplete)) { $command = $line[1] }
    $before = if ($wordToComplete) { $line[$line.Count - 2] } else { $line[$line.Count - 1] }
    $candidates = if ($values.ContainsKey("$command $before")) { $values["$command $before"] }
        elseif ($wordToComplete -like '-*') { $flags[$command] }
        else { $words[$command] }
    $candidates | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
`)
	return b.String()
}

// quoted puts text in single quotes for PowerShell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func list(all []string) string {
	var out []string
	for _, s := range all {
		out = append(out, quoted(s))
	}
	return strings.Join(out, ", ")
}
