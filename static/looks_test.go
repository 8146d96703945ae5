package static

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// twoStreams is an answer of GET /api/streams with much to show.
const twoStreams = `{"streams":[
{"name":"live","state":"live","generation":"k3v9","started":"2026-01-01T10:00:00Z","whip":"/whip/live","hls":"/hls/live/index.m3u8",
 "publisher":{"session":"a1","user_agent":"Mozilla/5.0 (OBS-Studio/32.2.0; Linux x86_64)","since":"2026-01-01T10:00:00Z"},
 "video":{"codec":"avc1.64001f","width":1280,"height":720,"frame_rate":29.97,"bitrate":2512000,"gop":8.3333,"obeys_pli":false,"packets":9000,"lost":0},
 "audio":{"codec":"Opus","channels":2,"bitrate":96000},"segments":12,"parts":110,"discontinuities":0,
 "delay":{"bounds":[0.001],"counts":[110,0],"sum":0.088},"viewers":{"players":14,"connections":20},"playback":{"buffer":{"bounds":[1],"counts":[9,0],"sum":6},"latency":{"bounds":[1],"counts":[9,0],"sum":8.1},"stalls":0},
 "findings":[{"id":"frozen","severity":"error","sentence":"The picture has been standing still for 4 s.","fix":"See the other findings.","since":"2026-01-01T10:00:00Z"},
 {"id":"long-gop","severity":"warning","sentence":"The keyframe interval is 8.3 s.","fix":"OBS: Settings > Output > Keyframe Interval = 2 s (0 means automatic, 4 to 10 s).","since":"2026-01-01T10:00:00Z"},
 {"id":"opus-safari","severity":"info","sentence":"The sound is Opus: Safari before iOS 17 plays this stream without sound.","fix":"Nothing to set.","since":"2026-01-01T10:00:00Z"}]},
{"name":"a-name-as-long-as-names-may-be-0123456789-0123456789-0123456789x","state":"resuming","generation":"k3va","started":"2026-01-01T10:00:00Z","whip":"/whip/a","hls":"/hls/a/index.m3u8",
 "last_end":{"reason":"silent","at":"2026-01-01T10:00:00Z","session":"b2"},
 "video":{"codec":"avc1.42c01e","width":640,"height":360,"frame_rate":15,"bitrate":400000,"gop":2}}]}`

// tooWide lists what makes a page of this width scroll sideways. On a phone the page's own idea of its width grows with
// what sticks out, so the width is told.
func tooWide(width int64) string {
	return fmt.Sprintf(`(() => {
	const wide = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > %[1]d + 1 && e.getBoundingClientRect().left >= 0);
	return document.documentElement.scrollWidth > %[1]d ? wide.map(e => e.tagName + '#' + e.id + '.' + e.getAttribute('class')).concat('page') : [];
})()`, width)
}

// nameless lists what can be operated and has no name for a screen reader.
const nameless = `[...document.querySelectorAll('a, button, input, select, meter, video, [tabindex="0"]')]
	.filter(e => e.checkVisibility() && e.id !== 'video' && !e.matches('[aria-hidden=true][tabindex="-1"]'))
	.filter(e => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length || e.textContent.trim() || e.querySelector('img[alt]:not([alt=""])')))
	.map(e => e.outerHTML)`

// pale lists texts whose contrast with what is behind them is under WCAG AA (1.4.3): 4.5, or 3 for large text.
const pale = `(() => {
	const parse = s => { const m = s.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
	const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]));
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
	const behind = e => { const layers = []; for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); layers.unshift(c); } return layers.reduce((under, c) => over(c, under), [255, 255, 255]); };
	const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement, style = getComputedStyle(e);
		if (!walk.currentNode.data.trim() || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.closest('noscript, option, .hidden-label, .skip, .controls, :disabled')) continue;
		const back = behind(e), front = over(parse(style.color), back), [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (ratio < (large ? 3 : 4.5)) out.push(ratio.toFixed(2) + ' ' + walk.currentNode.data.trim());
	}
	return out;
})()`

