package server

import (
	"net/http"
	"time"
)

const (
	headerTime = 10 * time.Second // for the headers of a request
	bodyTime   = 15 * time.Second // for the body of a request
	answerTime = time.Minute      // for an answer that waits for nothing, to the slowest reader
)

// patient bounds how long a client may take to send a request's body and to read an answer that waits for nothing. What
// waits for media, below /hls, sets deadlines of its own.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Where there are no deadlines (recorders), there is no connection to be held up either.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
		next.ServeHTTP(w, r)
	})
}

// bodies refuses bodies where none belong (RFC 9110 9.3.1), and bounds the time for others. With HTTP/1 a body that does
// not come would hold up the connection, and that its client has left would not be seen while a request waits.
func bodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hasBody(r) || takesBody(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// takesBody bounds the time for a body that was announced; false: it has refused it.
func takesBody(w http.ResponseWriter, r *http.Request) bool {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // as above
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		h := w.Header()
		h.Set("Connection", "close")
		h.Set("Cache-Control", "no-store")
		http.Error(w, "this request takes no body", http.StatusBadRequest)
		return false
	}
	return true
}

// hasBody reports whether a body is announced. HTTP/3 does not tell an open stream from one that has ended.
func hasBody(r *http.Request) bool {
	return r.ContentLength > 0 || r.ContentLength < 0 && r.ProtoMajor < 3
}
