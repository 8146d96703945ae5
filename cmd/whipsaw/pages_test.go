package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// axeGrave runs after the script of axe-core, and lists what it finds serious or critical.
const axeGrave = `;axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
	.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))`

// shown makes a page look as on a device, keeps a picture of it, and has axe look at it.
func (p *tab) shown(name string, width, height int64, scheme string) {
	p.t.Helper()
	perform(p, chromedp.EmulateViewport(width, height))
	perform(p, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // colours that fade would be seen half-way
		}})
		return err
	}))
	require.NoError(p.t, os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), perform(p, chromedp.FullScreenshot(100)), 0o600))
	axe, err := os.ReadFile(filepath.Join(playersFolder(p.t), "axe-core", "axe.min.js"))
	require.NoError(p.t, err)
	require.Empty(p.t, evaluate[[]string](p, string(axe)+axeGrave), name)
}

// holds waits for a condition in a page.
func (p *tab) holds(condition string) {
	p.t.Helper()
	eventually(p.t, condition, func() bool { return evaluate[bool](p, "Boolean("+condition+")") })
}

// From an empty list to the picture of one's own camera in two clicks; what all pages look like while a stream is live; and
// the player by keyboard alone.
func TestBrowserPagesWhileLive(t *testing.T) {
	realTime(t, loadEncoding+loadStream+2*loadPage)
	b := startBrowser(t)
	s := serve(t)
	studio := b.open(s.URL() + "/")
	studio.holds(`document.documentElement.dataset.state === 'ready'`)
	perform(studio, chromedp.EmulateViewport(1280, 800))
	perform(studio, chromedp.Click("#publish-here")) // the first click
	studio.holds(`document.getElementById('preview')?.videoWidth > 0`)
	evaluate[any](studio, `for (const [id, value] of [['size', '640x360'], ['kbps', '800']]) { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event('change', {bubbles: true})); }`)
	perform(studio, chromedp.Click("#go")) // the second
	studio.holds(`document.querySelector('#seen iframe')?.contentWindow.whipsaw?.stats().state === 'playing'`)
	studio.holds(`document.querySelector('#findings .found:not([hidden])')`)
	studio.shown("publish-live-desktop", 1280, 800, "light")
	studio.shown("publish-live-phone", 390, 844, "dark")

	list := b.open(s.URL() + "/")
	list.holds(`document.querySelector('[data-stream=live][data-painted]')`)
	colours := evaluate[int](list, `new Set(new Uint32Array((c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)(document.querySelector('.shot canvas')))).size`)
	require.Greater(t, colours, 20, "the still is a picture")
	list.holds(`/Viewers\s*none.*Latency for viewers/s.test(document.querySelector('.card').innerText)`) // the publisher's own player is none
	list.shown("list-live-desktop", 1280, 800, "dark")
	list.shown("list-live-phone", 390, 844, "light")

	perform(list, chromedp.Focus("[data-stream=live] h2 a"))
	perform(list, chromedp.KeyEvent(kb.Enter))
	list.holds(`window.whipsaw?.stats().state === 'playing'`)
	require.Equal(t, "/watch/live", evaluate[string](list, "location.pathname"))
	list.holds(`whipsaw.stats().currentTime > 0 && whipsaw.player.range?.[1] - whipsaw.player.range?.[0] > 8`)
	for _, step := range []struct{ key, then string }{
		{"s", `document.getElementById('overlay').checkVisibility()`},
		{"m", `!whipsaw.stats().muted`},
		{kb.ArrowLeft, `/behind/.test(document.getElementById('live-text').textContent)`},
		{"l", `document.getElementById('live-text').textContent === 'Live' && whipsaw.stats().state === 'playing'`},
		{" ", `whipsaw.stats().paused`},
		{" ", `!whipsaw.stats().paused`},
		{"l", `whipsaw.stats().latency < 2 && whipsaw.stats().state === 'playing'`},
	} {
		perform(list, chromedp.KeyEvent(step.key))
		list.holds(step.then)
	}
	studio.holds(`/about 1 viewer/.test(document.getElementById('status').textContent)`)
	list.shown("watch-live-desktop", 1280, 800, "light")
	perform(list, chromedp.KeyEvent("s"))
	list.shown("watch-live-phone", 390, 844, "dark")
	perform(studio, chromedp.Click("#go"))
	studio.holds(`document.documentElement.dataset.state === 'idle' && document.getElementById('seen').hidden`)
	list.holds(`document.documentElement.dataset.state === 'offline' && document.getElementById('headline').textContent === 'The stream has ended'`)
}
