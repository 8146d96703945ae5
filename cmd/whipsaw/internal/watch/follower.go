package watch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

// follower follows one media playlist. What is guarded by the session's lock says so; the rest is its goroutine's own.
type follower struct {
	s    *session
	uri  string   // as the multivariant playlist names it; empty without one
	url  *url.URL // of the media playlist
	what string

	first *answer // the first version, where it has been fetched already
	base  *url.URL
	check *check.Checker // guarded

	newest  *playlist.MediaPlaylist
	reloads int
	failed  int // times in a row that the playlist could not be fetched
	skip    map[string]bool
	hints   map[string]*hinted
	grown   time.Time

	history []stamp      // guarded
	pending []claim      // guarded: what this rendition's reports say of others
	arrival check.Spread // guarded: time from one new part, or segment, to the next
	lost    string       // guarded: why it was not followed to the end
}

func newFollower(s *session, uri string, at *url.URL, what string) *follower {
	return &follower{
		s: s, uri: uri, url: at, what: what, base: at, check: check.NewFor(s.opts.profile()),
		skip: map[string]bool{}, hints: map[string]*hinted{},
	}
}

// maxFailures is how many times in a row a playlist may fail before it is given up.
const maxFailures = 3

// run follows until the playlist ends, is lost, or ctx ends.
func (f *follower) run(ctx context.Context) {
	defer f.dropHints()
	if f.first != nil {
		f.take(f.first, directives{msn: -1, part: -1})
	} else {
		f.load(ctx, directives{msn: -1, part: -1})
	}
	f.join()
	for ctx.Err() == nil && f.failed < maxFailures {
		if f.newest == nil {
			if !f.pause(ctx, time.Second) {
				return
			}
			f.load(ctx, directives{msn: -1, part: -1})
			f.join()
			continue
		}
		f.media(ctx)
		if f.newest.EndList {
			return
		}
		f.prefetch(ctx)
		f.reload(ctx)
	}
}

// target is the target duration.
func (f *follower) target() time.Duration {
	if f.newest == nil {
		return 2 * time.Second
	}
	return time.Duration(f.newest.TargetDuration) * time.Second
}

// pause waits, and reports whether ctx goes on.
func (f *follower) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// load fetches a version and takes it in; it reports whether there is anything new.
func (f *follower) load(ctx context.Context, d directives) (grew bool) {
	within := firstByte
	if d.blocks() {
		within += 3 * f.target()
	}
	a, err := f.s.client.get(ctx, d.on(f.url), within, maxPlaylist)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		f.fail(d, err.Error())
		return false
	}
	return f.take(a, d)
}

// take shows an answer to the checker.
func (f *follower) take(a *answer, d directives) (grew bool) {
	s := f.s
	s.mu.Lock()
	f.check.Answer(s.said(f.url.Path, true, a))
	s.mu.Unlock()
	if a.status != http.StatusOK {
		f.fail(d, fmt.Sprintf("status %d %s", a.status, http.StatusText(a.status)))
		return false
	}
	f.failed = 0
	f.base = a.at
	s.mu.Lock()
	defer s.mu.Unlock()
	before, had := f.check.Edge()
	was := f.newest
	f.check.Playlist(a.received, a.body)
	if err := f.check.Cannot(); err != nil {
		s.leave("%s: %v", f.name(), err)
		f.failed = maxFailures
		return false
	}
	f.newest = f.check.Newest()
	if d.blocks() {
		f.check.Reload(d.msn, d.part)
		f.waited(a)
	}
	after, have := f.check.Edge()
	grew = have && (!had || before.Before(after) || was != nil && isOpen(was) && !isOpen(f.newest))
	if grew && had && !f.grown.IsZero() {
		f.arrival.Add(a.received.Sub(f.grown))
	}
	if grew {
		f.grown = a.received
	}
	if have {
		f.stamped(a, after)
	}
	return grew
}

// waited holds the time that a blocking reload took against how soon something new has to come. Only the server's time
// counts: this machine or the network may have been slow in between. Held is the session's lock.
func (f *follower) waited(a *answer) {
	took := a.received.Sub(a.sent)
	if f.newest == nil || f.newest.EndList || took <= f.target()*3/2 {
		return
	}
	edge, _ := f.check.Edge()
	f.check.Note(check.Fresh, fmt.Sprintf("what follows was waited for %v, up to segment %d part %d", took.Round(time.Millisecond), edge.MSN, edge.Part))
}

// isOpen reports whether more parts of the last segment may follow.
func isOpen(p *playlist.MediaPlaylist) bool {
	n := len(p.Segments)
	return n > 0 && p.Segments[n-1].Open()
}

// fail notes that the playlist could not be fetched. 6.2.5.2: Service Unavailable is what a blocking reload gets when
// nothing comes; that nothing does is found by the time until the next version.
func (f *follower) fail(d directives, why string) {
	s := f.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.failed++; f.failed == maxFailures {
		f.lost = why
		f.check.Missing(f.name(), why)
	}
}

// name is what the playlist is called in a report.
func (f *follower) name() string {
	if f.uri != "" {
		return f.uri
	}
	return f.url.Path
}
