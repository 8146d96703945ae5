// Package watch follows a stream of low-latency HLS as a player does, ours or anybody's, and holds what it gets to the
// rules of segmenter/check.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"whipsaw/segmenter/check"
)

// ErrUnreachable is wrapped when there is no playlist at the URL.
var ErrUnreachable = errors.New("no stream to check")

// Options say what is followed, and how long.
type Options struct {
	URL       string        // of a multivariant or a media playlist, http or https
	For       time.Duration // how long; a stream that ends ends it earlier
	Strict    bool          // with the rules that this project sets itself
	Insecure  bool          // any certificate will do
	HTTP3     bool          // over QUIC alone; the URL is https
	UserAgent string
	Progress  io.Writer // where a line about the progress is written over and over again; nil: nowhere

	Transport http.RoundTripper // what requests go out by; nil: the network
}

// Run follows the stream until its time is over, the stream ends, or ctx does, and returns what it found: a canceled ctx
// is no error. The error wraps ErrUnreachable.
func Run(ctx context.Context, o Options) (*Report, error) {
	c := newClient(o)
	defer c.close()
	at, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	began := time.Now()
	s := newSession(c, o, at)
	first, err := s.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, o.URL, err)
	}
	if err := s.begin(first); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, o.URL, err)
	}
	timed, cancel := context.WithDeadline(ctx, began.Add(o.For))
	defer cancel()
	s.run(timed)
	if ctx.Err() == nil {
		s.finish(ctx)
	}
	return s.report(time.Since(began)), nil
}

// enter fetches the first playlist: as a page of another origin would, or where those are not let in as other players do.
func (s *session) enter(ctx context.Context) (*answer, error) {
	first, err := s.client.get(ctx, s.url, firstByte, maxPlaylist)
	if err == nil && first.status == http.StatusForbidden {
		s.client.origin = ""
		if first, err = s.client.get(ctx, s.url, firstByte, maxPlaylist); err == nil && first.status == http.StatusOK {
			s.leave("how pages of other origins are answered: they are refused")
		}
	}
	if err == nil && first.status != http.StatusOK {
		err = fmt.Errorf("status %d %s", first.status, http.StatusText(first.status))
	}
	return first, err
}

// profile is which rules the options ask for.
func (o Options) profile() check.Profile {
	if o.Strict {
		return check.Strict
	}
	return check.General
}
