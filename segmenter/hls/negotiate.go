package hls

import (
	"strconv"
	"strings"
)

// acceptsGzip reports whether gzip is at least as welcome as no coding at all (RFC 9110 12.5.3).
func acceptsGzip(headers []string) bool {
	gzip, identity, rest := -1.0, -1.0, -1.0 // below 0: not mentioned
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			coding, parameters, _ := strings.Cut(item, ";")
			q := quality(parameters)
			switch strings.ToLower(strings.Trim(coding, " \t")) {
			case "gzip", "x-gzip": // RFC 9110 8.4.1.3: x-gzip means the same
				gzip = max(gzip, q)
			case "identity":
				identity = q
			case "*":
				rest = q
			}
		}
	}
	if gzip < 0 {
		gzip = rest
	}
	return gzip > 0 && gzip >= identity
}

// quality reads ";q=0.5"; a weight that is malformed counts as 0, so that nothing is sent that might not be wanted.
func quality(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// matches is the weak comparison of If-None-Match with an entity tag (RFC 9110 13.1.2).
func matches(headers []string, etag string) bool {
	for _, rest := range headers {
		for rest != "" {
			rest = strings.TrimLeft(rest, " \t,")
			if rest == "*" {
				return true
			}
			rest = strings.TrimPrefix(rest, "W/")
			if !strings.HasPrefix(rest, `"`) {
				break // not a list of entity tags
			}
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				break
			}
			if rest[:end+2] == etag {
				return true
			}
			rest = rest[end+2:]
		}
	}
	return false
}
