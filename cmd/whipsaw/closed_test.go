package main

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// A browser publishes. First its tab dies without a word: viewers see filler until it is opened again. Then somebody closes
// it, which the page says: the playlist ends, and the next one to publish begins another, to which viewers move.
func TestBrowserTabCloses(t *testing.T) {
	realTime(t, loadEncoding+loadStream+loadPage)
	s := serve(t)
	b := startBrowser(t)
	publisher := s.publishPage(b)
	s.multivariant("live")
	v := b.watch(s.URL() + "/watch/live")

	publisher.crash()
	before := v.tell()
	eventually(t, "the server notices", func() bool { return s.only().State == "resuming" })
	gone := s.only()
	require.Contains(t, []segmenter.Reason{segmenter.ReasonSilent, segmenter.ReasonPeerClosed}, gone.LastEnd.Reason)
	v.until("playback goes on without a publisher", func(w testimony) bool { return w.CurrentTime > before.CurrentTime+4 })
	t.Logf("after %s playback stood still for %.2f s", gone.LastEnd.Reason, v.unharmed().Still)
	v.forget()
	publisher = s.publishPage(b)
	v.goesOn("with the tab opened again", 3)
	v.unharmed()
	require.Equal(t, gone.Generation, s.only().Generation)
	require.Equal(t, 1, v.tell().Generations)

	publisher.close()
	v.until("the page sees the end", func(w testimony) bool { return w.State == "offline" })
	require.Equal(t, segmenter.ReasonDeleted, s.only().LastEnd.Reason)
	s.publishPage(b)
	v.until("the page plays what comes next", func(w testimony) bool { return w.State == "playing" && w.Generations == 2 })
	v.goesOn("with the next generation", 2)
	v.unharmed()
	require.NotEqual(t, gone.Generation, s.only().Generation)
}

// publishPage opens the page that publishes, and waits until it does.
func (s *instance) publishPage(b *browser) *tab {
	s.t.Helper()
	from := b.open(s.URL() + "/publish/live?source=canvas&size=640x360&fps=30&kbps=800&autostart=1")
	eventually(s.t, "the publish page is live", func() bool { return evaluate[string](from, "whipsaw.stats().state") == "live" })
	return from
}

// crash ends the process behind a tab. No answer comes: who should give it is gone.
func (p *tab) crash() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.Crash, cdp.Empty{})
		return err
	}))
	require.ErrorIs(p.t, err, context.DeadlineExceeded)
}
