package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"whipsaw/segmenter"
)

// chromium is one headless browser for all tests of this package, started by the first that wants it: starting takes as
// long as many a test.
var chromium struct {
	sync.Mutex
	ctx     context.Context
	profile string
}

// startChromium returns the browser that runs, or starts it.
func startChromium(path string) (context.Context, error) {
	c := &chromium
	c.Lock()
	defer c.Unlock()
	if c.ctx != nil {
		return c.ctx, nil
	}
	profile, err := os.MkdirTemp("", "whipsaw-chromium-")
	if err != nil {
		return nil, err
	}
	c.profile = profile
	allocator, _ := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(patience),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(480, 360), // what is small is painted soon
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "WebRtcHideLocalIpsWithMdns"), chromedp.Flag("allow-loopback-in-peer-connection", true),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
	)...) // ended by Cancel
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		return nil, err
	}
	c.ctx = ctx
	return ctx, nil
}

// closeChromium ends the browser if it was started.
func closeChromium() error {
	c := &chromium
	c.Lock()
	defer c.Unlock()
	if c.ctx == nil {
		return nil
	}
	return errors.Join(chromedp.Cancel(c.ctx), os.RemoveAll(c.profile))
}

// browser is Chromium as one test sees it.
type browser struct {
	t   *testing.T
	ctx context.Context
	log *buffer // what the pages of this test wrote to their consoles
}

// tab is one page in it.
type tab struct {
	t     *testing.T
	ctx   context.Context
	close context.CancelFunc
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	ctx, err := startChromium(tool(t, "chromium", "chromium"))
	require.NoError(t, err, "Chromium starts")
	b := &browser{t: t, ctx: ctx, log: &buffer{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("consoles of the pages:\n%s", b.log.String())
		}
	})
	return b
}

// open shows a URL in a new window: a hidden page would not be painted.
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
	p := &tab{t: b.t, ctx: ctx, close: cancel}
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
	realTime(t, loadStream+loadPage)
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
	realTime(t, loadEncoding+loadStream+loadPage)
	b := startBrowser(t)
	s := serve(t)
	from := b.open(s.URL() + "/publish/live?source=canvas&size=640x360&fps=30&kbps=800")
	evaluate[chromedp.Void](from, "void whipsaw.start()")
	eventually(t, "the publish page is live", func() bool { return evaluate[string](from, "whipsaw.stats().state") == "live" })
	s.multivariant("live")
	to := b.open(s.URL() + "/watch/live")
	w := to.plays()
	require.Equal(t, 640, w.Width)
	require.Equal(t, 360, w.Height)
	evaluate[any](to, `import(document.querySelector('[href*="/player.js"]').href.replace('player.js', 'sound.js')).then(m => {
		document.getElementById('unmute').click();
		window.heard = m.meter(document.getElementById('video').captureStream().getAudioTracks()[0]);
	})`)
	eventually(t, "the beep is heard", func() bool { return evaluate[float64](to, "heard.level()") > .6 })
	evaluate[chromedp.Void](from, "whipsaw.stop()")
	eventually(t, "the server knows that the publisher went", func() bool {
		streams := s.streams()
		return len(streams) == 1 && streams[0].Publisher == nil && streams[0].LastEnd != nil
	})
	require.Equal(t, segmenter.ReasonDeleted, s.streams()[0].LastEnd.Reason)
}
