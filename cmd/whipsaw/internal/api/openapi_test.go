package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/cmd/whipsaw/internal/logbook"
	"whipsaw/segmenter"
)

// schema is as much of JSON Schema as the description uses.
type schema struct {
	Ref                  string `yaml:"$ref"`
	Type                 string
	Enum                 []string
	Required             []string
	Properties           map[string]schema
	AdditionalProperties any `yaml:"additionalProperties"`
	Items                *schema
	AllOf                []schema `yaml:"allOf"`
}

type spec struct {
	OpenAPI    string `yaml:"openapi"`
	Paths      map[string]map[string]yaml.Node
	Components struct{ Schemas map[string]schema }
}

func readSpec(t *testing.T) spec {
	t.Helper()
	var s spec
	require.NoError(t, yaml.Unmarshal(description, &s))
	require.Equal(t, "3.1.0", s.OpenAPI)
	return s
}

// properties are a schema's own and those it is made of.
func (s spec) properties(of schema) map[string]schema {
	all := map[string]schema{}
	for _, part := range of.AllOf {
		for name, p := range s.properties(s.resolve(part)) {
			all[name] = p
		}
	}
	for name, p := range of.Properties {
		all[name] = p
	}
	return all
}

func (s spec) required(of schema) []string {
	all := of.Required
	for _, part := range of.AllOf {
		all = append(slices.Clone(all), s.required(s.resolve(part))...)
	}
	return all
}

func (s spec) resolve(x schema) schema {
	if name, ok := strings.CutPrefix(x.Ref, "#/components/schemas/"); ok {
		return s.Components.Schemas[name]
	}
	return x
}

// conforms checks a value against a schema; what the schema does not name must not be there.
func (s spec) conforms(t *testing.T, at string, x schema, v any) {
	t.Helper()
	x = s.resolve(x)
	switch v := v.(type) {
	case map[string]any:
		require.Equal(t, "object", x.Type, at)
		properties := s.properties(x)
		for _, name := range s.required(x) {
			require.Contains(t, v, name, at)
		}
		for name, value := range v {
			p, known := properties[name]
			if !known && x.AdditionalProperties != nil {
				continue
			}
			require.True(t, known, "%s.%s is not described", at, name)
			s.conforms(t, at+"."+name, p, value)
		}
	case []any:
		require.Equal(t, "array", x.Type, at)
		for _, one := range v {
			s.conforms(t, at+"[]", *x.Items, one)
		}
	case string:
		require.Equal(t, "string", x.Type, at)
		if x.Enum != nil {
			require.Contains(t, x.Enum, v, at)
		}
	case float64:
		require.Contains(t, []string{"number", "integer"}, x.Type, at)
	case bool:
		require.Equal(t, "boolean", x.Type, at)
	default:
		require.Fail(t, "null", at)
	}
}

// The description has the routes that there are, and no others.
func TestOpenAPIRoutes(t *testing.T) {
	s := readSpec(t)
	described := map[string]bool{}
	for path, operations := range s.Paths {
		for method := range operations {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	r := chi.NewRouter()
	d := newDesk(t, func(*Config) {})
	Routes(r, d.Config, d.Insight.Log)
	served := map[string]bool{}
	require.NoError(t, chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if method != http.MethodHead && method != http.MethodOptions {
			served[method+" "+route] = true
		}
		return nil
	}))
	require.Equal(t, served, described)
}

// Every field that Go writes is described under its name, and every described one is written.
func TestOpenAPIFields(t *testing.T) {
	s := readSpec(t)
	for name, v := range map[string]any{
		"Streams": Streams{}, "Stream": Stream{}, "Publisher": segmenter.PublisherStatus{}, "End": segmenter.End{}, "Track": segmenter.TrackStatus{},
		"Video": segmenter.VideoStatus{}, "Audio": segmenter.AudioStatus{}, "Histogram": segmenter.Histogram{}, "Viewers": audience.Viewers{}, "Playback": cmcd.Stats{},
		"Finding": doctor.Finding{}, "Findings": Findings{}, "Ended": Ended{}, "Kick": Kick{}, "Kicked": Kicked{}, "Link": Link{}, "LogLine": logbook.Line{},
		"Snapshot": Snapshot{}, "Event": events.Event{}, "Problem": problem{},
	} {
		x, known := s.Components.Schemas[name]
		require.True(t, known, name)
		var described, written, always []string
		for p := range s.properties(x) {
			described = append(described, p)
		}
		fields(reflect.TypeOf(v), func(field string, optional bool) {
			written = append(written, field)
			if !optional {
				always = append(always, field)
			}
		})
		require.ElementsMatch(t, written, described, name)
		required := slices.Compact(slices.Sorted(slices.Values(s.required(x))))
		require.ElementsMatch(t, always, required, "%s: required", name)
	}
	for name := range s.Components.Schemas {
		require.Contains(t, string(description), `"#/components/schemas/`+name+`"`, "%s is used", name)
	}
	require.ElementsMatch(t, events.Types(), s.Components.Schemas["Event"].Properties["type"].Enum)
}

// fields calls do for every JSON field of a struct, those of embedded ones included.
func fields(of reflect.Type, do func(name string, optional bool)) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields(f.Type, do)
		case name != "-":
			do(name, options == "omitempty")
		}
	}
}

// What the handlers answer is as described.
func TestOpenAPIAnswers(t *testing.T) {
	s := readSpec(t)
	d := newDesk(t, func(c *Config) { c.Trusted = true })
	for _, c := range []struct{ method, path, schema string }{
		{"GET", "/api/streams", "Streams"}, {"GET", "/api/streams/a", "Stream"}, {"GET", "/api/streams/a/findings", "Findings"},
		{"GET", "/api/streams/a/viewers", "Viewers"}, {"GET", "/api/streams/a/snapshot", "Snapshot"}, {"GET", "/api/streams/unknown", "Problem"},
		{"POST", "/api/watch/a", "Link"}, {"POST", "/api/streams/a/kick", "Kicked"},
	} {
		w := d.do(c.method, c.path, "")
		var v any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), "%s: %s", c.path, w.Body)
		s.conforms(t, c.path, s.Components.Schemas[c.schema], v)
	}
	w := d.do("GET", "/api/openapi.yaml", "")
	require.Equal(t, description, w.Body.Bytes())
	require.Equal(t, "application/yaml", w.Header().Get("Content-Type"))
}
