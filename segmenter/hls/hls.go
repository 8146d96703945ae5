// Package hls answers players over HTTP: playlists, blocking reloads, parts, segments and init segments, as
// draft-pantos-hls-rfc8216bis-22 asks a low-latency origin to.
//
// A request loads one immutable Snapshot and writes slices that are shared by all viewers; one that has to wait sleeps on
// the Snapshot's channel with its own context and deadline. No lock is held and nothing is rendered for one viewer.
package hls

import (
	"context"
	"net/http"
	"strings"
	"time"

	"whipsaw/segmenter"
)

// Options says what the handlers need to know besides the streams. The zero value is usable.
type Options struct {
	// Origins returns those that may read across origins, written as browsers send them (https://example.com). It is asked
	// at each request, and what it returns is not changed later. Nil, or none: everybody may.
	Origins func() []string
}

// Handler answers players. The server must not have a WriteTimeout, which would cut blocked requests: every write gets its
// own deadline here, through http.ResponseController. Its methods are safe for any goroutine.
type Handler struct {
	reg  *segmenter.Registry
	cors cors
}

// New returns a Handler for the streams of a registry.
func New(reg *segmenter.Registry, opts Options) *Handler {
	return &Handler{reg: reg, cors: cors{opts.Origins}}
}

const allowed = "GET, HEAD, OPTIONS"

// Serve answers a request for a path, which is that of its URL below where the stream URLs begin, as it was sent:
//
//	/{stream}/index.m3u8                            the multivariant playlist, the only stable URL
//	/{stream}/{generation}/{rendition}/media.m3u8   media playlists
//	/{stream}/{generation}/{rendition}/{file}       init segments, parts, segments
//
// Everything else is 404.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, path string) {
	h.cors.allow(w.Header(), r)
	status, body := h.answer(w.Header(), r, path)
	write(w, r, status, body)
}

// answer waits for what is asked for and sets its headers. What it needs of the stack is free again when net/http writes,
// which needs much: together it would be more than the 8 kB that are enough for each.
func (h *Handler) answer(header http.Header, r *http.Request, path string) (status int, body [][]byte) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		c, err := h.find(r, path)
		if err != nil {
			return fail(header, err)
		}
		return c.form(header, r)
	case http.MethodOptions:
		preflight(header, r)
		return http.StatusNoContent, nil
	default:
		return fail(header, errMethod)
	}
}

// find returns what a path stands for, once it is there.
func (h *Handler) find(r *http.Request, path string) (content, error) {
	name, path, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	stream := h.reg.Lookup(name)
	if stream == nil {
		return content{}, errUnknown
	}
	if path == "index.m3u8" {
		return multivariant(r, stream)
	}
	id, path, _ := strings.Cut(path, "/")
	gen := stream.FindGeneration(id)
	if gen == nil {
		return content{}, errUnknown
	}
	name, file, _ := strings.Cut(path, "/")
	rendition := gen.Rendition(name)
	if rendition == nil {
		return content{}, errUnknown
	}
	if file == segmenter.MediaPlaylistName {
		return mediaPlaylist(r, rendition)
	}
	piece, ok := parseName(file)
	if !ok {
		return content{}, errUnknown
	}
	body, err := media(r.Context(), rendition, piece)
	if err != nil {
		return content{}, err
	}
	return mediaContent(rendition.Name(), `"`+gen.ID()+"/"+rendition.Name()+"/"+file+`"`, body), nil
}

// multivariant answers for /{stream}/index.m3u8.
func multivariant(r *http.Request, stream *segmenter.Stream) (content, error) {
	gen := stream.Generation()
	if gen == nil {
		return content{}, errUnknown
	}
	rendered := gen.Multivariant()
	if rendered == nil {
		return content{}, errUnknown
	}
	return playlistContent(r, rendered, multivariantCache), nil
}

// patience is how long a request blocks. 6.2.5.2: Service Unavailable after more than three target durations. hls.js waits
// for ten seconds: with a target duration above three it gives up first. It asks for the next part alone, which comes, or
// filler for it, long before.
func patience(of *segmenter.Snapshot) time.Duration {
	return 3 * time.Duration(of.TargetDuration()) * time.Second
}

// wait blocks until ready holds, the rendition has ended, the client leaves or patience does.
func wait(ctx context.Context, rendition *segmenter.Rendition, ready func(*segmenter.Snapshot) bool) (*segmenter.Snapshot, error) {
	late := time.NewTimer(patience(rendition.Snapshot()))
	defer late.Stop()
	return rendition.Wait(ctx, late.C, ready)
}
