package static

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func TestListFollowsTheServer(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/")
	p.until(`document.documentElement.dataset.state === 'ready'`)
	require.Equal(t, "No streams yet", p.text("title"))
	require.Contains(t, evaluate[string](p, "document.body.innerText"), back.server.URL+"/whip/live")

	back.set(func(b *backend) { b.streams = twoStreams })
	p.until(`document.querySelectorAll('.card').length === 2`)
	card := evaluate[string](p, `document.querySelector('[data-stream=live]').innerText`)
	for _, want := range []string{"Live", "1280×720, 29.97 fps", "H.264 High 3.1, Opus stereo", "2.6 Mb/s", "about 14 (an estimate)", "OBS 32.2",
		"The keyframe interval is 8.3 s.", "Keyframe Interval = 2 s", "1 note", "0.90 s"} {
		require.Contains(t, card, want)
	}
	require.Contains(t, evaluate[string](p, `document.querySelectorAll('.card')[1].innerText`), "Publisher lost")

	// The focus stays on its button while the numbers change.
	evaluate[bool](p, `(document.querySelector('[data-stream=live] .actions button').focus(), true)`)
	back.set(func(b *backend) { b.streams = strings.ReplaceAll(twoStreams, "2512000", "3512000") })
	p.until(`document.querySelector('[data-stream=live]').innerText.includes('3.6 Mb/s')`)
	require.True(t, evaluate[bool](p, `document.activeElement.closest('[data-stream=live]') !== null`))

	evaluate[bool](p, `(document.querySelector('[data-stream=live] [aria-label^=OBS]').click(), true)`)
	require.Contains(t, evaluate[string](p, `document.querySelector('dialog[open]').innerText`), back.server.URL+"/whip/live")
	evaluate[bool](p, `(document.querySelector('dialog[open] form button').click(), true)`)
	p.until(`document.querySelector('dialog[open]') === null`)

	back.set(func(b *backend) { b.streams = "" })
	p.until(`document.documentElement.dataset.state === 'unreachable' && !document.getElementById('trouble').hidden`)
	require.Equal(t, 2, evaluate[int](p, `document.querySelectorAll('.card').length`), "what was known stays")
	back.set(func(b *backend) { b.streams = `{"streams":[]}` })
	p.until(`document.querySelectorAll('.card').length === 0 && document.getElementById('trouble').hidden`)
	p.healthy()
}

// A name from the network is text, whatever it looks like.
func TestListShowsTextAsText(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	evil := strings.NewReplacer("OBS-Studio/32.2.0", `<img src=x onerror=alert(1)>`, "avc1.64001f", `<b>bold</b>`).Replace(twoStreams)
	back.set(func(b *backend) { b.streams = evil })
	p := open(t, browser, desktop, back.server.URL+"/")
	p.until(`document.querySelectorAll('.card').length === 2`)
	require.Zero(t, evaluate[int](p, `document.querySelectorAll('.card img, .card b').length`))
	require.Contains(t, evaluate[string](p, `document.querySelector('.card').innerText`), "<b>bold</b>")
	p.healthy()
}

func TestNameOfTheFirstStream(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/")
	p.until(`document.documentElement.dataset.state === 'ready'`)
	enter := func(name string) {
		evaluate[bool](p, `(() => { const n = document.getElementById('name'); n.value = `+quoted(name)+`; n.dispatchEvent(new Event('input')); return true; })()`)
	}
	enter("stage-2")
	require.Equal(t, "/publish/stage-2", evaluate[string](p, `document.getElementById('publish-here').pathname`))
	require.Contains(t, p.text("clip-lines"), "whipsaw publish --demo "+back.server.URL+"/whip/stage-2")
	enter("not a name")
	require.Equal(t, "/publish/stage-2", evaluate[string](p, `document.getElementById('publish-here').pathname`))
	require.False(t, evaluate[bool](p, `document.getElementById('name').checkValidity()`))
}

