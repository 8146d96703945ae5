// Package api answers what programs and the pages ask about streams, in JSON.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/access"
	"whipsaw/cmd/whipsaw/internal/audience"
	"whipsaw/cmd/whipsaw/internal/cmcd"
	"whipsaw/cmd/whipsaw/internal/doctor"
	"whipsaw/cmd/whipsaw/internal/insight"
	"whipsaw/segmenter"
)

// Streams is the body of GET /api/streams.
type Streams struct {
	Streams []Stream `json:"streams"` // sorted by name; never null
}

// Stream is all that is known of one: its status, who watches, and what is wrong.
type Stream struct {
	segmenter.Status
	Viewers      audience.Viewers `json:"viewers"`
	Playback     *cmcd.Stats      `json:"playback,omitempty"` // nil: no player has told anything of itself
	Findings     []doctor.Finding `json:"findings"`           // gravest first; never null
	BlockedUntil *time.Time       `json:"blocked_until,omitempty"`
}

// Config is what the API needs to know.
type Config struct {
	Registry *segmenter.Registry
	Gate     *access.Gate // decides who may watch, where that takes a right
	Insight  *insight.Insight
	Base     string // begins every address that is told: a path prefix, or the URL that the world knows
	Version  string
	Settings any // for bug reports, without secrets

	Tokens func() Tokens // asked for each request; nil: there are none
	// Trusted says that only this machine reaches these routes, so that without a token whoever asks may change things.
	Trusted bool
}

// Tokens are those of the API, as they are or as sha256: and their SHA-256 in hexadecimal.
type Tokens struct {
	Change string // lets its bearer change things; empty: nobody's does
	Read   string // lets its bearer read all, and nobody read without; empty: what pages show is open
}

// server holds what is the same for all requests.
type server struct {
	Config
	log     *slog.Logger
	guesses *guesses
	foreign *http.CrossOriginProtection
}

// Routes mounts all of /api/ on r. Where the gate lets only signed links watch, lists ask for a token, and what they tell
// is signed.
func Routes(r chi.Router, cfg Config, log *slog.Logger) {
	s := &server{Config: cfg, log: log, guesses: newGuesses(), foreign: http.NewCrossOriginProtection()}
	both := func(path string, h http.HandlerFunc) {
		r.Get(path, h)
		r.Head(path, h)
	}
	both("/api/openapi.yaml", s.describe)
	both("/api/streams", s.streams)
	both("/api/streams/{stream}", s.stream)
	both("/api/streams/{stream}/findings", s.findings)
	both("/api/streams/{stream}/viewers", s.viewers)
	both("/api/streams/{stream}/snapshot", s.snapshot)
	r.Get("/api/events", s.events)
	r.Delete("/api/streams/{stream}", s.end)
	r.Post("/api/streams/{stream}/kick", s.kick)
	r.Post("/api/watch/{stream}", s.watch)
	r.Options("/api/watch/{stream}", preflight)
}

// tell makes the Stream of a status.
func (s *server) tell(st segmenter.Status) Stream {
	st.WHIP, st.HLS = s.Base+st.WHIP, s.link(st.Name).URL
	in := s.Insight
	out := Stream{Status: st, Viewers: in.Audience.Viewers(st.Name), Playback: in.Playback.Stats(st.Name), Findings: in.Doctor.Findings(st.Name)}
	if out.Findings == nil {
		out.Findings = []doctor.Finding{}
	}
	if until, blocked := s.Registry.Blocked(st.Name); blocked {
		until = until.UTC()
		out.BlockedUntil = &until
	}
	return out
}

// streams tells of those that the asker may watch: names are as good as a guess at what is going on.
func (s *server) streams(w http.ResponseWriter, r *http.Request) {
	s.reading(w, r, func(may func(string) bool) {
		out := Streams{Streams: []Stream{}}
		for _, stream := range s.Registry.Streams() {
			if may(stream.Name()) {
				out.Streams = append(out.Streams, s.tell(stream.Status()))
			}
		}
		write(w, out, s.log)
	})
}

// one answers with what tell makes of the stream in the path, if there is one that the asker may see.
func (s *server) one(w http.ResponseWriter, r *http.Request, tell func(Stream) any) {
	name := chi.URLParam(r, "stream")
	answer := func(may func(string) bool) {
		stream := s.Registry.Lookup(name)
		if stream == nil || !may(name) {
			s.refuse(w, http.StatusNotFound, "there is no stream of that name now")
			return
		}
		write(w, tell(s.tell(stream.Status())), s.log)
	}
	if segmenter.ValidName(name) && s.own(r, name) {
		answer(func(string) bool { return true })
		return
	}
	s.reading(w, r, answer)
}

func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	s.one(w, r, func(one Stream) any { return one })
}

// Findings is the body of GET /api/streams/{stream}/findings.
type Findings struct {
	Encoder  doctor.Encoder   `json:"encoder"` // that the fixes are for; empty: not recognised
	Findings []doctor.Finding `json:"findings"`
}

func (s *server) findings(w http.ResponseWriter, r *http.Request) {
	s.one(w, r, func(one Stream) any {
		out := Findings{Findings: one.Findings}
		if one.Publisher != nil {
			out.Encoder = doctor.Recognise(one.Publisher.UserAgent, one.Publisher.Origin)
		}
		return out
	})
}

func (s *server) viewers(w http.ResponseWriter, r *http.Request) {
	s.one(w, r, func(one Stream) any { return one.Viewers })
}

// write answers with v as JSON that nobody may keep.
func write(w http.ResponseWriter, v any, log *slog.Logger) {
	w.Header().Set("Content-Type", "application/json")
	send(w, http.StatusOK, v, log)
}

func send(w http.ResponseWriter, status int, v any, log *slog.Logger) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := json.Marshal(v)
	if err != nil {
		log.Error("an answer cannot be encoded", "err", err)
		http.Error(w, "the answer cannot be told in JSON", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	// The client left: there is nobody to tell.
	_, _ = w.Write(append(body, '\n'))
}
