package watch

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"whipsaw/segmenter/check"
)

// probe asks the first playlist that can block for what players ask rarely, and servers often answer wrongly.
func (s *session) probe(ctx context.Context) {
	for _, f := range s.renditions {
		if p := f.newest; p != nil && p.ServerControl.CanBlockReload && !p.EndList && f.failed == 0 {
			f.probe(ctx)
			return
		}
	}
}

func (f *follower) probe(ctx context.Context) {
	p := f.newest
	last := p.MediaSequence + int64(len(p.Segments))
	for _, d := range []directives{{p.MediaSequence, -1, false}, {max(0, p.MediaSequence-1), -1, false}} {
		f.note(check.OldReload, f.ask(ctx, d, http.StatusOK))
	}
	// 6.2.5.2: a part of no segment, and what nobody can know of yet.
	for _, d := range []directives{{-1, 0, false}, {last + 1000, -1, false}} {
		f.note(check.BadDirectives, f.ask(ctx, d, http.StatusBadRequest))
	}
}

// ask makes a request and says what is wrong with its answer, nothing if it has the status.
func (f *follower) ask(ctx context.Context, d directives, status int) string {
	at := d.on(f.url)
	a, err := f.s.client.get(ctx, at, f.target()+time.Second, maxPlaylist)
	switch {
	case ctx.Err() != nil:
		return ""
	case err != nil:
		return fmt.Sprintf("?%s: %v", at.RawQuery, err)
	case a.status != status:
		return fmt.Sprintf("?%s: status %d, not %d", at.RawQuery, a.status, status)
	}
	return ""
}

func (f *follower) note(r check.Rule, broken string) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.check.Note(r, broken)
}
