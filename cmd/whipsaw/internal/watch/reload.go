package watch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"whipsaw/segmenter/playlist"
)

// directives are the Delivery Directives of one request (rfc8216bis 6.2.5).
type directives struct {
	msn, part int64 // below 0: absent
	skip      bool
}

func (d directives) blocks() bool { return d.msn >= 0 }

// on adds the directives to a playlist's URL, behind what its query has.
func (d directives) on(at *url.URL) *url.URL {
	u := *at
	add := func(format string, args ...any) {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += fmt.Sprintf(format, args...)
	}
	if d.msn >= 0 {
		add("_HLS_msn=%d", d.msn)
	}
	if d.part >= 0 {
		add("_HLS_part=%d", d.part)
	}
	if d.skip {
		add("_HLS_skip=YES")
	}
	return &u
}

// next is what a player asks for behind a version: the next part, or the next segment where there are no parts.
func next(p *playlist.MediaPlaylist) directives {
	d := directives{msn: -1, part: -1}
	if !p.ServerControl.CanBlockReload {
		return d
	}
	n := len(p.Segments)
	d.msn = p.MediaSequence + int64(n)
	if p.PartInf.PartTarget == 0 {
		return d
	}
	d.part = 0
	if isOpen(p) {
		d.msn, d.part = d.msn-1, int64(len(p.Segments[n-1].Parts))
	}
	return d
}

// compareEvery is how often a delta update is held against the full playlist: both are waited for at the same time, so
// that both are of one version.
const compareEvery = 4

// reload waits for the next version: blocked by the server if it can, otherwise by polling.
func (f *follower) reload(ctx context.Context) {
	d := next(f.newest)
	// 6.3.7: a delta update is of use as long as what is held is newer than half the skip boundary.
	boundary := f.newest.ServerControl.CanSkipUntil
	d.skip = boundary > 0 && time.Since(f.grown) < boundary/2
	if !d.blocks() && !f.pause(ctx, f.interval()) {
		return
	}
	f.reloads++
	grew := false
	if d.skip && f.reloads%compareEvery == 1 {
		grew = f.both(ctx, d)
	} else {
		grew = f.load(ctx, d)
	}
	if !grew && d.blocks() {
		f.pause(ctx, f.interval()) // nobody is to be asked in a loop without a pause
	}
}

// interval is the pause between two requests where nothing blocks.
func (f *follower) interval() time.Duration {
	if part := f.newest.PartInf.PartTarget; part > 0 {
		return max(part, 200*time.Millisecond)
	}
	return max(f.target()/2, 500*time.Millisecond)
}

// both asks for a delta update and the full playlist at the same time, and compares them if they came of one version.
func (f *follower) both(ctx context.Context, d directives) (grew bool) {
	full := make(chan *answer, 1)
	plain := d
	plain.skip = false
	go func() {
		a, err := f.s.client.get(ctx, plain.on(f.url), firstByte+3*f.target(), maxPlaylist)
		if err != nil || a.status != http.StatusOK {
			a = nil // the delta update is what the stream is followed by
		}
		full <- a
	}()
	held := f.newest.Append(nil)
	a, err := f.s.client.get(ctx, d.on(f.url), firstByte+3*f.target(), maxPlaylist)
	whole := <-full
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		f.fail(d, err.Error())
		return false
	}
	grew = f.take(a, d)
	if whole == nil || f.failed > 0 {
		return grew
	}
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if p, err := playlist.ParseMedia(whole.body); err == nil && sameEnd(&p, f.newest) {
		f.check.Delta(held, a.body, whole.body)
	}
	return grew
}

// sameEnd reports whether two playlists are of one version: they begin and end with the same part, and tell the same of
// others.
func sameEnd(a, b *playlist.MediaPlaylist) bool {
	n := len(a.Segments)
	if n == 0 || a.MediaSequence != b.MediaSequence || n != len(b.Segments) {
		return false
	}
	return isOpen(a) == isOpen(b) && len(a.Segments[n-1].Parts) == len(b.Segments[n-1].Parts) &&
		slices.Equal(a.RenditionReports, b.RenditionReports) && slices.Equal(a.PreloadHints, b.PreloadHints)
}