func TestPlayerWaitsForItsStream(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/watch/live")
	p.until(`document.documentElement.dataset.state === 'offline'`)
	require.Equal(t, "Not live right now", p.text("headline"))
	stats := evaluate[struct {
		State   string
		Fatal   int
		Muted   bool
		Stalls  int
		Latency *float64
	}](p, `whipsaw.stats()`)
	require.Equal(t, "offline", stats.State)
	require.Zero(t, stats.Fatal, "a stream that is not there is no failure")
	require.True(t, stats.Muted)
	require.Nil(t, stats.Latency)
	p.until(`performance.getEntriesByName(location.origin + '/hls/live/index.m3u8').length >= 3`)
	back.set(func(b *backend) {
		for _, path := range b.asked {
			require.Equal(t, "/hls/live/index.m3u8", path, "nothing else is asked for while offline")
		}
	})
	p.healthy()

	p.keys("s")
	p.until(`!document.getElementById('overlay').hidden`)
	p.keys("s")
	p.until(`document.getElementById('overlay').hidden`)
	p.keys("m")
	require.False(t, evaluate[bool](p, `whipsaw.stats().muted`))
	p.keys("m")
	require.True(t, evaluate[bool](p, `whipsaw.stats().muted`))

	back.server.CloseClientConnections()
	back.server.Close()
	p.until(`document.getElementById('headline').textContent === 'The server cannot be reached'`)
}

func TestPlayerInAFrameShowsThePictureAlone(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/watch/live?embed")
	p.until(`document.documentElement.dataset.state === 'offline'`)
	require.False(t, evaluate[bool](p, `document.querySelector('.top').checkVisibility() || document.querySelector('.below').checkVisibility()`))
	require.Equal(t, []int{1280, 800}, evaluate[[]int](p, `[document.getElementById('stage').offsetWidth, document.getElementById('stage').offsetHeight]`))
}

// Other sites may show the player in a frame, and nothing else.
func TestFramesOfOtherSites(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	parent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for _, path := range []string{"/watch/live", "/publish/live", "/"} {
			_, _ = io.WriteString(w, `<iframe src="`+back.server.URL+path+`"></iframe>`)
		}
		_, _ = io.WriteString(w, `<script>addEventListener('load', () => { document.title = 'loaded'; })</script>`)
	}))
	t.Cleanup(parent.Close)
	// Another name is another origin and another site.
	p := open(t, browser, desktop, strings.Replace(parent.URL, "127.0.0.1", "localhost", 1))
	p.until(`document.title === 'loaded'`)
	back.set(func(b *backend) { b.asked = nil })
	require.Eventually(t, func() bool {
		back.mu.Lock()
		defer back.mu.Unlock()
		return len(back.asked) > 0 // the player in the frame lives
	}, patience, 20*time.Millisecond)
	back.set(func(b *backend) { require.Zero(t, b.lists, "the list in a frame must not run") })
}

func TestPublisherOffersH264AndKeepsItsToken(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	back.set(func(b *backend) {
		b.status, b.problem = 401, `{"type":"about:blank","title":"Unauthorized","detail":"the token is wrong"}`
	})
	p := open(t, browser, desktop, back.server.URL+"/publish/live?source=canvas&size=320x180")
	p.until(`window.whipsaw`)
	evaluate[bool](p, `(document.getElementById('token').value = 's3cret', document.getElementById('go').click(), true)`)
	p.until(`document.documentElement.dataset.state === 'error'`)
	require.Equal(t, "The token is wrong. Check the publish token, then go live again.", p.text("trouble-text"))
	require.Equal(t, "token", evaluate[string](p, `document.activeElement.id`))
	require.NotContains(t, evaluate[string](p, `location.href`), "s3cret")
	require.Equal(t, "Go live", p.text("go"))

	back.set(func(b *backend) {
		require.Len(t, b.offers, 1, "a wrong token is not tried again")
		o := b.offers[0]
		require.Equal(t, "/whip/live", o.Path)
		require.Equal(t, "Bearer s3cret", o.Token)
		require.Equal(t, "application/sdp", o.ContentType)
		require.Equal(t, 2, strings.Count(o.SDP, "a=sendonly"))
		require.Contains(t, o.SDP, " H264/90000")
		require.Contains(t, o.SDP, " opus/48000/2")
		require.NotRegexp(t, `(?i)VP8/90000|VP9/90000|AV1/90000|packetization-mode=0`, o.SDP)
		require.Contains(t, o.SDP, "a=candidate:", "the offer waits for the browser's addresses")
	})
}

