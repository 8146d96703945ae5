package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// bill is a bill of materials in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json), as far as it is used here. It bears
// no date and no serial number, which would make each one different.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string      `json:"type"`
	Ref        string      `json:"bom-ref,omitempty"`
	Name       string      `json:"name"`
	Version    string      `json:"version,omitempty"`
	URL        string      `json:"purl,omitempty"` // package URL
	Hashes     []hash      `json:"hashes,omitempty"`
	Properties []property  `json:"properties,omitempty"`
	Components []component `json:"components,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func billName(o options) string { return "whipsaw-" + o.version + ".cdx.json" }

// writeBill writes what the binaries are made of: the modules that Go has noted in them (go version -m), Go's own
// library, and the scripts of others that lie in the pages.
func writeBill(o options, built []binary) error {
	scripts, err := os.ReadFile(filepath.Join(o.source, "static", "vendor", "README.md"))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(materials(o.version, built, string(scripts)), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, billName(o)), append(text, '\n'), 0o644)
}

// materials is the bill for binaries; not all modules are in each of them.
func materials(version string, built []binary, scripts string) bill {
	self := component{Type: "application", Ref: "whipsaw", Name: "whipsaw", Version: version}
	parts := make(map[string]component)
	for _, b := range built {
		self.Components = append(self.Components, component{Type: "file", Ref: b.name, Name: b.name, Hashes: []hash{{"SHA-256", b.sum}}})
		add(parts, golang("stdlib", strings.TrimPrefix(b.info.GoVersion, "go"), ""))
		for _, m := range b.info.Deps {
			add(parts, golang(actual(m).Path, actual(m).Version, actual(m).Sum))
		}
	}
	for _, m := range regexp.MustCompile(`npm (\S+) (\d[0-9A-Za-z.-]*),`).FindAllStringSubmatch(scripts, -1) {
		add(parts, component{Type: "library", Name: m[1], Version: m[2], URL: fmt.Sprintf("pkg:npm/%s@%s", m[1], m[2])})
	}
	out := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{self}}
	top := dependency{Ref: self.Ref}
	for _, c := range parts {
		out.Components = append(out.Components, c)
	}
	slices.SortFunc(out.Components, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	for _, c := range out.Components {
		top.DependsOn = append(top.DependsOn, c.Ref)
	}
	out.Dependencies = []dependency{top}
	return out
}

func add(parts map[string]component, c component) {
	c.Ref = c.URL
	parts[c.Ref] = c
}

// golang is a module of Go; its sum is that of go.sum, over all files of it.
func golang(path, version, sum string) component {
	c := component{Type: "library", Name: path, Version: version, URL: fmt.Sprintf("pkg:golang/%s@%s", path, version)}
	if sum != "" {
		c.Properties = []property{{"go.sum", sum}}
	}
	return c
}

// actual is the module that stands in for m, if there is one.
func actual(m *debug.Module) *debug.Module {
	if m.Replace != nil {
		return m.Replace
	}
	return m
}
