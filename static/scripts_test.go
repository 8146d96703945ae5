package static

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// The pure functions of the modules, called in a real browser: an expression over the module m, and its value as JSON.
func TestScripts(t *testing.T) {
	browser, back := chromium(t), newBackend(t)
	p := open(t, browser, desktop, back.server.URL+"/")
	for module, cases := range map[string]map[string]string{
		"format.js": {
			`[0, NaN, undefined, 812000, 999499, 999500, 2512000].map(m.bitrate)`:                                                                                      `["–","–","–","812 kb/s","999 kb/s","1.0 Mb/s","2.5 Mb/s"]`,
			`[.8421, 9.99, 12.34, -.5, NaN, undefined].map(m.seconds)`:                                                                                                 `["0.84 s","9.99 s","12.3 s","-0.50 s","–","–"]`,
			`[8, 65, 3600, 7500, 90000].map(s => m.since(new Date(1e12 - s * 1000), 1e12))`:                                                                            `["8 s","1 min","1 h 0 min","2 h 5 min","1 d 1 h"]`,
			`[m.since(new Date(1e12 + 5000), 1e12), m.since('never', 1e12)]`:                                                                                           `["0 s","–"]`,
			`[m.picture(1280, 720, 29.97), m.picture(640, 360), m.picture(0, 0, 30)]`:                                                                                  `["1280×720, 29.97 fps","640×360","–"]`,
			`[30.004, 59.94, 25, 0].map(m.frameRate)`:                                                                                                                  `["30 fps","59.94 fps","25 fps","–"]`,
			`['avc1.64001f', 'avc1.42e01e', 'avc3.4D4028', 'hvc1.1', '', undefined].map(m.codec)`:                                                                      `["H.264 High 3.1","H.264 Baseline 3.0","H.264 Main 4.0","hvc1.1","–","–"]`,
			`m.agent('Mozilla/5.0 (OBS-Studio/32.2.0; Windows x86_64; English - United States)')`:                                                                      `"OBS 32.2"`,
			`m.agent('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36')`:                                         `"Chrome 156"`,
			`m.agent('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1')`:       `"Safari 18"`,
			`[m.agent('Lavf/62.1.100'), m.agent('whipsaw/devel'), m.agent(''), m.agent('x'.repeat(90)).length]`:                                                        `["ffmpeg 62","whipsaw","–",40]`,
			`['/watch/live', '/publish/a.b_c-9', '/watch/%6Cive', '/watch/', '/watch/a/b', '/watch/.a', '/watch/%zz', '/watch/a%20b', '/other/live'].map(m.nameFrom)`:  `["live","a.b_c-9","live",null,null,null,null,null,null]`,
			`['/watch/~17~aZ_-9/live', '/watch/~~a/live', '/watch/~17~a/', '/watch/~17~a/.a', '/publish/~17~a/live', '/watch/~17~a~/live'].map(m.nameFrom)`:            `["live",null,null,null,null,null]`,
			`['/watch/~17~aZ_-9/live', 'https://tv.example/x/hls/~17~a/live/index.m3u8', '/watch/live', '/hls/live/index.m3u8', '/watch/~17~/live', ''].map(m.linkIn)`: `["~17~aZ_-9/","~17~a/","","","",""]`,
			`['a', 'a'.repeat(64), 'a'.repeat(65), '', '-a', 'ä'].map(m.validName)`:                                                                                    `[true,true,false,false,false,false]`,
			`[3.21, 41.7, NaN, undefined].map(m.milliseconds)`:                                                                                                         `["3.2 ms","42 ms","–","–"]`,
			`[m.ending('silent'), m.ending('some-new-reason'), m.ending(undefined)]`:                                                                                   `["it went silent","some new reason",""]`,
		},
		"card.js": {
			`m.mean({counts: [1, 2], sum: 3}, {counts: [2, 4], sum: 9})`:                                                   `2`,
			`[m.mean(undefined, {counts: [4], sum: 1}), m.mean(null, undefined)]`:                                          `[0.25,null]`,
			`[m.mean({counts: [3], sum: 3}, {counts: [3], sum: 3}), m.mean({counts: [3], sum: 3}, {counts: [1], sum: 1})]`: `[null,null]`,
		},
		"trace.js": {
			`m.polyline([1, 1]).split(' ').map(p => p.split(',').map(Number)).map(([x, y]) => [x, y > 2 && y < 5])`: `[[98.31,true],[100,true]]`,
			`m.polyline([0, 0])`: `"98.31,19.00 100.00,19.00"`,
			`m.polyline(Array(60).fill(5)).split(' ')[0].split(',')[0]`: `"0.00"`,
		},
		"still.js": {
			`m.newestIndependent('#EXT-X-MAP:URI="init-0.mp4"\n#EXT-X-PART:DURATION=0.2,URI="a.m4s",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.2,URI="b.m4s"\n')`:                    `{"map":"init-0.mp4","part":"a.m4s"}`,
			`m.newestIndependent('#EXT-X-MAP:URI="i0"\n#EXT-X-PART:URI="a",INDEPENDENT=YES\n#EXT-X-MAP:URI="i1"\n#EXT-X-PART:INDEPENDENT=YES,URI="b"\n#EXT-X-MAP:URI="i2"')`:      `{"map":"i1","part":"b"}`,
			`['#EXT-X-PART:URI="a",INDEPENDENT=YES', '#EXT-X-MAP:URI="i0"\n#EXT-X-PART:URI="a"', '#EXT-X-MAP:URI="i"\n#EXT-X-PART:INDEPENDENT=YES', ''].map(m.newestIndependent)`: `[null,null,null,null]`,
			`m.pictureVariant('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="Opus, avc1.42c01e"\n\ng/video/media.m3u8\n')`:                                                       `{"uri":"g/video/media.m3u8","codec":"avc1.42c01e"}`,
			`['#EXT-X-STREAM-INF:CODECS="Opus"\na.m3u8', '#EXT-X-STREAM-INF:CODECS="avc1.42c01e"\n#EXT-X-STREAM-INF', '#EXTM3U', ''].map(m.pictureVariant)`:                       `[null,null,null,null]`,
		},
		"pace.js": {
			`m.pace({latency: .7, target: .666, ahead: .6, current: 1, follow: true})`:                                                                       `1`,
			`m.pace({latency: .75, target: .666, ahead: .6, current: 1.02, follow: true})`:                                                                   `1.02`,
			`m.pace({latency: 1.666, target: .666, ahead: 1, current: 1, follow: true})`:                                                                     `1.12`,
			`m.pace({latency: 9, target: .666, ahead: 8, current: 1, follow: true})`:                                                                         `1.25`,
			`m.pace({latency: 1.666, target: .666, ahead: .2, current: 1.1, follow: true})`:                                                                  `1`,
			`m.pace({latency: 1.666, target: .666, ahead: 1, current: 1.1, follow: false})`:                                                                  `1`,
			`[m.pace({latency: NaN, target: 1, ahead: 1, current: 1, follow: true}), m.pace({latency: 3, target: NaN, ahead: 1, current: 1, follow: true})]`: `[1,1]`,
			`[3, 4].map(latency => m.tooFar({latency, target: .666, follow: true}))`:                                                                         `[false,true]`,
			`m.tooFar({latency: 20, target: .666, follow: false})`:                                                                                           `false`,
			`[.95, -3, 60, NaN].map(wallLatency => m.shownLatency({latency: .8, wallLatency}))`:                                                              `[0.95,0.8,0.8,0.8]`,
			`[[1.5, 1.4], [1.5, .5], [.8, .8]].map(([latency, ahead]) => m.mayLeap({latency, target: .666, ahead}))`:                                         `[true,false,false]`,
		},
		"hlssource.js": {
			`m.cmcd({ahead: .6234, latency: .987, starved: false})`:                                         `"bl=620,ltc=1000"`,
			`[m.cmcd({ahead: -1, latency: NaN, starved: true}), m.cmcd({ahead: 0, latency: -2})]`:           `["bl=0,bs","bl=0"]`,
			`m.generationOf('http://a.b/hls/live/k3v9/video/media.m3u8', 'http://a.b/hls/live/index.m3u8')`: `"k3v9"`,
			`m.generationOf('k3v9/video/media.m3u8', 'http://a.b/x/hls/live/index.m3u8?s=1')`:               `"k3v9"`,
			`m.generationOf('http://cdn.b/k3v9/media.m3u8', 'http://a.b/hls/live/index.m3u8')`:              `"http://cdn.b/k3v9/media.m3u8"`,
			`['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f,Opus",AUDIO="a"\nv.m3u8', '#EXT-X-STREAM-INF:CODECS="Opus"\na.m3u8', '#EXT-X-STREAM-INF:CODECS="avc1.42c01e"', '#EXTM3U', ''].map(m.kindsIn)`: `[2,1,1,0,0]`,
			`m.generationOf(undefined, 'http://a.b/hls/live/index.m3u8')`: `null`,
		},
		// RFC 7587 7.1
		"whip.js": {
			`['the token is wrong', 'Done.', '', 'é'].map(m.sentence)`:                                  `["The token is wrong.","Done.","","É."]`,
			`m.stereo('v=0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n')`: `"v=0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n"`,
			`m.stereo('a=rtpmap:96 OPUS/48000/2\r\na=rtcp-mux\r\n')`:                                    `"a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 stereo=1\r\na=rtcp-mux\r\n"`,
			`m.stereo('a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1\r\n')`:                            `"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1\r\n"`,
			`m.stereo('a=rtpmap:96 opus/48000/2\r\na=fmtp:96 sprop-stereo=1\r\n')`:                      `"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 sprop-stereo=1;stereo=1\r\n"`,
			`m.stereo('a=rtpmap:96 H264/90000\r\n')`:                                                    `"a=rtpmap:96 H264/90000\r\n"`,
		},
		"steady.js": {
			// Drawn pictures are one period apart, or a multiple of it where one was left out.
			`(async () => {
				const canvas = document.createElement('canvas'), drawn = m.drawn(50, canvas, () => { canvas.getContext('2d').fillRect(0, 0, 9, 9); return canvas; });
				const reader = new MediaStreamTrackProcessor({track: drawn.track}).readable.getReader(), times = [];
				while (times.length < 20) { const {value} = await reader.read(); times.push(value.timestamp); value.close(); }
				drawn.stop();
				return times.slice(1).every((t, i) => t > times[i] && Math.abs((t - times[i]) % 20000 - 10000) > 9990);
			})()`: `true`,
			// A beat keeps its rate: 40 beats at 100 a second take 0.4 s, never much less.
			`new Promise(done => { const begun = performance.now(); let n = 0; const end = m.beat(100, () => { if (++n === 41) { end(); done(performance.now() - begun > 350); } }); })`: `true`,
		},
	} {
		for expression, want := range cases {
			t.Run(module, func(t *testing.T) {
				got := evaluate[string](p, `import('/static/`+module+`').then(async m => JSON.stringify(await (`+expression+`)))`)
				require.True(t, json.Valid([]byte(want)))
				require.JSONEq(t, want, got, expression)
			})
		}
	}
	p.healthy()
}
