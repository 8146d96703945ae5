package config

import (
	"fmt"
	"strings"
)

// Reference describes every setting of the server in Markdown: by group, each with its flag, environment variable, key
// in the file of settings, default, what values it takes, and whether it changes while the server runs.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Settings of whipsaw\n\n" + referenceHead)
	title := ""
	for _, s := range ServeSettings(new(Serve)) {
		if s.Group != title {
			title = s.Group
			fmt.Fprintf(&b, "\n## %s\n", title)
		}
		b.WriteString(s.reference())
	}
	b.WriteString("\n" + referenceFile)
	return b.String()
}

// referenceFile tells of what is not a setting, but a form of them.
var referenceFile = `## The file

A file of settings is YAML of at most 1 MiB: one document, a table of settings and their values, lists where a setting may be repeated. There are no
anchors, aliases or tags, and nothing twice. ` + "`whipsaw config check FILE`" + ` tells all that is wrong with it and with the files that
it names, by line, and warns, as the log does, of secrets that every user of the machine can read; ` + "`whipsaw config print`" + ` prints what holds, and where
each value comes from; SIGHUP reads it again. A file with faults is refused as a whole: the server does not start, or goes on as it was.

Under ` + "`streams:`" + ` stand names of streams, or patterns in which * stands for any characters, and below each its settings: ` + sectionNames() + `.
The section with the name of a stream holds for it, or else the first whose pattern fits; sections are never mixed, and what one does not set is as for
all streams. The tokens of a section are good for its streams alone, besides --publish-token, which is good for all. What a live playlist has announced
never changes: other settings hold from the next generation on.
`

// sectionNames lists what a section may hold.
func sectionNames() string {
	var list []string
	for _, s := range sectionSettings(new(Section)) {
		list = append(list, "`"+s.Name+"`"+onlyIf(s.Name == "publish-token" || s.Name == "watch-token", " (one or a list)"))
	}
	return strings.Join(list, ", ")
}

const referenceHead = `A setting has the same name everywhere: it is a flag, a variable of the environment, and a key of the file that --config
names. A flag outdoes the variable, that the file, and that the default.
`

// reference is the entry of one setting.
func (d Setting) reference() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s.\n\n", d.Name, upper(d.Help))
	line := func(what, is string) { fmt.Fprintf(&b, "- %s: %s\n", what, is) }
	line("flag", "`"+d.usage()+"`"+onlyIf(d.Repeat, ", may be repeated"))
	line("environment", "`"+d.Env+"`"+onlyIf(d.Repeat, ", separated by commas")+onlyIf(d.Empty, ", may be empty"))
	switch {
	case d.Name == configName:
		line("file", "no")
	case d.Repeat:
		line("file", "`"+d.Name+":`, one value or a list")
	default:
		line("file", "`"+d.Name+":`")
	}
	if d.Default == "" {
		line("default", "none")
	} else {
		line("default", "`"+d.Default+"`")
	}
	line("takes", d.allowed())
	if d.Secret {
		line("secret", "never shown; better in the file or the variable, where other users do not see it")
	}
	if d.Stream {
		line("some streams", "may have it of their own, under `"+streamsKey+":` in the file")
	}
	switch {
	case d.Reload && d.Stream:
		line("SIGHUP", "changes it for generations that begin later")
	case d.Reload:
		line("SIGHUP", "changes it")
	default:
		line("SIGHUP", "does not change it: restart")
	}
	return b.String()
}

// usage is the flag with the kind of its value.
func (d Setting) usage() string {
	if d.Value == "" {
		return "--" + d.Name
	}
	return "--" + d.Name + " " + d.Value
}

func onlyIf(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// upper is a sentence with a capital at its beginning.
func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
