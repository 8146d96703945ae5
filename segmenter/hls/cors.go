package hls

import (
	"net/http"
	"slices"
)

// cors lets pages of other origins read. There is nothing in an answer that depends on who asks, so by default all may.
type cors struct {
	origins func() []string // nil: all
}

// listed returns the origins that may read; none stand for all.
func (c cors) listed() []string {
	if c.origins == nil {
		return nil
	}
	origins := c.origins()
	if slices.Contains(origins, "*") {
		return nil
	}
	return origins
}

// exposed are the headers that players read: without them scripts of other origins see none of these.
var exposed = fixed{"Age, Cache-Control, Content-Encoding, Content-Length, Content-Range, Date, ETag"}

var everybody = fixed{"*"}

// allow is on every answer, errors included, or scripts could not tell them apart.
func (c cors) allow(h http.Header, r *http.Request) {
	origin := everybody
	if listed := c.listed(); len(listed) > 0 {
		h.Add("Vary", "Origin")
		i := slices.Index(listed, r.Header.Get("Origin"))
		if i < 0 {
			return
		}
		origin = fixed(listed[i : i+1 : i+1])
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
