package main

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// listen is put into a page that plays the clip. It notes when each flash is on the screen, and when each ping is heard, in
// ms of one clock. The sound is taken before it reaches a device, which has a delay of its own.
const listen = `(async () => {
  const video = document.querySelector('video'), seen = window.seen = {flashes: [], pings: []};
  const picture = new OffscreenCanvas(18, 2).getContext('2d', {willReadFrequently: true});
  let lit = true;
  const look = (now, frame) => {
    picture.drawImage(video, 210, 320, 180, 20, 0, 0, 18, 2);
    const bright = picture.getImageData(9, 1, 1, 1).data[0] > 180;
    if (bright && !lit) seen.flashes.push(frame.expectedDisplayTime);
    lit = bright;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);

  // The ping is louder than the chord beneath it. Its time is that of the sound, since messages about it may be late.
  const worklet = "registerProcessor('ears', class extends AudioWorkletProcessor {" +
    "last = -1; process([channels]) {" +
    "  for (const samples of channels) for (let i = 0; i < samples.length; i++) if (Math.abs(samples[i]) > .2) {" +
    "    const at = currentTime + i / sampleRate;" +
    "    if (at > this.last + .5) this.port.postMessage({ping: at});" +
    "    this.last = at; }" +
    "  this.port.postMessage({now: currentTime});" +
    "  return true; } });";
  const context = new AudioContext({sampleRate: 48000});
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], {type: 'text/javascript'})));
  const ears = new AudioWorkletNode(context, 'ears');
  let zero = Infinity; // of the clock of sounds, in that of pictures: what the quickest message says
  ears.port.onmessage = ({data: {ping, now}}) => {
    if (now !== undefined) zero = Math.min(zero, performance.now() - 1000 * now);
    else seen.pings.push(ping);
  };
  context.createMediaElementSource(video).connect(ears).connect(context.destination);
  seen.tell = () => ({flashes: seen.flashes, pings: seen.pings.map(at => zero + 1000 * at)});
  seen.forget = () => { seen.flashes = []; seen.pings = []; };
})()`

// What is seen and what is heard come together in a browser, and do so again after the picture froze.
func TestBrowserFlashMeetsPing(t *testing.T) {
	realTime(t, loadAll) // the times of sounds and pictures are taken in one busy page
	s := serve(t)
	camera := s.filmWith("live", &camera{t: t, sees: largeFootage(t), each: frameTime, strict: true})
	s.multivariant("live")
	b := startBrowser(t)
	tab := b.open("about:blank")
	perform(tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
		return err
	}))
	perform(tab, chromedp.Navigate(s.URL()+"/watch/live?muted=0"))
	v := b.observe(tab, 20)
	evaluate[any](tab, listen)
	together := v.offset("at first")
	camera.freeze(1500 * time.Millisecond)
	eventually(t, "the camera moves again", camera.thawed)
	v.goesOn("after the freeze", 3)
	evaluate[any](tab, "seen.forget()")
	afterwards := v.offset("after a freeze")
	v.unharmed()
	require.Less(t, math.Abs(together), 0.080, "picture and sound are apart")
	require.Less(t, math.Abs(afterwards-together), 0.060, "a lasting offset after the freeze")
}

// offset is how much later than the flash the ping comes, in seconds: the median of some.
func (v *viewer) offset(when string) float64 {
	v.t.Helper()
	const enough = 5
	var later []float64
	eventually(v.t, "flashes and pings come", func() bool {
		seen := evaluate[struct{ Flashes, Pings []float64 }](v.tab, "seen.tell()")
		later = later[:0]
		for _, flash := range seen.Flashes {
			for _, ping := range seen.Pings {
				if math.Abs(ping-flash) < 500 {
					later = append(later, (ping-flash)/1000)
				}
			}
		}
		return len(later) >= enough
	})
	v.t.Logf("%s pings come %.3f s after flashes", when, later)
	return middle(later)
}

// middle is the one in the middle, or the higher of two.
func middle(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
