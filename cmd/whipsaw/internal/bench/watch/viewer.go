package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"whipsaw/cmd/whipsaw/internal/bench/wire"
	"whipsaw/segmenter/playlist"
)

// viewer is one player.
type viewer struct {
	audience *Audience
	start    *url.URL // of the multivariant playlist
	secret   string   // the query that the server gave it, if any; it stands in all its URIs
}

// again is how long a viewer waits before it starts anew after an error, give or take a half.
const again = time.Second

// run watches until ctx ends, from the beginning again after each error.
func (v *viewer) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := v.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		v.audience.failed(err)
		timer := time.NewTimer(again/2 + rand.N(again))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// failure is an error with the word under which it is counted.
type failure struct {
	kind string
	err  error
}

func (f *failure) Error() string { return f.kind + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// reason is the error without what differs from one time to the next, such as addresses.
func (f *failure) reason() string {
	var code status
	var timeout net.Error
	switch {
	case errors.As(f.err, &code), errors.Is(f.err, errNotLive), errors.Is(f.err, errEnded):
		return f.err.Error()
	case errors.As(f.err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(f.err, errStale):
		return errStale.Error()
	}
	err := f.err
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func failing(kind string, err error) error {
	if err == nil {
		return nil
	}
	return &failure{kind, err}
}

// watch opens a player and plays until something goes wrong, which is what it returns.
func (v *viewer) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lists, err := v.open(ctx)
	if err != nil {
		return err
	}
	ended := make(chan error, len(lists))
	var reports chan []report // of the first rendition, for the second
	for _, at := range lists {
		client := v.audience.factory.New()
		defer client.Close()
		defer context.AfterFunc(ctx, client.Close)()
		r := &rendition{viewer: v, client: client, at: at, ledger: v.audience.ledger(at), learn: reports}
		if len(lists) > 1 && reports == nil {
			reports = make(chan []report, 1)
			r.tell = reports
		}
		go func() { ended <- r.play(ctx) }()
	}
	err = <-ended
	cancel()
	for range lists[1:] {
		<-ended // for the first one's reason, or ctx
	}
	return err
}

// open fetches the multivariant playlist and returns the media playlists that a player would choose: the first variant and
// its sound.
func (v *viewer) open(ctx context.Context) ([]*url.URL, error) {
	client := v.audience.factory.New()
	defer client.Close()
	defer context.AfterFunc(ctx, client.Close)()
	body, at, err := v.follow(ctx, client, v.start)
	if err != nil {
		return nil, err
	}
	list, err := playlist.ParseMultivariant(body)
	if err != nil || len(list.StreamInfs) == 0 {
		return []*url.URL{at}, nil // a media playlist, or so it will turn out
	}
	variant := list.StreamInfs[0]
	uris := []string{variant.URI}
	for _, m := range list.Media {
		if m.Type == playlist.TypeAudio && m.GroupID == variant.Audio && m.URI != "" && !v.audience.opts.VideoOnly {
			uris = append(uris, m.URI)
			break
		}
	}
	var lists []*url.URL
	for _, uri := range uris {
		u, err := at.Parse(uri)
		if err == nil && (u.Host != at.Host || u.Scheme != at.Scheme) {
			err = errElsewhere
		}
		if err != nil {
			return nil, failing("multivariant playlist", fmt.Errorf("URI %q: %w", uri, err))
		}
		lists = append(lists, u)
	}
	v.secret = lists[0].RawQuery
	return lists, nil
}

// glance reports whether the stream can be played.
func (v *viewer) glance(ctx context.Context) error {
	lists, err := v.open(ctx)
	if err != nil {
		return err
	}
	client := v.audience.factory.New()
	defer client.Close()
	defer context.AfterFunc(ctx, client.Close)()
	answer, err := client.Start(ctx, lists[0].RequestURI(), make([]byte, 0, 4096)).Wait()
	if err != nil || answer.Status != 200 {
		return failing("playlist", orStatus(err, answer.Status))
	}
	text, err := plain(answer.Body, answer.Gzip)
	if err != nil {
		return failing("playlist", err)
	}
	list, err := read(text, lists[0])
	if err == nil && len(list.parts) == 0 {
		err = errNotLive
	}
	return failing("playlist", err)
}

// follow fetches a playlist, through redirects that stay at its host.
func (v *viewer) follow(ctx context.Context, client wire.Client, at *url.URL) (body []byte, end *url.URL, err error) {
	const kind = "multivariant playlist"
	for range 5 {
		r, err := client.Start(ctx, at.RequestURI(), make([]byte, 0, 2048)).Wait()
		if err != nil {
			return nil, nil, failing(kind, err)
		}
		v.audience.answered(&r)
		if r.Status/100 == 3 && r.Location != "" {
			next, err := at.Parse(r.Location)
			if err != nil || next.Host != at.Host || next.Scheme != at.Scheme {
				return nil, nil, failing(kind, fmt.Errorf("redirect to %q: %w", r.Location, errors.Join(err, errElsewhere)))
			}
			at = next
			continue
		}
		if r.Status != 200 {
			return nil, nil, failing(kind, status(r.Status))
		}
		body, err := plain(r.Body, r.Gzip)
		return body, at, failing(kind, err)
	}
	return nil, nil, failing(kind, errors.New("redirected too often"))
}

// status is an error for an answer that should have been another.
type status int

func (s status) Error() string { return "status " + strconv.Itoa(int(s)) }

// revealed puts the viewer's secret back into a target.
func (v *viewer) revealed(target string) string {
	if v.secret == "" {
		return target
	}
	return strings.ReplaceAll(target, placeholder, v.secret)
}
