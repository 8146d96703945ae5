package api

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"whipsaw/cmd/whipsaw/internal/logbook"
	"whipsaw/segmenter"
)

// Snapshot is the body of GET /api/streams/{stream}/snapshot: what a bug report needs. No secret is in it.
type Snapshot struct {
	At        time.Time         `json:"at"`
	Version   string            `json:"version"`
	Settings  any               `json:"settings"`
	Stream    Stream            `json:"stream"`
	Playlists map[string]string `json:"playlists"` // multivariant, video, audio; those there are
	Log       []logbook.Line    `json:"log"`       // the last lines about the stream
}

func (s *server) snapshot(w http.ResponseWriter, r *http.Request) {
	if !s.operating(w, r, reading) {
		return
	}
	name := chi.URLParam(r, "stream")
	stream := s.Registry.Lookup(name)
	if stream == nil {
		s.refuse(w, http.StatusNotFound, "there is no stream of that name now")
		return
	}
	out := Snapshot{
		At: time.Now().UTC(), Version: s.Version, Settings: s.Settings, Stream: s.tell(stream.Status()),
		Playlists: playlists(stream), Log: s.Insight.Book.Lines(name),
	}
	st := stream.Status() // without links, which may be signed
	out.Stream.WHIP, out.Stream.HLS = s.Base+st.WHIP, s.Base+st.HLS
	write(w, out, s.log)
}

// playlists are the present ones of a stream.
func playlists(s *segmenter.Stream) map[string]string {
	out := map[string]string{}
	g := s.Generation()
	if g == nil {
		return out
	}
	if m := g.Multivariant(); m != nil {
		out["multivariant"] = string(m.Body)
	}
	for _, k := range []segmenter.Kind{segmenter.Video, segmenter.Audio} {
		if r := g.Rendition(k.String()); r != nil {
			out[k.String()] = string(r.Snapshot().Playlist().Body)
		}
	}
	return out
}
