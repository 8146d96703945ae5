package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// maxRenditions bounds how many media playlists are followed at the same time.
const maxRenditions = 16

// session is one stream while it is followed. Its lock guards all checkers; no network is waited for under it.
type session struct {
	client *client
	opts   Options
	url    *url.URL // as it was given

	mu         sync.Mutex
	index      *check.Index // nil where the URL is that of a media playlist
	indexAt    *url.URL     // what relative URIs of the multivariant playlist start from
	renditions []*follower
	unchecked  []string // what was not looked at, and why
}

func newSession(c *client, o Options, at *url.URL) *session {
	return &session{client: c, opts: o, url: at}
}

// begin decides by the first answer what is to be followed.
func (s *session) begin(first *answer) error {
	if !bytes.HasPrefix(first.body, []byte("#EXTM3U")) {
		return errors.New("this is no playlist: it does not begin with #EXTM3U")
	}
	if !bytes.Contains(first.body, []byte("\n#EXT-X-STREAM-INF:")) {
		f := s.follow("", s.url, "media")
		f.first = first
		return nil
	}
	s.index, s.indexAt = check.NewIndex(s.opts.profile()), first.at
	s.index.Playlist(first.body, nil)
	if err := s.index.Cannot(); err != nil {
		return err
	}
	p, err := playlist.ParseMultivariant(first.body)
	if err != nil {
		return err
	}
	s.list(&p)
	if len(s.renditions) == 0 {
		return errors.New("no rendition of it can be followed")
	}
	return nil
}

// list makes followers of all that a multivariant playlist names.
func (s *session) list(p *playlist.MultivariantPlaylist) {
	for i := range p.StreamInfs {
		s.add(p.StreamInfs[i].URI, "variant")
	}
	for i := range p.Media {
		m := &p.Media[i]
		switch {
		case m.URI == "":
		case m.Type == playlist.TypeAudio || m.Type == playlist.TypeVideo:
			s.add(m.URI, "rendition of "+m.Type)
		default:
			s.leave("%s: %s are not looked at", m.URI, m.Type)
		}
	}
}

// add follows a URI of the multivariant playlist, if nobody does.
func (s *session) add(uri, what string) {
	at, err := s.indexAt.Parse(uri)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" {
		s.leave("%s: neither http nor https", uri)
		return
	}
	for _, f := range s.renditions {
		if f.url.String() == at.String() {
			return
		}
	}
	if len(s.renditions) == maxRenditions {
		s.leave("%s: there are more than %d renditions", uri, maxRenditions)
		return
	}
	s.follow(uri, at, what)
}

func (s *session) follow(uri string, at *url.URL, what string) *follower {
	f := newFollower(s, uri, at, what)
	s.renditions = append(s.renditions, f)
	return f
}

// leave notes once what is not checked.
func (s *session) leave(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	for _, old := range s.unchecked {
		if old == line {
			return
		}
	}
	if len(s.unchecked) < 100 {
		s.unchecked = append(s.unchecked, line)
	}
}

// run follows all renditions to their ends, or that of ctx.
func (s *session) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, f := range s.renditions {
		all.Go(func() { f.run(ctx) })
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	p := newProgress(s)
	defer p.clear()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			s.agree()
			p.draw()
		}
	}
}

// agree holds all renditions against one another.
func (s *session) agree() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.renditions {
		for _, b := range s.renditions[i+1:] {
			check.Agree(a.check, b.check)
		}
	}
}

// finish asks what is better asked at the end: the multivariant playlist as it has become, and a few odd requests.
func (s *session) finish(ctx context.Context) {
	s.agree()
	s.probe(ctx)
	if s.index == nil {
		return
	}
	last, err := s.client.get(ctx, s.url, firstByte, maxPlaylist)
	if err != nil || last.status != http.StatusOK {
		return // the stream may have ended meanwhile
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known(last)
	if len(known) < len(s.renditions) {
		s.leave("the multivariant playlist at its end: it lists another stream than at the beginning")
		return
	}
	s.index.Playlist(last.body, known)
}

// known are the checkers of the renditions that a version of the multivariant playlist names, by the URIs that it has for
// them: some servers give every player its own query.
func (s *session) known(a *answer) map[string]*check.Checker {
	p, err := playlist.ParseMultivariant(a.body)
	if err != nil {
		return nil
	}
	var uris []string
	for i := range p.StreamInfs {
		uris = append(uris, p.StreamInfs[i].URI)
	}
	for i := range p.Media {
		uris = append(uris, p.Media[i].URI)
	}
	known := map[string]*check.Checker{}
	for _, f := range s.renditions {
		for _, exact := range []bool{true, false} {
			i := slices.IndexFunc(uris, func(uri string) bool { return f.named(a.at, uri, exact) })
			if i >= 0 {
				known[uris[i]] = f.check
				break
			}
		}
	}
	return known
}

// named reports whether a URI names the rendition that is followed, exactly or but for the query.
func (f *follower) named(base *url.URL, uri string, exact bool) bool {
	at, err := base.Parse(uri)
	if err != nil {
		return false
	}
	return at.String() == f.url.String() || !exact && at.Host == f.url.Host && at.Path == f.url.Path
}

// said is what stands around a body, in the words of the checker.
func (s *session) said(uri string, playlist bool, a *answer) check.Answer {
	h := a.header
	return check.Answer{
		URI: uri, Playlist: playlist, Status: a.status, ContentType: h.Get("Content-Type"), CacheControl: h.Get("Cache-Control"),
		Encoding: h.Get("Content-Encoding"), CrossOrigin: s.client.origin != "", AllowOrigin: h.Get("Access-Control-Allow-Origin"),
		Major: a.major, Secure: a.at.Scheme == "https",
	}
}
