package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// playerPage plays ?src= with the player named in ?with=, and tells of itself as the watch page does. It comes from another
// origin than the stream, as the pages of other people do. video.js asks for a segment's first part again and again where
// its pictures ran out just there, and gives up; its own plugin for that loads the stream anew, at most every 30 s.
const playerPage = `<!doctype html>
<meta charset="utf-8"><title>player</title>
<video muted autoplay playsinline crossorigin="anonymous" width="640" height="360"></video>
<script>
const load = src => new Promise((done, fail) => document.head.append(Object.assign(document.createElement('script'), {src, onload: done, onerror: fail})));
const query = new URLSearchParams(location.search), src = query.get('src'), video = document.querySelector('video');
const own = {state: 'loading', engine: '', stalls: 0, fatal: 0, reloads: 0, errors: []};
video.addEventListener('playing', () => { own.state = 'playing'; });
video.addEventListener('waiting', () => {
  if (own.state !== 'playing' || video.seeking) return;
  own.stalls++;
  own.state = 'stalled';
});
video.addEventListener('timeupdate', () => { if (own.state === 'stalled' && video.readyState > 2) own.state = 'playing'; });
const failed = (fatal, text) => {
  own.errors = [...own.errors, text].slice(-20);
  if (fatal) own.fatal++;
};
const players = {
  async shaka() {
    await load('/shaka-player/dist/shaka-player.compiled.js');
    own.engine = 'Shaka ' + shaka.Player.version;
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.configure({streaming: {lowLatencyMode: true}});
    // After errors of the network it goes on by itself where a stream is live, whatever it calls their severity.
    const {Severity, Category} = shaka.util.Error;
    player.addEventListener('error', ({detail}) => failed(detail.severity === Severity.CRITICAL && detail.category !== Category.NETWORK, 'code ' + detail.code));
    await player.load(src);
  },
  async videojs() {
    await load('/video.js/dist/video.min.js');
    own.engine = 'video.js ' + videojs.VERSION;
    const player = videojs(video, {liveui: true, html5: {vhs: {overrideNative: true, llhls: true}}});
    player.reloadSourceOnError();
    player.on('usage', ({name}) => {
      if (name === 'vhs-error-reload') own.reloads++;
      if (name === 'vhs-error-reload-canceled') own.fatal++;
    });
    player.on('error', () => player.error() && failed(false, 'code ' + player.error().code + ' ' + player.error().message));
    player.src({src, type: 'application/x-mpegURL'});
    await player.play();
  },
  async native() {
    own.engine = 'the browser itself';
    video.addEventListener('error', () => failed(true, 'code ' + video.error.code + ' ' + video.error.message));
    video.src = src;
    await video.play();
  },
};
window.whipsaw = {stats() {
  const {buffered, seekable, currentTime} = video, quality = video.getVideoPlaybackQuality();
  let ahead = 0;
  for (let i = 0; i < buffered.length; i++) if (buffered.start(i) <= currentTime + .1 && currentTime <= buffered.end(i)) ahead = buffered.end(i) - currentTime;
  return {...own, generations: 1, currentTime, bufferAhead: ahead, latency: seekable.length ? seekable.end(seekable.length - 1) - currentTime : NaN,
    frames: quality.totalVideoFrames, dropped: quality.droppedVideoFrames, width: video.videoWidth, height: video.videoHeight};
}};
players[query.get('with')]().catch(error => failed(true, String(error.code ?? error)));
</script>`

// playersFolder is where npm has put shaka-player and video.js: the node_modules folder in WHIPSAW_PLAYERS, or the one that
// the checks of this repository keep in the user's cache.
func playersFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WHIPSAW_PLAYERS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		require.NoError(t, err)
		dir = filepath.Join(cache, "whipsaw-players", "node_modules")
	}
	for _, name := range []string{"shaka-player/dist/shaka-player.compiled.js", "video.js/dist/video.min.js"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			continue
		}
		hint := fmt.Sprintf("%s is missing in %s: npm install --prefix DIR shaka-player@5.2.12 video.js@8.24.1, and WHIPSAW_PLAYERS=DIR/node_modules", name, dir)
		if os.Getenv("WHIPSAW_REQUIRE_TOOLS") == "1" {
			t.Fatal(hint)
		}
		t.Skip(hint)
	}
	return dir
}