// grave runs after axe, and lists what it finds serious or critical: WCAG 2.2 A and AA, and its best practices.
const grave = `;axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact))
	.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))`

// axeCore is the script of axe-core, from the node_modules folder in WHIPSAW_PLAYERS or the user's cache.
func axeCore(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WHIPSAW_PLAYERS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		require.NoError(t, err)
		dir = filepath.Join(cache, "whipsaw-players", "node_modules")
	}
	script, err := os.ReadFile(filepath.Join(dir, "axe-core", "axe.min.js"))
	if err != nil && os.Getenv("WHIPSAW_REQUIRE_TOOLS") != "1" {
		t.Skip("npm install --prefix DIR axe-core@4.14.1, and WHIPSAW_PLAYERS=DIR/node_modules")
	}
	require.NoError(t, err)
	return string(script)
}

// Every page, at phone and desktop width, light and dark: nothing sticks out, everything has a name, every text can be read.
func TestPagesLookRight(t *testing.T) {
	browser, back, axe := chromium(t), newBackend(t), axeCore(t)
	for _, c := range []struct{ name, path, streams, ready string }{
		{"index-empty", "/", `{"streams":[]}`, `document.documentElement.dataset.state === 'ready'`},
		{"index-full", "/", twoStreams, `document.querySelectorAll('.card').length === 2`},
		{"watch-offline", "/watch/live", twoStreams, `document.documentElement.dataset.state === 'offline'`},
		{"publish-idle", "/publish/live", twoStreams, `window.whipsaw`},
		{"publish-preview", "/publish/a-name-as-long-as-names-may-be-0123456789-0123456789-0123456789x?source=canvas", twoStreams, `window.whipsaw`},
		{"not-found", "/watch/.no", twoStreams, `document.querySelector('.button')`},
	} {
		for _, l := range []looks{desktop, phone} {
			for _, l.dark = range []bool{false, true} {
				name := fmt.Sprintf("%s-%s-%s", c.name, l.name, map[bool]string{false: "light", true: "dark"}[l.dark])
				t.Run(name, func(t *testing.T) {
					back.set(func(b *backend) { b.streams = c.streams })
					p := open(t, browser, l, back.server.URL+c.path)
					p.until(c.ready)
					if c.name == "publish-preview" {
						p.until(`document.getElementById('open').click() === undefined && document.getElementById('preview').videoWidth > 0`)
					}
					p.keep(name)
					require.Empty(t, evaluate[[]string](p, tooWide(l.width)))
					require.Empty(t, evaluate[[]string](p, nameless))
					require.Empty(t, evaluate[[]string](p, pale))
					if l.dark == l.touch { // each scheme and each width once: it takes its time
						require.Empty(t, evaluate[[]string](p, axe+grave))
					}
					p.healthy()
				})
			}
		}
	}
}

// What the checks above look for, they must find.
func TestChecksOfLooksCanFail(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, phone, back.server.URL+"/")
	p.until(`document.documentElement.dataset.state === 'ready'`)
	evaluate[bool](p, `(() => {
		const wide = document.createElement('p'), button = document.createElement('button'), faint = document.createElement('p');
		wide.style.width = '2000px'; wide.id = 'wide'; wide.textContent = 'wide'; faint.textContent = 'faint'; faint.style.color = 'rgb(190, 190, 190)';
		document.querySelector('main').append(wide, button, faint);
		const bad = document.createElement('div'); bad.setAttribute('style', 'color: red'); document.body.append(bad);
		return true;
	})()`)
	require.Contains(t, evaluate[[]string](p, tooWide(phone.width)), "P#wide.null")
	require.Equal(t, []string{"<button></button>"}, evaluate[[]string](p, nameless))
	require.Len(t, evaluate[[]string](p, pale), 1)
	require.Len(t, evaluate[[]string](p, axeCore(t)+grave), 2, "a button without a name, and a faint text")
	require.Len(t, evaluate[[]string](p, "window.faults"), 1)
}
