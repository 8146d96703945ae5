package config

import "log/slog"

// Secret is a string that neither fmt nor slog nor an encoder shows.
type Secret string

const hidden = "[secret]"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String, GoString, LogValue and MarshalText tell no more than whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides it from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue hides it from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides it from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the secrets themselves.
func Reveal(secrets []Secret) []string {
	var out []string
	for _, s := range secrets {
		out = append(out, s.Reveal())
	}
	return out
}
