package config

import (
	"strings"
)

// kinds say what each kind of value is, for errors and the reference.
var kinds = map[string]string{
	"":              "true or false",
	"ADDRESS":       "a mail address",
	"CIDR":          "an IP address, or a network like 10.0.0.0/8",
	"DIR":           "the path of a directory",
	"DOMAIN":        "a domain like live.example.com",
	"DURATION":      "a duration like 500ms, 2s or 1m30s",
	"FILE":          "the path of a file",
	"HOST:PORT":     "an address like 127.0.0.1:8080, [::1]:8080 or :8080",
	"IP":            "an IP address",
	"KBIT":          "a whole number of kbit/s from 0 on",
	"KEY":           "at least 32 printable characters without spaces and commas",
	"N":             "a whole number",
	"ORIGIN":        "an origin like https://example.com, or *",
	"PASSWORD":      "printable ASCII without spaces",
	"PATH":          "a path like /live",
	"PATTERN=TOKEN": "a pattern of streams, =, and a token like TOKEN above",
	"RATE":          "bits a second like 0, 500k, 900M or 2.5G",
	"SECRET":        "printable ASCII without spaces",
	"SIZE":          "a size like 512KiB, 16MiB or 4GiB",
	"TOKEN":         "printable ASCII without spaces, or sha256: and its digest",
	"URL":           "a URL",
	"URL|FILE":      "a URL, or the path of a file",
	"USER":          "a name",
	"AUDIENCE":      "text",
	"ISSUER":        "text",
}

// allowed says what values the setting takes.
func (d Setting) allowed() string {
	one := d.Allowed
	if one == "" {
		one = kinds[d.Value]
	}
	if one == "" && strings.Contains(d.Value, "|") {
		words := strings.Split(d.Value, "|")
		one = strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	}
	if one == "" {
		one = "a value"
	}
	if d.Repeat {
		return one + "; several as a list"
	}
	return one
}
