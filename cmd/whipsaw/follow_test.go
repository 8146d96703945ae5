package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whipsaw/fmp4"
	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// follower reads one rendition as a low-latency player does: playlist by blocking reload, delta updates once it holds a
// full one, every init segment, part and segment. It collects what a player would feed its decoder.
type follower struct {
	base    *url.URL // of the media playlist
	check   *check.Checker
	init    fmp4.Init
	samples []sample
	list    playlist.MediaPlaylist // newest, in full

	violations []check.Violation
	segments   int // fetched whole
	deltas     int // playlist updates that were deltas
	blocked    int // reloads that had to wait
	have       map[string]bool
}

// sample is one access unit of a part as published.
type sample struct {
	fmp4.FragmentSample
	part string  // URI
	dts  float64 // seconds
}

// multivariant waits until the stream can be played and returns its playlist with the followers of its renditions.
func (s *instance) multivariant(stream string) (body []byte, video, audio *follower) {
	s.t.Helper()
	base, err := url.Parse(s.URL() + "/hls/" + stream + "/index.m3u8")
	require.NoError(s.t, err)
	eventually(s.t, "the stream can be played", func() bool {
		status, _, b := fetch(s.t, base.String())
		body = b
		return status == http.StatusOK
	})
	m, err := playlist.ParseMultivariant(body)
	require.NoError(s.t, err)
	require.Len(s.t, m.StreamInfs, 1)
	require.Len(s.t, m.Media, 1)
	return body, newFollower(s.t, base, m.StreamInfs[0].URI), newFollower(s.t, base, m.Media[0].URI)
}

func newFollower(t *testing.T, multivariant *url.URL, uri string) *follower {
	base, err := multivariant.Parse(uri)
	require.NoError(t, err)
	return &follower{base: base, check: check.New(), have: make(map[string]bool)}
}

// follow reads until enough says so, or the playlist ends.
func (f *follower) follow(ctx context.Context, enough func() bool) error {
	query := ""
	for {
		began := time.Now()
		body, err := f.get(ctx, f.base.String()+query)
		if err != nil {
			return err
		}
		if err := f.playlist(body, time.Since(began)); err != nil {
			return err
		}
		if err := f.media(ctx); err != nil {
			return err
		}
		if f.list.EndList || enough() {
			return nil
		}
		msn, part := f.next()
		query = fmt.Sprintf("?_HLS_msn=%d&_HLS_part=%d&_HLS_skip=YES", msn, part)
	}
}

// playlist takes in a version that was waited for that long.
func (f *follower) playlist(body []byte, waited time.Duration) error {
	f.violations = append(f.violations, f.check.Playlist(time.Now(), body)...)
	p, err := playlist.ParseMedia(body)
	if err != nil {
		return err
	}
	if p.Skip != nil {
		f.deltas++
		if p, err = playlist.ApplyDelta(&f.list, &p); err != nil {
			return err
		}
	}
	if waited > 20*time.Millisecond {
		f.blocked++
	}
	f.list = p
	return nil
}

// media fetches what the playlist names and is not there yet.
func (f *follower) media(ctx context.Context) error {
	for _, s := range f.list.Segments {
		if s.Map != nil && !f.have[s.Map.URI] {
			b, err := f.fetch(ctx, s.Map.URI)
			if err != nil {
				return err
			}
			if f.init, err = fmp4.ParseInit(b); err != nil {
				return err
			}
		}
		for _, p := range s.Parts {
			if f.have[p.URI] {
				continue
			}
			b, err := f.fetch(ctx, p.URI)
			if err != nil {
				return err
			}
			if err := f.part(p.URI, b); err != nil {
				return err
			}
		}
		if s.URI != "" && !f.have[s.URI] {
			if _, err := f.fetch(ctx, s.URI); err != nil {
				return err
			}
			f.segments++
		}
	}
	return nil
}

// part appends the samples of a part.
func (f *follower) part(uri string, b []byte) error {
	fragments, err := fmp4.ParseParts(b)
	if err != nil {
		return err
	}
	for _, g := range fragments {
		at := g.DecodeTime
		for _, s := range g.Samples {
			f.samples = append(f.samples, sample{s, uri, float64(at) / float64(f.init.Timescale)})
			at += uint64(s.Duration)
		}
	}
	return nil
}

// next is the part that comes after the last of the playlist.
func (f *follower) next() (msn int64, part int) {
	msn = f.list.MediaSequence + int64(len(f.list.Segments))
	if n := len(f.list.Segments); n > 0 && f.list.Segments[n-1].Open() {
		return msn - 1, len(f.list.Segments[n-1].Parts)
	}
	return msn, 0
}

// fetch gets a URI of the playlist once and shows it to the checker.
func (f *follower) fetch(ctx context.Context, uri string) ([]byte, error) {
	at, err := f.base.Parse(uri)
	if err != nil {
		return nil, err
	}
	b, err := f.get(ctx, at.String())
	if err != nil {
		return nil, err
	}
	f.have[uri] = true
	f.violations = append(f.violations, f.check.Bytes(uri, b)...)
	return b, nil
}

func (f *follower) get(ctx context.Context, at string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", at, answer.Status, b)
	}
	return b, nil
}

// together follows both renditions at the same time, until both have enough or have ended.
func together(t *testing.T, video, audio *follower, enough func(*follower) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	errs := make(chan error, 2)
	for _, f := range []*follower{video, audio} {
		go func() { errs <- f.follow(ctx, func() bool { return enough(f) }) }()
	}
	for range 2 {
		require.NoError(t, <-errs)
	}
}
