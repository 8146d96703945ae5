package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// browser is a headless Chromium with a profile of its own.
type browser struct {
	t   *testing.T
	ctx context.Context
	log *buffer // what its pages wrote to their consoles
}

// tab is one page in it.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(tool(t, "chromium", "chromium")), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns"), chromedp.Flag("allow-loopback-in-peer-connection", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	)...)
	ctx, _ := chromedp.NewContext(allocator) // ended by Cancel
	b := &browser{t: t, ctx: ctx, log: &buffer{}}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("Chromium ended with %v", err)
		}
		cancel()
		if t.Failed() {
			t.Logf("consoles of the pages:\n%s", b.log.String())
		}
	})
	require.NoError(t, chromedp.Do(ctx), "Chromium starts")
	return b
}

// open shows a URL in a new tab.
func (b *browser) open(url string) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	require.NoError(b.t, chromedp.Do(ctx))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return // the tab has been closed
			}
			fmt.Fprintf(b.log, "%+v\n", m)
		}
	}()
	p := &tab{t: b.t, ctx: ctx}
	perform(p, chromedp.Navigate(url))
	return p
}

// perform runs an action on a tab, and ends the test if it fails.
func perform[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, action)
	require.NoError(p.t, err)
	return out
}

// evaluate returns the value of an expression in a tab, or of the promise that it gives.
func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	return perform(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// watching is what the watch page says of itself.
type watching struct {
	State       string
	Engine      string
	Frames      int
	Dropped     int
	Fatal       int
	Stalls      int
	Width       int
	Height      int
	Startup     float64 // ms from opening the page to the first picture
	CurrentTime float64
	Latency     float64 // NaN is null in JSON, and then 0 here
	WallLatency float64
	Errors      []any
}

func (p *tab) watching() watching {
	p.t.Helper()
	return evaluate[watching](p, "window.whipsaw ? whipsaw.stats() : {}")
}

// plays waits until the watch page plays for a while without a fault, and returns what it says then.
func (p *tab) plays() watching {
	p.t.Helper()
	eventually(p.t, "the page plays", func() bool { return p.watching().State == "playing" })
	first := p.watching()
	eventually(p.t, "time goes on and pictures are decoded", func() bool {
		w := p.watching()
		return w.CurrentTime > first.CurrentTime+3 && w.Frames > first.Frames+60
	})
	w := p.watching()
	p.t.Logf("watch page: %+v", w)
	require.Zero(p.t, w.Fatal, "fatal errors of the player")
	require.NotEmpty(p.t, w.Engine)
	require.Greater(p.t, w.WallLatency+w.Latency, 0.0)
	latency := perform(p, chromedp.TextContent("#t-latency"))
	require.True(p.t, strings.ContainsAny(latency, "0123456789"), "latency is shown: %q", latency)
	return w
}

// The real watch page plays the demo in a real browser, with the player that it would use there.
func TestBrowserPlaysDemo(t *testing.T) {
	b := startBrowser(t)
	s := serve(t, "--demo")
	s.multivariant("demo")
	p := b.open(s.URL() + "/watch/demo")
	w := p.plays()
	require.Equal(t, 640, w.Width)
	require.Equal(t, 360, w.Height)
}

// One page publishes its test picture over WHIP, another plays it.
func TestBrowserToBrowser(t *testing.T) {
	b := startBrowser(t)
	s := serve(t)
	from := b.open(s.URL() + "/publish/live?source=canvas&size=640x360&fps=30&kbps=800")
	evaluate[chromedp.Void](from, "void whipsaw.start()")
	eventually(t, "the publish page is live", func() bool { return evaluate[string](from, "whipsaw.stats().state") == "live" })
	s.multivariant("live")
	w := b.open(s.URL() + "/watch/live").plays()
	require.Equal(t, 640, w.Width)
	require.Equal(t, 360, w.Height)
	evaluate[chromedp.Void](from, "whipsaw.stop()")
	eventually(t, "the server knows that the publisher went", func() bool {
		streams := s.streams()
		return len(streams) == 1 && streams[0].Publisher == nil && streams[0].LastEnd != nil
	})
	require.Equal(t, segmenter.ReasonDeleted, s.streams()[0].LastEnd.Reason)
}
