package hls

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"whipsaw/segmenter"
)

// What a request may fail with; fail alone knows the statuses.
var (
	errUnknown    = errors.New("there is nothing here now")           // never was, or may still come
	errExpired    = errors.New("this has left the stream")            // will never be there again
	errOvertaken  = errors.New("the segment ended without this part") // will never be there
	errDirectives = errors.New("these delivery directives are wrong") // 6.2.5.2
	errMethod     = errors.New("only " + allowed + " are answered")
)

// goneError is errExpired or errOvertaken, with what a cache is told of it.
type goneError struct {
	error
	cache fixed
}

func (g goneError) Unwrap() error { return g.error }

func gone(s *segmenter.Snapshot, err error) error {
	return goneError{err, cachingOf(s.TargetDuration()).expired}
}

// fail is the answer that err stands for. Errors are not cached, or one request that came too early could
// poison a cache for all viewers; only a name that never will be there may be remembered for a moment.
func fail(h http.Header, err error) (status int, body [][]byte) {
	var never goneError
	status = http.StatusInternalServerError
	cache, text := noStore, err.Error()
	switch {
	case errors.Is(err, errUnknown):
		status = http.StatusNotFound
	case errors.As(err, &never):
		status, cache = http.StatusNotFound, never.cache
	case errors.Is(err, errDirectives):
		status = http.StatusBadRequest
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// A client that has left reads no answer.
		status, text = http.StatusServiceUnavailable, "what was asked for did not come in time"
	case errors.Is(err, segmenter.ErrClosed):
		status, text = http.StatusServiceUnavailable, "the server ends"
	case errors.Is(err, errMethod):
		status = http.StatusMethodNotAllowed
		h.Set("Allow", allowed)
	}
	h["Cache-Control"] = cache
	h["Content-Type"] = plainText
	h["X-Content-Type-Options"] = noSniff
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	return status, [][]byte{[]byte(text + "\n")}
}