// servePlayers serves the page, and the players in a folder; it returns where the page is that plays a URL with a player.
func servePlayers(t *testing.T, folder string) func(with, src string) string {
	t.Helper()
	files := http.FileServer(http.Dir(folder))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			files.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(playerPage)) // a page that has gone needs none
	}))
	t.Cleanup(s.Close)
	return func(with, src string) string {
		return s.URL + "/?" + url.Values{"with": {with}, "src": {src}}.Encode()
	}
}

// Other people's players play on as well where the picture freezes. Shaka and video.js may
// leave holes of their own making on a busy machine; they have to get over them.
func TestBrowserOtherPlayers(t *testing.T) {
	realTime(t, loadAll) // video.js gives up where Chromium gets no time to decode
	page := servePlayers(t, playersFolder(t))
	b := startBrowser(t)
	s := serve(t)
	camera := s.film(t, "live", largeFootage(t))
	s.multivariant("live")
	var viewers []*viewer
	for _, with := range []string{"shaka", "videojs"} {
		viewers = append(viewers, b.watch(page(with, s.URL()+"/hls/live/index.m3u8")))
	}
	freezes := []time.Duration{300 * time.Millisecond, 800 * time.Millisecond, 1800 * time.Millisecond, 10 * time.Second}
	for _, d := range freezes {
		camera.freeze(d)
		sent := camera.pictures()
		eventually(t, "the camera goes on", func() bool { return camera.pictures() > sent+60 })
	}
	over := 0.0
	for _, v := range viewers {
		w := v.tell()
		over = max(over, w.CurrentTime+w.BufferAhead)
	}
	for _, v := range viewers { // video.js plays some seconds behind
		w, _ := v.until("all is played", func(w testimony) bool { return w.CurrentTime > over || w.Reloads > 0 })
		t.Logf("%s: freezes of %v: stood still for %.2f s, no new picture for %.2f s, loaded anew %d times", w.Engine, freezes, w.Still, w.Frozen, w.Reloads)
		v.goesOn("after the freezes", 1)
		v.alive()
	}
}

// Who comes late is at the live edge as well: video.js asks for one playlist again and again until it is another, and must
// not be answered out of the browser's own cache.
func TestBrowserJoinsLate(t *testing.T) {
	realTime(t, loadStream+loadPage)
	page := servePlayers(t, playersFolder(t))
	b := startBrowser(t)
	s := serve(t)
	s.film(t, "live", largeFootage(t))
	_, video, _ := s.multivariant("live")
	require.NoError(t, video.follow(t.Context(), func() bool { return video.segments >= 6 }), "the first segments are short ones")
	v := b.watch(page("videojs", s.URL()+"/hls/live/index.m3u8"))
	w := v.goesOn("in a stream that is older", 3)
	require.Less(t, w.Latency, 5.0)
}

// Chromium plays playlists by itself, without low latency: a page needs no player there.
func TestBrowserNativePlayer(t *testing.T) {
	realTime(t, loadAll)
	page := servePlayers(t, t.TempDir())
	s := serve(t, "--demo")
	_, video, _ := s.multivariant("demo")
	require.NoError(t, video.follow(t.Context(), func() bool { return video.segments >= 3 }), "it wants some segments to begin with")
	v := startBrowser(t).watch(page("native", s.URL()+"/hls/demo/index.m3u8"))
	w := v.goesOn("in the browser itself", programTime)
	v.alive()
	require.Less(t, w.Still, 1.0)
}
