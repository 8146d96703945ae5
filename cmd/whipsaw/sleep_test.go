package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// doze keeps everything of a page from running for so many ms, as when a laptop is closed: it waits for one playlist after
// the other, and takes no time of the processor.
const doze = `(async ms => {
  const index = '/hls/live/index.m3u8', uri = (await (await fetch(index)).text()).split('\n').find(l => l && !l.startsWith('#'));
  const media = new URL(uri, new URL(index, location.href)).href, get = url => { const x = new XMLHttpRequest(); x.open('GET', url, false); x.send(); return x.responseText; };
  const number = (text, tag) => +(text.match('#EXT-X-' + tag + ':(\\d+)')?.[1] ?? 0);
  let text = get(media);
  for (const begun = performance.now(); performance.now() - begun < ms;)
    text = get(media + '?_HLS_msn=' + (number(text, 'MEDIA-SEQUENCE') + text.split('#EXTINF').length));
})`

// overslept lets the page sleep, and is how late it was at most until it had noticed.
const overslept = `(async () => {
  let most = 0;
  await ` + doze + `(10_000);
  for (let i = 0; i < 50; i++) {
    most = Math.max(most, whipsaw.stats().wallLatency || 0);
    await new Promise(again => setTimeout(again));
  }
  return most;
})()`

// A laptop that was closed for a while, and a page that a browser paused while it was out of sight.
func TestBrowserSleep(t *testing.T) {
	realTime(t, loadStream+loadPage)
	b := startBrowser(t)
	s := serve(t, "--segment", "1s")
	s.film(t, "live", largeFootage(t))
	s.multivariant("live")
	p := b.open(s.URL() + "/watch/live")
	before := p.plays()
	atEdge := func(what string) {
		t.Helper()
		eventually(t, what, func() bool {
			w := p.watching()
			return w.State == "playing" && w.Latency > 0 && w.Latency < 3 && w.WallLatency < 3
		})
		since := p.watching().CurrentTime
		eventually(t, what+": it goes on", func() bool { return p.watching().CurrentTime > since+.5 })
	}
	require.Greater(t, evaluate[float64](p, overslept), 8.0, "the page slept")
	atEdge("awake")
	require.Equal(t, before.Fatal, p.watching().Fatal)

	sight := func(state string) {
		evaluate[any](p, `Object.defineProperty(document, 'hidden', {configurable: true, value: `+state+`}), document.dispatchEvent(new Event('visibilitychange'))`)
	}
	sight("true")
	evaluate[any](p, `whipsaw.player.video.pause()`)
	sight("false")
	atEdge("in sight again")
	evaluate[any](p, `whipsaw.player.pause()`)
	sight("true")
	sight("false")
	require.True(t, evaluate[bool](p, `whipsaw.stats().paused`), "what its viewer paused stays paused")
}
