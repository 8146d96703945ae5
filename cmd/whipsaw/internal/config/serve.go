package config

import (
	"fmt"
	"net"
	"strings"

	"whipsaw/segmenter"
	"whipsaw/signaling"
)

// Serve is what the server is told.
type Serve struct {
	Delivery
	Ingest
	Access
	Operator

	Config    string // file of settings; empty: there is none
	Segmenter segmenter.Config
	Rules     signaling.StreamRules // of streams without a Section
	Streams   []Section             // what some streams have of their own, those first that win
	State     string                // directory of what survives a restart; empty: nothing does
	Demo      bool                  // publish the built-in clip as well
}

// group is a part of the server's settings, with its title.
type group struct {
	title    string
	settings []Setting
}

// configName is the setting that names the file of the others.
const configName = "config"

// serveGroups are the definitions for the server by what they are about; what they are given goes to c.
func serveGroups(c *Serve) []group {
	return []group{
		{"Settings themselves", []Setting{
			{Name: configName, Value: "FILE", set: text(&c.Config),
				Help: "file of settings in YAML: keys are the names of flags; variables and flags outdo it; SIGHUP reads it again"},
		}},
		{"How viewers reach the server", deliverySettings(&c.Delivery)},
		{"How publishers reach the server", ingestSettings(&c.Ingest, &c.Segmenter)},
		{"Streams", streamSettings(&c.Segmenter, &c.Rules, &c.State)},
		{"Who may publish and watch", accessSettings(&c.Access)},
		{"The operator", operatorSettings(&c.Operator)},
		{"Trials", []Setting{
			{Name: "demo", Default: "false", set: toggle(&c.Demo),
				Help: "publish a built-in test clip, in a loop, as stream \"demo\""},
		}},
	}
}

// ServeSettings are the definitions for the server; what they are given goes to c.
func ServeSettings(c *Serve) []Setting {
	var all []Setting
	for _, g := range serveGroups(c) {
		for _, s := range g.settings {
			s.Group = g.title
			s.Env = "WHIPSAW_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
			all = append(all, s)
		}
	}
	return all
}

// ParseServe reads the server's command line. Errors wrap ErrUsage or ErrHelp.
func ParseServe(args []string, env Lookup) (Serve, error) {
	l, err := Load(args, env)
	return l.Serve, err
}

// Loopback reports whether only this machine reaches the server.
func (c Serve) Loopback() bool { return c.Delivery.local() }

// Closed reports whether only requests for this machine's own name may be answered: there is no token that would keep
// a web page, which the browser of this machine shows, from publishing and watching here.
func (c Serve) Closed() bool { return !c.Authenticated() && !c.OpenPublish }

// check finds what does not go together.
func (c Serve) check() []error {
	var all []error
	for _, err := range unwrapped(c.Segmenter.Validate()) {
		// The setting's name begins the text and is the flag's name as well.
		all = append(all, fmt.Errorf("%w: --%s", ErrUsage, strings.TrimPrefix(err.Error(), segmenter.ErrConfig.Error()+": ")))
	}
	all = append(all, c.Access.check()...)
	all = append(all, c.Operator.check()...)
	all = append(all, c.Delivery.check(c.State)...)
	all = append(all, c.Ingest.check()...)
	if where := c.elsewhere(); where != "" && c.Closed() {
		all = append(all, fmt.Errorf("%w: %s is reached from other machines, so publishers must show a token: set WHIPSAW_PUBLISH_TOKEN "+
			"(or another setting that asks for one), or say --open-publish if everybody may publish", ErrUsage, where))
	}
	return all
}

// unwrapped returns the errors that one joins, or the one.
func unwrapped(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// rule is something that settings have to keep among each other.
type rule struct {
	broken bool
	says   string
}

// broken returns an error for each rule that is broken.
func broken(rules ...rule) []error {
	var all []error
	for _, r := range rules {
		if r.broken {
			all = append(all, fmt.Errorf("%w: %s", ErrUsage, r.says))
		}
	}
	return all
}

// mediaAddress keeps media on loopback when everything else is.
func mediaAddress(listen, udp string) string {
	if !loopback(listen) {
		return udp
	}
	// Both are addresses, or they would have been refused before.
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(udp)
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
