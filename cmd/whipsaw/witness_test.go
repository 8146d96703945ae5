package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// witness is put into a page that plays. It looks at the video element twenty times a second and remembers, until it is
// asked to forget: how long time and pictures stood still at most, where time jumped, and what holes there were.
const witness = `(() => {
  const w = window.witness = {}, video = document.querySelector('video');
  const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
  const ranges = () => Array.from({length: video.buffered.length}, (_, i) => [video.buffered.start(i), video.buffered.end(i)]);
  let looked, moved, drawn, time, count;
  const forget = w.forget = () => {
    Object.assign(w, {still: 0, frozen: 0, jumps: [], holes: [], late: 0, passed: 0, drawn: 0});
    looked = moved = drawn = performance.now();
    time = video.currentTime;
    count = frames();
  };
  forget();
  setInterval(() => {
    const now = performance.now(), passed = (now - looked) / 1000, went = video.currentTime - time;
    if (went !== 0) moved = now;
    if (frames() !== count) drawn = now;
    if (went > 0 && went <= 1.5 * passed + .2) w.passed += went;
    w.drawn += Math.max(0, frames() - count);
    w.late = Math.max(w.late, passed);
    w.still = Math.max(w.still, (now - moved) / 1000);
    w.frozen = Math.max(w.frozen, (now - drawn) / 1000);
    if (went < 0 || went > 1.5 * passed + .2) w.jumps.push(went);
    const r = ranges();
    for (let i = 1; i < r.length; i++) {
      const width = r[i][0] - r[i - 1][1], near = r[i - 1][1] <= video.currentTime + 5 && r[i][0] >= video.currentTime;
      if (near && !w.holes.includes(width)) w.holes.push(width);
    }
    looked = now;
    time = video.currentTime;
    count = frames();
  }, 50);
  w.tell = () => ({...whipsaw.stats(), ...w, ranges: ranges()});
})()`

// testimony is what the page says of itself, and the witness of it; times in seconds.
type testimony struct {
	watching
	Generations int
	Reloads     int // by the player itself
	BufferAhead float64
	Still       float64      // longest time in which the play position did not move
	Frozen      float64      // longest time without a new picture
	Passed      float64      // played, jumps not counted
	Drawn       int          // pictures decoded
	Jumps       []float64    // of the play position
	Holes       []float64    // their widths, whenever one was seen at or less than 5 s after the play position
	Late        float64      // longest time in which the witness could not look: the machine was busy
	Ranges      [][2]float64 // buffered
}

func (w testimony) String() string {
	return fmt.Sprintf("%s %dx%d at %.2f s, %d frames (%d dropped), latency %.2f s, ahead %.2f s, stalls %d, fatal %d, generations %d; "+
		"stood still %.2f s, frozen %.2f s, jumps %.2f, holes %.3f, witness late %.2f s; errors %v",
		w.State, w.Width, w.Height, w.CurrentTime, w.Frames, w.Dropped, w.Latency, w.BufferAhead, w.Stalls, w.Fatal, w.Generations,
		w.Still, w.Frozen, w.Jumps, w.Holes, w.Late, w.Errors)
}

// viewer is a page under observation.
type viewer struct {
	*tab
	t   *testing.T
	fps float64 // least rate at which pictures come while all is well
}

// watch opens a page of a player, waits until it plays, and puts a witness in.
func (b *browser) watch(url string) *viewer {
	b.t.Helper()
	return b.watchSlow(url, 20)
}

// watchSlow is watch where fewer pictures come in a second.
func (b *browser) watchSlow(url string, fps float64) *viewer {
	b.t.Helper()
	return b.observe(b.open(url), fps)
}

// observe waits until a page plays, and puts a witness in.
func (b *browser) observe(p *tab, fps float64) *viewer {
	b.t.Helper()
	v := &viewer{tab: p, t: b.t, fps: fps}
	eventually(b.t, "the page plays", func() bool { return v.watching().State == "playing" })
	evaluate[any](v.tab, witness)
	v.goesOn("at first", 1)
	v.forget()
	return v
}

func (v *viewer) tell() testimony {
	v.t.Helper()
	return evaluate[testimony](v.tab, "witness.tell()")
}

// forget makes the witness begin anew.
func (v *viewer) forget() {
	v.t.Helper()
	evaluate[any](v.tab, "witness.forget()")
}

// until waits for what the page has to say, and returns it and how long that took.
func (v *viewer) until(what string, ok func(testimony) bool) (testimony, time.Duration) {
	v.t.Helper()
	began := time.Now()
	var last testimony
	require.Eventually(v.t, func() bool {
		last = v.tell()
		return ok(last)
	}, patience, 50*time.Millisecond, "%s: %s", what, lazily(func() string { return last.String() }))
	return last, time.Since(began)
}

// goesOn waits until time and pictures go on for that many seconds.
func (v *viewer) goesOn(what string, seconds float64) testimony {
	v.t.Helper()
	first := v.tell()
	last, _ := v.until("playback goes on "+what, func(w testimony) bool {
		return w.CurrentTime > first.CurrentTime+seconds && w.Frames > first.Frames+int(seconds*v.fps)
	})
	return last
}

// alive requires that the player plays, if need be after a moment, and met no fatal error.
func (v *viewer) alive() testimony {
	v.t.Helper()
	w, _ := v.until("the page plays", func(w testimony) bool { return w.State == "playing" })
	v.t.Logf("%s", w)
	require.Zero(v.t, w.Fatal, "fatal errors of the player: %v", w.Errors)
	return w
}

// unharmed requires what holds after every scenario: the player is alive, and nothing is missing where it plays.
func (v *viewer) unharmed() testimony {
	v.t.Helper()
	w := v.alive()
	for _, r := range w.Ranges {
		require.Less(v.t, r[0], w.CurrentTime+0.1, "a hole lies before what is buffered next: %v", w.Ranges)
	}
	return w
}

// lazily is text that is made when it is needed.
type lazily func() string

func (f lazily) String() string { return f() }
