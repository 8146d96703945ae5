// Package hls answers players over HTTP: playlists, blocking reloads, parts, segments and init segments, as
// draft-pantos-hls-rfc8216bis-22 asks a low-latency origin to.
//
// A request loads one immutable Snapshot and writes slices that are shared by all viewers; one that has to wait sleeps on
// the Snapshot's channel with its own context and deadline. No lock is held and nothing is rendered for one viewer.
package hls

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/segmenter"
)

// Options says what the handlers need to know besides the streams. The zero value is usable.
type Options struct {
	// Origins returns those that may read across origins, written as browsers send them (https://example.com). It is asked
	// at each request, and what it returns is not changed later. Nil, or none: everybody may.
	Origins func() []string
}

// Routes adds the players' paths to r, which is mounted where the stream URLs begin:
//
//	/{stream}/index.m3u8                            the multivariant playlist, the only stable URL
//	/{stream}/{generation}/{rendition}/media.m3u8   media playlists
//	/{stream}/{generation}/{rendition}/{file}       init segments, parts, segments
//
// Everything else below r is 404. The server must not have a WriteTimeout, which would cut blocked requests: every write
// gets its own deadline here, through http.ResponseController.
func Routes(r chi.Router, reg *segmenter.Registry, opts Options) {
	s := newServer(reg, opts)
	r.Handle("/{stream}/index.m3u8", s.handle(s.multivariant))
	r.Handle("/{stream}/{generation}/{rendition}/{file}", s.handle(s.file))
	r.Handle("/*", s.handle(nothing))
}

// server holds what is the same for all requests.
type server struct {
	reg  *segmenter.Registry
	cors cors
}

func newServer(reg *segmenter.Registry, opts Options) *server {
	return &server{reg: reg, cors: cors{opts.Origins}}
}

const allowed = "GET, HEAD, OPTIONS"

// handle is the frame around every answer: methods, CORS, errors.
func (s *server) handle(answer func(*http.Request) (content, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.cors.allow(w.Header(), r)
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			c, err := answer(r)
			if err != nil {
				s.fail(w, r, err)
				return
			}
			send(w, r, c)
		case http.MethodOptions:
			preflight(w.Header(), r)
			w.WriteHeader(http.StatusNoContent)
		default:
			s.fail(w, r, errMethod)
		}
	}
}

func nothing(*http.Request) (content, error) { return content{}, errUnknown }

// multivariant answers for /{stream}/index.m3u8.
func (s *server) multivariant(r *http.Request) (content, error) {
	stream := s.reg.Lookup(chi.URLParam(r, "stream"))
	if stream == nil {
		return content{}, errUnknown
	}
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

// file answers for everything that lies under a generation.
func (s *server) file(r *http.Request) (content, error) {
	stream := s.reg.Lookup(chi.URLParam(r, "stream"))
	if stream == nil {
		return content{}, errUnknown
	}
	gen := stream.FindGeneration(chi.URLParam(r, "generation"))
	if gen == nil {
		return content{}, errUnknown
	}
	rendition := gen.Rendition(chi.URLParam(r, "rendition"))
	if rendition == nil {
		return content{}, errUnknown
	}
	file := chi.URLParam(r, "file")
	if file == segmenter.MediaPlaylistName {
		return s.mediaPlaylist(r, rendition)
	}
	name, ok := parseName(file)
	if !ok {
		return content{}, errUnknown
	}
	body, err := s.media(r.Context(), rendition, name)
	if err != nil {
		return content{}, err
	}
	return mediaContent(rendition.Name(), gen.ID()+"/"+rendition.Name()+"/"+file, body), nil
}

// patience is how long a request blocks. 6.2.5.2: Service Unavailable after more than three target durations. hls.js waits
// for ten seconds: with a target duration above three it gives up first. It asks for the next part alone, which comes, or
// filler for it, long before.
func patience(of *segmenter.Snapshot) time.Duration {
	return 3 * time.Duration(of.TargetDuration()) * time.Second
}

// wait blocks until ready holds, the rendition has ended, the client leaves or patience does.
func (s *server) wait(ctx context.Context, rendition *segmenter.Rendition, ready func(*segmenter.Snapshot) bool) (*segmenter.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, patience(rendition.Snapshot()))
	defer cancel()
	return rendition.Wait(ctx, ready)
}
