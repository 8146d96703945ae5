// Package manpage makes the manual page in roff, for man(7), from the definitions of commands and settings.
package manpage

import (
	"io"
	"strings"

	"whipsaw/cmd/whipsaw/internal/config"
)

// Write prints the page of this version.
func Write(w io.Writer, version string) error {
	p := &page{}
	p.line(".TH WHIPSAW 1 \"\" " + quoted("whipsaw "+version) + " \"User Commands\"")
	p.section("NAME")
	p.line("whipsaw \\- WHIP in, low\\-latency HLS out")
	commands := config.Commands()
	p.section("SYNOPSIS")
	for _, c := range commands {
		for _, line := range c.Usage {
			p.synopsis(line)
		}
	}
	p.section("DESCRIPTION")
	p.text("A live video server. Publishers (OBS, browsers, ffmpeg, GStreamer) send H.264 and Opus over WebRTC (WHIP, RFC 9725); every HLS player watches, " +
		"about a second later. Nothing is decoded or encoded. Without a command the server runs.")
	for _, c := range commands {
		p.command(c)
	}
	p.rest()
	_, err := io.WriteString(w, p.b.String())
	return err
}

// page is a manual page that is being written.
type page struct {
	b      strings.Builder
	headed bool // the last line was a heading
}

func (p *page) line(s string) {
	p.b.WriteString(s + "\n")
	p.headed = strings.HasPrefix(s, ".SH") || strings.HasPrefix(s, ".SS")
}

func (p *page) section(title string) { p.line(".SH " + quoted(title)) }

// text is a paragraph.
func (p *page) text(s string) {
	p.paragraph()
	p.line(filled(s))
}

// paragraph begins one, where a heading has not done so.
func (p *page) paragraph() {
	if !p.headed {
		p.line(".PP")
	}
}

// synopsis is a command line, its first word bold.
func (p *page) synopsis(line string) {
	name, rest, _ := strings.Cut(line, " ")
	p.paragraph()
	p.line(".B " + escape(name) + "\n" + filled(rest))
}

// item is a term with its description.
func (p *page) item(term, description string) {
	p.line(".TP\n.B " + escape(term) + "\n" + filled(description))
}

// command tells of one command and its flags; those of config are the server's.
func (p *page) command(c config.Command) {
	title := "THE SERVER"
	if c.Name != "" {
		title = "WHIPSAW " + strings.ToUpper(c.Name)
	}
	p.section(title)
	p.text(sentence(c.Help))
	if len(c.Words) > 0 && c.Name != "help" {
		p.text("One of these comes first: " + strings.Join(c.Words, ", ") + ".")
	}
	if c.Name == "config" {
		p.text("It takes the flags of the server.")
		return
	}
	group := ""
	for _, s := range c.Settings {
		if s.Group != group {
			group = s.Group
			p.line(".SS " + quoted(group))
		}
		p.setting(s)
	}
}

func (p *page) setting(s config.Setting) {
	term := "--" + s.Name
	if s.Value != "" {
		term += " " + s.Value
	}
	var notes []string
	if s.Default != "" {
		notes = append(notes, "Default: "+s.Default+".")
	}
	if s.Env != "" {
		notes = append(notes, "Variable: "+s.Env+".")
	}
	p.item(term, strings.Join(append([]string{sentence(s.Help)}, notes...), " "))
}

// rest is what stands at the end of each manual page.
func (p *page) rest() {
	p.section("ENVIRONMENT")
	p.text("Each setting of the server has a variable: WHIPSAW_ and the name of its flag in capitals, with _ for -. A flag outdoes the variable, " +
		"that the file of --config, and that the default.")
	p.section("FILES")
	p.text("There is none unless --config names one: YAML, whose keys are the names of flags. Under streams: names or patterns of streams have settings of their own.")
	p.section("SIGNALS")
	p.item("SIGHUP", "The settings are read anew: tokens, certificates, origins, streams and the level of the log change, and no stream that is live notices. "+
		"A file with faults changes nothing.")
	p.item("SIGINT, SIGTERM", "Publishers and players are told, and the server ends within ten seconds. A second one ends it at once.")
	p.section("EXIT STATUS")
	p.item("0", "All went well.")
	p.item("1", "It failed; with check: the stream breaks a rule; with config check: there are faults.")
	p.item("2", "The command line or the settings are wrong.")
	p.section("EXAMPLES")
	for _, e := range []struct{ what, line string }{
		{"Try it, and open http://127.0.0.1:8080/watch/demo:", "whipsaw --demo"},
		{"Serve others, with a certificate of Let's Encrypt:", "WHIPSAW_PUBLISH_TOKEN=... whipsaw --listen :443 --acme-domain live.example.com --state /var/lib/whipsaw"},
		{"Look for what is wrong in a file of settings:", "whipsaw config check /etc/whipsaw.yaml"},
	} {
		p.text(e.what)
		p.line(".RS 4\n.nf\n" + escape(e.line) + "\n.fi\n.RE")
	}
	p.section("SEE ALSO")
	p.text("whipsaw help lists more topics, like settings.")
}

// sentence is a help text as a sentence.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// escape makes text mean itself in roff: no escapes, no requests at the beginning of a line, dashes that can be copied.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// filled is text in lines that are not too long for those who read the source.
func filled(s string) string {
	const most = 78
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if word = escape(word); line != "" && len(line)+1+len(word) > most {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}

// quoted is an argument of a request.
func quoted(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, `""`) + `"` }
