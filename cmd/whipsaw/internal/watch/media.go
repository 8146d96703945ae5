package watch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"whipsaw/segmenter/check"
	"whipsaw/segmenter/playlist"
)

const (
	joinSegments = 3   // whole segments that are fetched of what lies before the first version's end
	maxWanted    = 100 // of what is listed and not fetched, before the older half is left out
)

// join decides what of the first version is fetched: players begin near the end of a live playlist.
func (f *follower) join() {
	p := f.newest
	if p == nil || p.EndList {
		return
	}
	whole := 0
	for i := len(p.Segments) - 1; i >= 0; i-- {
		s := &p.Segments[i]
		if !s.Open() {
			whole++
		}
		if whole <= joinSegments {
			continue
		}
		f.skip[s.URI] = true
		for _, part := range s.Parts {
			f.skip[part.URI] = true
		}
	}
}

// media fetches what the newest version lists and nobody has fetched, and shows it to the checker.
func (f *follower) media(ctx context.Context) {
	s := f.s
	s.mu.Lock()
	wanted := f.check.Wanted()
	s.mu.Unlock()
	if f.withoutMap() {
		s.mu.Lock()
		s.leave("%s: the media themselves, which are no fragmented MP4 (there is no EXT-X-MAP)", f.name())
		s.mu.Unlock()
		return
	}
	if over := len(wanted) - maxWanted; over > 0 && !f.newest.EndList {
		for _, uri := range wanted[:over+maxWanted/2] {
			f.skip[uri] = true
		}
		s.mu.Lock()
		s.leave("%s: some segments and parts, which came faster than they could be fetched", f.name())
		s.mu.Unlock()
	}
	listed := time.Now()
	for _, uri := range wanted {
		if f.skip[uri] {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		f.fetch(ctx, uri, listed)
	}
}

func (f *follower) withoutMap() bool {
	for i := range f.newest.Segments {
		if f.newest.Segments[i].Map != nil {
			return false
		}
	}
	return true
}

// fetch gets one piece of media, by the request that was made for its hint if there is one.
func (f *follower) fetch(ctx context.Context, uri string, listed time.Time) {
	if h := f.hints[uri]; h != nil {
		delete(f.hints, uri)
		if f.collect(ctx, uri, h) {
			return
		}
	}
	at, err := f.base.Parse(uri)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" {
		f.missing(uri, "neither http nor https", listed)
		return
	}
	a, err := f.s.client.get(ctx, at, firstByte+f.target(), maxMedia)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		f.missing(uri, err.Error(), listed)
	case a.status != http.StatusOK:
		f.missing(uri, fmt.Sprintf("status %d %s", a.status, http.StatusText(a.status)), listed)
	default:
		f.got(uri, a)
	}
}

func (f *follower) got(uri string, a *answer) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.check.Answer(f.s.said(uri, false, a))
	f.check.Note(check.Available, "")
	f.check.Bytes(uri, a.body)
}

// missing notes what could not be fetched. What was listed long ago may rightly be gone.
func (f *follower) missing(uri, why string, listed time.Time) {
	f.skip[uri] = true
	if time.Since(listed) > f.target() {
		return
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.check.Missing(uri, why)
}

// hinted is a request for a part that is to come.
type hinted struct {
	done     chan struct{}
	cancel   context.CancelFunc
	answer   *answer
	err      error
	takenOff bool // another part was hinted at before this one was listed
}

// maxHints bounds the requests for parts that never came.
const maxHints = 4

// prefetch asks for the part that the newest version hints at, which the server keeps waiting until it is there.
func (f *follower) prefetch(ctx context.Context) {
	for uri, h := range f.hints {
		h.takenOff = h.takenOff || !slices.Contains(f.newest.PreloadHints, playlist.PreloadHint{Type: playlist.HintPart, URI: uri})
	}
	for _, h := range f.newest.PreloadHints {
		if h.Type != playlist.HintPart || f.hints[h.URI] != nil || f.skip[h.URI] {
			continue
		}
		at, err := f.base.Parse(h.URI)
		if err != nil || at.Scheme != "http" && at.Scheme != "https" {
			continue
		}
		if len(f.hints) >= maxHints {
			f.dropHints()
		}
		ctx, cancel := context.WithCancel(ctx)
		ask := &hinted{done: make(chan struct{}), cancel: cancel}
		f.hints[h.URI] = ask
		within := firstByte + 3*f.target()
		go func() {
			defer close(ask.done)
			ask.answer, ask.err = f.s.client.get(ctx, at, within, maxHint)
		}()
	}
}

// collect takes what came of the request for a hinted part, now that the part is listed; false where it has to be asked
// for again.
func (f *follower) collect(ctx context.Context, uri string, h *hinted) bool {
	defer h.cancel()
	wait := time.NewTimer(f.target())
	defer wait.Stop()
	broken := ""
	select {
	case <-h.done:
		if h.err == nil && h.answer.status != http.StatusOK && h.takenOff {
			return false
		}
		if h.err == nil && h.answer.status != http.StatusOK {
			broken = fmt.Sprintf("%s: status %d %s for a hinted part that came", uri, h.answer.status, http.StatusText(h.answer.status))
		}
	case <-wait.C:
		broken = fmt.Sprintf("%s: no answer for a target duration, though the part is listed", uri)
		h.err = context.DeadlineExceeded
	case <-ctx.Done():
		return true
	}
	if h.err != nil && broken == "" {
		return false
	}
	f.s.mu.Lock()
	f.check.Note(check.HintAnswer, broken)
	f.s.mu.Unlock()
	if broken != "" {
		return false
	}
	f.got(uri, h.answer)
	return true
}

// dropHints ends the requests for parts that never came.
func (f *follower) dropHints() {
	for uri, h := range f.hints {
		h.cancel()
		<-h.done
		delete(f.hints, uri)
	}
}
