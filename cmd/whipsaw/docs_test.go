package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"whipsaw/cmd/whipsaw/internal/config"
	"whipsaw/static"
)

//go:generate go test -count=1 -run ^TestDocs(Settings|API)$ . -update

var update = flag.Bool("update", false, "write what the tests compare with")

// topic is a text of the documentation, with its title and lead.
func topic(t *testing.T, name string) string {
	t.Helper()
	return source(t, "static/docs/"+name+".md")
}

// holdsGenerated compares what follows a heading of a topic with what the code says. With -update it is written there.
func holdsGenerated(t *testing.T, name, heading, want string) {
	t.Helper()
	text := topic(t, name)
	before, after, found := strings.Cut(text, "\n"+heading+"\n\n")
	require.True(t, found, heading)
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join(root(t), "static/docs", name+".md"), []byte(before+"\n"+heading+"\n\n"+want), 0o644))
		return
	}
	require.Equal(t, want, after, "static/docs/%s.md is not what the code says: go generate ./cmd/... ./static", name)
}

// A line of a table; bars in cells are escaped.
func row(cells ...string) string {
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// code is a text as code; nothing stays nothing.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// Every setting of every command is in the documentation, as it is defined.
func TestDocsSettings(t *testing.T) {
	var b strings.Builder
	table := func(title string, defs []config.Setting) {
		b.WriteString("## " + title + "\n\n| flag | variable | default | what |\n|---|---|---|---|\n")
		for _, d := range defs {
			b.WriteString(row(code(strings.TrimSpace("--"+d.Name+" "+d.Value)), code(d.Env), code(d.Default), d.Help))
		}
		b.WriteString("\n")
	}
	table("whipsaw publish", config.PublishSettings(new(config.Publish)))
	table("whipsaw sign", config.SignSettings(new(config.Sign)))
	table("whipsaw check", config.CheckSettings(new(config.Check)))
	table("whipsaw bench", config.BenchSettings(new(config.Bench)))
	_, server, found := strings.Cut(config.Reference(), "\n## ")
	require.True(t, found)
	holdsGenerated(t, "settings", "All settings of the server, by group; after them those of the other commands.", "## "+server+"\n"+strings.TrimRight(b.String(), "\n")+"\n")
}

// openAPI is what the documentation tells of /api/openapi.yaml.
type openAPI struct {
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Schemas map[string]struct {
			Description string
			Properties  map[string]yaml.Node
			AllOf       []map[string]string `yaml:"allOf"`
		}
	}
}

// Every address and every field of the API is in the documentation, as the description has it.
func TestDocsAPI(t *testing.T) {
	file, err := os.ReadFile("internal/api/openapi.yaml")
	require.NoError(t, err)
	var api openAPI
	require.NoError(t, yaml.Unmarshal(file, &api))
	var b strings.Builder
	b.WriteString("### Addresses\n\n| request | what |\n|---|---|\n")
	for _, path := range sortedKeys(api.Paths) {
		for _, method := range []string{"get", "post", "delete"} {
			node, ok := api.Paths[path][method]
			if !ok {
				continue
			}
			var operation struct{ Summary string }
			require.NoError(t, node.Decode(&operation))
			b.WriteString(row(code(strings.ToUpper(method)+" "+path), operation.Summary))
		}
	}
	for _, name := range sortedKeys(api.Components.Schemas) {
		schema := api.Components.Schemas[name]
		fmt.Fprintf(&b, "\n### %s\n\n", name)
		if schema.Description != "" {
			b.WriteString(schema.Description + ".\n\n")
		}
		if len(schema.AllOf) > 0 {
			b.WriteString("The fields of " + last(schema.AllOf[0]["$ref"]) + ", and:\n\n")
		}
		b.WriteString("| field | type | what |\n|---|---|---|\n")
		for _, field := range sortedKeys(schema.Properties) {
			b.WriteString(property(t, field, schema.Properties[field]))
		}
	}
	holdsGenerated(t, "api", "## Everything there is", b.String())
}

// property is the row of one field.
func property(t *testing.T, name string, node yaml.Node) string {
	t.Helper()
	var p struct {
		Type, Format, Description string
		Ref                       string `yaml:"$ref"`
		Enum                      []string
		Items                     struct {
			Type string
			Ref  string `yaml:"$ref"`
		}
	}
	require.NoError(t, node.Decode(&p))
	kind := p.Type
	switch {
	case p.Ref != "":
		kind = last(p.Ref)
	case p.Type == "array":
		kind = "list of " + last(p.Items.Ref+p.Items.Type)
	case p.Format == "date-time":
		kind = "time"
	}
	what := p.Description
	if len(p.Enum) > 0 {
		what = strings.TrimSpace(what + " one of " + strings.Join(p.Enum, ", "))
	}
	return row(code(name), kind, what)
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// The terminal has the topics that the pages have, each with its whole text.
func TestHelpTopics(t *testing.T) {
	_, list, _ := say(t, "help")
	for _, topic := range static.Topics() {
		require.Contains(t, list, "  "+topic.Name+" ")
		code, out, errs := say(t, "help", topic.Name)
		require.Zero(t, code, errs)
		require.Contains(t, out, topic.Title+"\n")
		require.Contains(t, out, "/docs/"+topic.Name+" of a running server")
		require.NotContains(t, out, "\x1b", "no colours but for a terminal")
		require.NotContains(t, out, "](", "no link is left as Markdown")
		require.NotContains(t, out, "**")
	}
	code, _, errs := say(t, "help", "latncy")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "did you mean latency?")
	_, _, errs = say(t, "help", "coturn")
	require.Contains(t, errs, "topics that speak of it: nat")
	for _, both := range []string{"check", "bench"} {
		_, out, _ := say(t, "help", both)
		require.Contains(t, out, "usage: whipsaw "+both)
		require.Contains(t, out, "The same as a page: /docs/"+both)
	}
}

// source is a file of the repository.
func source(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	require.NoError(t, err)
	return string(b)
}
