package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// timed notes the deadline that holds.
type timed struct {
	*httptest.ResponseRecorder
	until   time.Time
	bounded bool // there was one while something was written
}

func (d *timed) SetWriteDeadline(t time.Time) error {
	d.until = t
	return nil
}

func (d *timed) Write(b []byte) (int, error) {
	d.bounded = !d.until.IsZero()
	return d.ResponseRecorder.Write(b)
}

// A listener has to take what is sent in time, but nothing bounds the time until the next event: with HTTP/2 that would
// end the stream.
func TestWireHasNoDeadlineBetweenEvents(t *testing.T) {
	d := &timed{ResponseRecorder: httptest.NewRecorder()}
	require.True(t, (&wire{w: d, control: http.NewResponseController(d)}).send(": \n\n"))
	require.True(t, d.bounded)
	require.Zero(t, d.until)
}
