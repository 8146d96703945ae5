package hls

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// directives are the Delivery Directives of one request (6.2.5).
type directives struct {
	msn  int64 // _HLS_msn, absent below 0
	part int64 // _HLS_part, absent below 0
	skip bool  // _HLS_skip=YES or v2
}

// blocks reports whether the client asks to wait.
func (d directives) blocks() bool { return d.msn >= 0 }

// parseDirectives reads the query of a playlist's URL: the directives in any order between parameters of any other name,
// unknown _HLS_ ones included. Errors wrap errDirectives.
func parseDirectives(query string) (directives, error) {
	d := directives{msn: -1, part: -1}
	skipped := false
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(pair, "=")
		if name = unescape(name); !strings.HasPrefix(name, "_HLS_") {
			continue
		}
		var err error
		switch name {
		case "_HLS_msn":
			d.msn, err = parseDirective(name, value, d.msn)
		case "_HLS_part":
			d.part, err = parseDirective(name, value, d.part)
		case "_HLS_skip":
			if skipped {
				err = fmt.Errorf("%w: _HLS_skip stands twice", errDirectives)
			}
			skipped = true
			value = unescape(value)
			d.skip = value == "YES" || value == "v2"
		}
		if err != nil {
			return directives{}, err
		}
	}
	// 6.2.5.2: _HLS_part without _HLS_msn is a bad request.
	if d.part >= 0 && d.msn < 0 {
		return directives{}, fmt.Errorf("%w: _HLS_part without _HLS_msn", errDirectives)
	}
	return d, nil
}

// parseDirective reads a decimal-integer (4.2) below 2^63; present is what an earlier one of the same name gave.
func parseDirective(name, value string, present int64) (int64, error) {
	value = unescape(value)
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case present >= 0:
		return 0, fmt.Errorf("%w: %s stands twice", errDirectives, name)
	case err != nil || strings.Trim(value, "0123456789") != "":
		return 0, fmt.Errorf("%w: %s is not a number below 2^63", errDirectives, name)
	}
	return n, nil
}

// unescape undoes percent-encoding; what is malformed stays as it is and so is no number nor known name.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return plain
}
