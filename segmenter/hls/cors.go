package hls

import (
	"net/http"
	"slices"
)

// cors lets pages of other origins read. There is nothing in an answer that depends on who asks, so by default all may.
type cors struct {
	origins []string // empty: all
}

func newCORS(origins []string) cors {
	if slices.Contains(origins, "*") {
		origins = nil
	}
	return cors{origins: slices.Clone(origins)}
}

// exposed are the headers that players read: without them scripts of other origins see none of these.
var exposed = fixed{"Age, Cache-Control, Content-Encoding, Content-Length, Content-Range, Date, ETag"}

var everybody = fixed{"*"}

// allow is on every answer, errors included, or scripts could not tell them apart.
func (c cors) allow(h http.Header, r *http.Request) {
	origin := everybody
	if len(c.origins) > 0 {
		h.Add("Vary", "Origin")
		i := slices.Index(c.origins, r.Header.Get("Origin"))
		if i < 0 {
			return
		}
		origin = fixed(c.origins[i : i+1 : i+1])
	}
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Expose-Headers"] = exposed
}

// preflight answers OPTIONS, for CORS and for anybody else who wonders.
func preflight(h http.Header, r *http.Request) {
	h.Set("Allow", allowed)
	if h.Get("Access-Control-Allow-Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return
	}
	h.Set("Access-Control-Allow-Methods", allowed)
	h.Set("Access-Control-Allow-Headers", "If-None-Match, If-Range, Range, *")
	h.Set("Access-Control-Max-Age", "86400")
}
