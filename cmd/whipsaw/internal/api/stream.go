package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"whipsaw/cmd/whipsaw/internal/events"
	"whipsaw/segmenter"
)

const (
	maxListeners = 100
	listenRoom   = 256 // events that a listener may be behind
	heartbeat    = 15 * time.Second
	slowListener = 10 * time.Second // for taking one event
)

// events answers with what happens from now on, as Server-Sent Events (WHATWG HTML 9.2). A listener that does not keep up
// is cut; it connects again by itself, and sees by the id what it missed.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	if !s.operating(w, r, reading) {
		return
	}
	only := r.URL.Query().Get("stream")
	if only != "" && !segmenter.ValidName(only) {
		s.refuse(w, http.StatusNotFound, "this is not a stream name")
		return
	}
	l := s.Insight.Hub.Listen(listenRoom, maxListeners)
	if l == nil {
		w.Header().Set("Retry-After", "5")
		s.refuse(w, http.StatusServiceUnavailable, "as many listen as may, or the server ends")
		return
	}
	defer l.Close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	out := &wire{w: w, control: http.NewResponseController(w)}
	if !out.send(": listening\nretry: 2000\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			if !out.send(": \n\n") {
				return
			}
		case e, more := <-l.C:
			if !more {
				return
			}
			if (only == "" || e.Stream == only) && !out.event(e) {
				return
			}
		}
	}
}

// wire writes events to one listener.
type wire struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// event sends one; JSON has no line break, which would end it.
func (o *wire) event(e events.Event) bool {
	data, err := json.Marshal(e)
	return err == nil && o.send(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data))
}

// send reports whether the listener took it in time.
func (o *wire) send(text string) bool {
	// Where there are no deadlines (recorders), there is no connection to be held up either.
	_ = o.control.SetWriteDeadline(time.Now().Add(slowListener))
	if _, err := o.w.Write([]byte(text)); err != nil || o.control.Flush() != nil {
		return false
	}
	// With HTTP/2 the end of a deadline ends the stream, also when nothing is to be written.
	_ = o.control.SetWriteDeadline(time.Time{}) // as above
	return true
}
