package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// release is set by release builds: -ldflags "-X main.release=v1.2.3".
var release string

// version tells the release, or else the commit that the binary was built from.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	commit := set["vcs.revision"]
	if len(commit) > 12 {
		commit = commit[:12]
	}
	if set["vcs.modified"] == "true" {
		commit += "+changes"
	}
	return cmp.Or(commit, strings.Trim(info.Main.Version, "()"), "unknown")
}

// userAgent is how publish introduces itself.
func userAgent() string { return "whipsaw/" + version() }
