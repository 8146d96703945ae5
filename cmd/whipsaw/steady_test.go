package main

import (
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	steadyTime = flag.Duration("steady", 5*time.Second, "how long TestBrowserSteady plays in each run; from a minute on nothing may stall")
	steadyRuns = flag.Int("steady-runs", 1, "how many runs it makes, two at a time")
)

// glass reads the clock in the test picture: its orange bar is as long as the part of the second that has passed when the
// picture was drawn. Ten times a second it remembers how old the picture is that is shown: from glass to glass.
const glass = `(() => {
  const video = document.querySelector('video'), canvas = new OffscreenCanvas(640, 1), c = canvas.getContext('2d', {willReadFrequently: true});
  const ages = window.ages = [];
  window.glassTimer = setInterval(() => {
    const {videoWidth: w, videoHeight: h} = video;
    if (!w || video.paused) return;
    const now = Date.now() / 1000;
    c.drawImage(video, 0, Math.round(h * 27.25 / 36), w, 1, 0, 0, 640, 1);
    const {data} = c.getImageData(0, 0, 640, 1);
    let long = 0;
    for (let x = 0; x < 640; x++) if (data[4 * x] > 150) long++;
    const rough = whipsaw.stats().wallLatency, age = now - long / 640;
    ages.push(age - Math.round(age - rough)); // the whole seconds are known from the server's clock
  }, 100);
})()`

// steadyRun is what one viewer saw.
type steadyRun struct {
	watching
	Ages []float64 // of the pictures that were shown, in seconds
}

// Page to page, with one viewer or several: how long it takes from glass to glass, and that nothing stalls.
func TestBrowserSteady(t *testing.T) {
	long := *steadyTime >= time.Minute
	load := loadEncoding + loadStream + loadPage
	if long {
		load = loadAll
	}
	realTime(t, load)
	s, b := serve(t), startBrowser(t)
	from := b.open(s.URL() + "/publish/live?source=canvas&size=640x360&fps=30&kbps=800&autostart=1")
	s.multivariant("live")
	var ages []float64
	for done := 0; done < *steadyRuns; {
		var pair sync.WaitGroup
		var seen [2]steadyRun
		n := min(2, *steadyRuns-done)
		for i := range n {
			p := b.open(s.URL() + "/watch/live")
			pair.Go(func() { seen[i] = p.steady() })
		}
		pair.Wait()
		for _, r := range seen[:n] {
			slices.Sort(r.Ages)
			require.NotEmpty(t, r.Ages)
			p50, p95 := r.Ages[len(r.Ages)/2], r.Ages[len(r.Ages)*95/100]
			t.Logf("run %d: stalls %d, fatal %d, first picture after %.0f ms, dropped %d of %d, glass to glass median %.2f s, 95 %% %.2f s, %v",
				done+1, r.Stalls, r.Fatal, r.Startup, r.Dropped, r.Frames, p50, p95, r.Errors)
			require.Zero(t, r.Fatal)
			if long {
				require.Zero(t, r.Stalls)
				require.Less(t, p50, 1.0, "from glass to glass")
			}
			ages = append(ages, p50)
			done++
		}
	}
	t.Logf("medians from glass to glass: %.2f s", ages)
	evaluate[any](from, "whipsaw.stop()")
}

// steady plays for a while and closes the page.
func (p *tab) steady() steadyRun {
	defer p.close()
	eventually(p.t, "the page plays", func() bool { return p.watching().State == "playing" })
	evaluate[any](p, glass)
	begun := p.watching().CurrentTime
	require.Eventually(p.t, func() bool { return p.watching().CurrentTime > begun+steadyTime.Seconds() }, *steadyTime+patience, 250*time.Millisecond)
	return steadyRun{p.watching(), evaluate[[]float64](p, "(clearInterval(glassTimer), ages)")}
}
