package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/segmenter"
)

const (
	defaultBlock = 30 * time.Second
	maxBlock     = 24 * time.Hour
	maxKickBody  = 1 << 10
)

// Ended is the body of the answer to DELETE /api/streams/{stream}.
type Ended struct {
	Session string `json:"session,omitempty"` // of the publisher that was ended, if there was one
}

// end ends a stream's generation and its publisher, who may come back at once and then begins a new one.
func (s *server) end(w http.ResponseWriter, r *http.Request) {
	if !s.operating(w, r, changing) {
		return
	}
	name := chi.URLParam(r, "stream")
	session, err := s.Registry.End(name)
	switch {
	case errors.Is(err, segmenter.ErrNoStream):
		s.refuse(w, http.StatusNotFound, "there is no stream of that name now")
		return
	case errors.Is(err, segmenter.ErrNoPublisher):
		s.refuse(w, http.StatusConflict, "the stream has ended already")
		return
	case err != nil:
		s.refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	s.log.Info("stream ended by the operator", "stream", name, "session", session)
	write(w, Ended{Session: session}, s.log)
}

// Kick is the body of POST /api/streams/{stream}/kick; it may be left out.
type Kick struct {
	Block string `json:"block,omitempty"` // for how long nobody may publish the stream, like "30s" or "1h"; "0s": not at all
}

// Kicked is the body of the answer.
type Kicked struct {
	Session      string     `json:"session,omitempty"` // of the publisher that was ended, if there was one
	BlockedUntil *time.Time `json:"blocked_until,omitempty"`
}

// kick ends a stream's publisher, with close_notify, and keeps all publishers out for a time. Viewers see what they see
// when a publisher is lost.
func (s *server) kick(w http.ResponseWriter, r *http.Request) {
	if !s.operating(w, r, changing) {
		return
	}
	block, err := blockTime(w, r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	name := chi.URLParam(r, "stream")
	session, err := s.Registry.Kick(name, block)
	switch {
	case errors.Is(err, segmenter.ErrName):
		s.refuse(w, http.StatusNotFound, "this is not a stream name")
		return
	case errors.Is(err, segmenter.ErrTooMany), errors.Is(err, segmenter.ErrClosed):
		s.refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	case err != nil && block <= 0: // nobody is there, and nobody is to be kept out
		s.refuse(w, http.StatusConflict, "the stream has no publisher")
		return
	}
	out := Kicked{Session: session}
	if until, blocked := s.Registry.Blocked(name); blocked {
		until = until.UTC()
		out.BlockedUntil = &until
	}
	s.log.Info("publisher kicked by the operator", "stream", name, "session", session, "block", block)
	write(w, out, s.log)
}

var errKick = errors.New(`the body is {"block": "30s"} with at most 24h, or empty`)

// blockTime reads how long a kick keeps publishers out.
func blockTime(w http.ResponseWriter, r *http.Request) (time.Duration, error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxKickBody))
	d.DisallowUnknownFields()
	var k Kick
	switch err := d.Decode(&k); {
	case errors.Is(err, io.EOF):
		return defaultBlock, nil
	case err != nil:
		return 0, errKick
	}
	if k.Block == "" {
		return defaultBlock, nil
	}
	block, err := time.ParseDuration(k.Block)
	if err != nil || block < 0 || block > maxBlock {
		return 0, errKick
	}
	return block, nil
}
