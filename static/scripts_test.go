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
			`[m.ending('silent'), m.ending('some-new-reason'), m.ending(undefined)]`:                                                                                   `["it went silent","some new reason",""]`,
		},
		"card.js": {
			`m.advise({state: 'live', video: {gop: 2, obeys_pli: false}})`:                                   `""`,
			`m.advise({state: 'live', video: {gop: 8.333, obeys_pli: false}})`:                               `"A keyframe comes only every 8.3 s. Set the encoder's keyframe interval to 2 s."`,
			`m.advise({state: 'live', video: {gop: 8.333, obeys_pli: true}})`:                                `""`,
			`m.advise({state: 'ended', video: {gop: 8.333}})`:                                                `""`,
			`m.advise({state: 'live', video: {gop: 2, packets: 5000, lost: 100}})`:                           `"2.0 % of the video packets are lost on the way here."`,
			`[m.advise({state: 'live', video: {gop: 2, packets: 50, lost: 10}}), m.advise({state: 'live'})]`: `["",""]`,
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
			`[[1.5, 1.4], [1.5, .5], [.8, .8]].map(([latency, ahead]) => m.mayLeap({latency, target: .666, ahead}))`:                                         `[true,false,false]`,
		},
		"readout.js": {
			`m.shownLatency({latency: .8, wallLatency: .95})`: `0.95`,
			`m.shownLatency({latency: .8, wallLatency: -3})`:  `0.8`,
			`m.shownLatency({latency: .8, wallLatency: 60})`:  `0.8`,
			`m.shownLatency({latency: .8, wallLatency: NaN})`: `0.8`,
		},
		"hlssource.js": {
			`m.generationOf('http://a.b/hls/live/k3v9/video/media.m3u8', 'http://a.b/hls/live/index.m3u8')`:                                                                                                             `"k3v9"`,
			`m.generationOf('k3v9/video/media.m3u8', 'http://a.b/x/hls/live/index.m3u8?s=1')`:                                                                                                                           `"k3v9"`,
			`m.generationOf('http://cdn.b/k3v9/media.m3u8', 'http://a.b/hls/live/index.m3u8')`:                                                                                                                          `"http://cdn.b/k3v9/media.m3u8"`,
			`['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f,Opus",AUDIO="a"\nv.m3u8', '#EXT-X-STREAM-INF:CODECS="Opus"\na.m3u8', '#EXT-X-STREAM-INF:CODECS="avc1.42c01e"', '#EXTM3U', ''].map(m.kindsIn)`: `[2,1,1,0,0]`,
			`m.generationOf(undefined, 'http://a.b/hls/live/index.m3u8')`:                                                                                                                                               `null`,
		},
		// RFC 7587 7.1
		"whip.js": {
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