func TestPublisherTriesAgainWhereThatCanHelp(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	back.set(func(b *backend) { b.status, b.problem, b.after = 503, `not json`, "1" })
	p := open(t, browser, desktop, back.server.URL+"/publish/live?source=canvas&autostart=1&size=320x180")
	p.until(`whipsaw.stats().attempts >= 2`)
	require.Equal(t, "connecting", evaluate[string](p, `document.documentElement.dataset.state`))
	back.set(func(b *backend) { b.status, b.after = 409, "" })
	p.until(`document.documentElement.dataset.state === 'error'`)
	require.Equal(t, "Somebody else is publishing to this stream.", p.text("trouble-text"))
	p.healthy()
}

func TestPublisherSaysWhatTheBrowserRefuses(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, phone, back.server.URL+"/publish/live")
	p.until(`window.whipsaw`)
	evaluate[bool](p, `(navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); }, document.getElementById('go').click(), true)`)
	p.until(`!document.getElementById('trouble').hidden`)
	require.Contains(t, p.text("trouble-text"), "The browser did not allow it.")
	require.Equal(t, "idle", evaluate[string](p, `document.documentElement.dataset.state`))
	back.set(func(b *backend) { require.Empty(t, b.offers) })
}

// With the keyboard alone: choose the test picture, go live, stop.
func TestPublisherByKeyboard(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	back.set(func(b *backend) { b.status, b.after = 503, "30" })
	p := open(t, browser, desktop, back.server.URL+"/publish/live?size=320x180")
	p.until(`window.whipsaw`)
	focus := func(selector string) {
		for range 40 {
			if evaluate[bool](p, `document.activeElement.matches(`+quoted(selector)+`)`) {
				return
			}
			p.keys("\t")
		}
		t.Fatalf("the focus never comes to %s", selector)
	}
	focus("[name=source]")
	p.keys(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight)
	require.Equal(t, "canvas", evaluate[string](p, `document.querySelector('[name=source]:checked').value`))
	focus("#go")
	p.keys("\r")
	p.until(`document.documentElement.dataset.state === 'connecting'`)
	require.Equal(t, "Stop", p.text("go"))
	p.keys("\r")
	p.until(`document.documentElement.dataset.state === 'idle'`)
}

// A server that shows streams to invited viewers asks for a token once, and links to what that may watch.
func TestListAsksForAToken(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	const link = "~1767225600~AR8FYpEusTAE5_RNw5zFK9QBaUYkLjz_xeyc1H4XEpw/"
	back.set(func(b *backend) {
		b.token, b.streams = "eyes", strings.ReplaceAll(twoStreams, "/hls/live/", "/hls/"+link+"live/")
	})
	p := open(t, browser, desktop, back.server.URL+"/")
	p.until(`document.documentElement.dataset.state === 'locked'`)
	require.Zero(t, evaluate[int](p, `document.querySelectorAll('.card').length`))
	enter := func(token string) {
		evaluate[bool](p, `(document.getElementById('token').value = `+quoted(token)+`, document.querySelector('#locked button').click(), true)`)
	}
	enter("wrong")
	p.until(`document.getElementById('lead').textContent === 'not a token of this test'`)
	enter("eyes")
	p.until(`document.documentElement.dataset.state === 'ready' && document.getElementById('locked').hidden`)
	require.Equal(t, "/watch/"+link+"live", evaluate[string](p, `document.querySelector('[data-stream=live] .primary').getAttribute('href')`))
	require.Equal(t, "/watch/"+link+"live", evaluate[string](p, `document.querySelector('[data-stream=live] h2 a').getAttribute('href')`))
	require.NotContains(t, evaluate[string](p, `location.href`), "eyes")
	p.healthy()
}

// The player uses the link in its own address for all that it fetches, and says when that is no good.
func TestPlayerWithSignedLink(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/watch/~1767225600~abc_-9/live")
	p.until(`document.documentElement.dataset.state === 'offline'`)
	require.Equal(t, "Not live right now", p.text("headline"))
	require.Contains(t, p.text("share"), back.server.URL+"/watch/~1767225600~abc_-9/live")
	require.Contains(t, p.text("share"), back.server.URL+"/hls/~1767225600~abc_-9/live/index.m3u8")
	back.set(func(b *backend) {
		for _, path := range b.asked {
			require.Equal(t, "/hls/~1767225600~abc_-9/live/index.m3u8", path)
		}
		b.locked = true
	})
	p.until(`document.getElementById('headline').textContent === 'A link is needed'`)
	back.set(func(b *backend) { b.locked = false })
	p.until(`document.getElementById('headline').textContent === 'Not live right now'`)
	p.healthy()
}
