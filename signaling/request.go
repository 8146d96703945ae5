package signaling

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// ifMatch returns If-Match. Some clients send the tag in a request header ETag instead.
func ifMatch(r *http.Request) string {
	if v := strings.Join(r.Header.Values("If-Match"), ","); v != "" {
		return v
	}
	return r.Header.Get("ETag")
}

// matches is the strong comparison of RFC 9110 13.1.1. A quoted asterisk, which some clients send, is taken for a bare one.
func matches(list, etag string) bool {
	for _, v := range strings.Split(list, ",") {
		switch strings.TrimSpace(v) {
		case "*", `"*"`, etag:
			return true
		}
	}
	return false
}

// body reads a request body within the bounds of size and time.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (string, *problem) {
	tooLarge := probTooLarge.with("the body may have " + strconv.FormatInt(s.cfg.MaxBody, 10) + " bytes")
	if r.ContentLength > s.cfg.MaxBody {
		return "", tooLarge
	}
	c := http.NewResponseController(w)
	// Where there are no deadlines (HTTP/2 tests, recorders), the server's own have to do.
	_ = c.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout))
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	_ = c.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return "", probSlow.with("the body took longer than " + s.cfg.BodyTimeout.String())
	case err != nil:
		return "", probSyntax.with("the body broke off")
	}
	return string(b), nil
}

// isType compares the media type of a request, in any letter case and with any parameters (RFC 9110 8.3.1).
func isType(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && got == want
}
