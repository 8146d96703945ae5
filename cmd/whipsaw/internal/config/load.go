package config

import (
	"fmt"
	"slices"

	"whipsaw/segmenter"
)

// Loaded is what the server is told, and each value with where it comes from.
type Loaded struct {
	Serve
	Values   []Value // in the order of ServeSettings
	Sections []SectionValues
}

// SectionValues is what a file says of the streams that fit a pattern.
type SectionValues struct {
	Pattern string
	Origin  Origin
	Values  []Value // only those that are set
}

// Load reads the server's command line, its environment, and the file of settings if one of these names it. All that is
// wrong is told at once: the error is a Faults, each of which wraps ErrUsage; or it is ErrHelp.
func Load(args []string, env Lookup) (Loaded, error) {
	flagged, rest, err := flags(ServeSettings(new(Serve)), args)
	switch {
	case err != nil:
		return Loaded{}, err
	case len(rest) > 0:
		return Loaded{}, fmt.Errorf("%w: %q is no command; the commands are: %s", ErrUsage, rest[0], commandNames())
	}
	return load(flagged, env)
}

// LoadFile reads the settings as Load does, with the file that stands among the arguments.
func LoadFile(args []string, env Lookup) (file string, l Loaded, err error) {
	flagged, rest, err := flags(ServeSettings(new(Serve)), args)
	switch {
	case err != nil:
		return "", Loaded{}, err
	case len(rest) != 1 || flagged[configName] != nil:
		return "", Loaded{}, fmt.Errorf("%w: config check takes one FILE, and flags of the server that are used with it", ErrUsage)
	}
	flagged[configName] = rest
	l, err = load(flagged, env)
	return rest[0], l, err
}

func load(flagged map[string][]string, env Lookup) (Loaded, error) {
	l := Loaded{Serve: Serve{Segmenter: segmenter.DefaultConfig()}}
	defs := ServeSettings(&l.Serve)
	var file *document
	var faults []error
	if where := defs[0].choose(flagged, env, nil); where.Given != nil && where.Given[0] != "" {
		file = readDocument(where.Given[0], defs[1:])
		faults = file.faults
	}
	values, wrong := resolve(defs, flagged, env, file)
	l.Values = values
	if file != nil {
		wrong = append(wrong, l.sections(file)...)
	}
	if faults = append(faults, wrong...); len(faults) > 0 {
		return l, faultsOf(faults) // what does not go together may only look so
	}
	if i := slices.IndexFunc(values, func(v Value) bool { return v.Name == "webrtc-udp" }); values[i].Origin == (Origin{}) {
		l.WebRTCUDP = mediaAddress(l.Listen, l.WebRTCUDP)
		values[i].Given = []string{l.WebRTCUDP}
	}
	for _, err := range l.check() {
		faults = append(faults, locate(err, values))
	}
	return l, faultsOf(faults)
}
