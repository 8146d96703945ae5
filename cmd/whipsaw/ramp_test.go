package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ramp publishes noise, which fills any bit rate, from a page of the server, and looks five times a second at what Chromium
// believes that it may send and at what it sends.
const ramp = `(async () => {
  const full = 2_000_000, canvas = document.createElement('canvas'), noise = document.createElement('canvas');
  [canvas.width, canvas.height, noise.width, noise.height] = [640, 360, 1280, 720];
  const image = new ImageData(noise.width, noise.height), random = new Uint32Array(image.data.buffer).map(() => 0xff000000 | Math.random() * 0xffffff);
  image.data.set(new Uint8Array(random.buffer));
  noise.getContext('2d').putImageData(image, 0, 0);
  const c = canvas.getContext('2d');
  setInterval(() => c.drawImage(noise, -Math.random() * 640, -Math.random() * 360), 33);
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'}), media = canvas.captureStream(30);
  const t = pc.addTransceiver(media.getTracks()[0], {direction: 'sendonly', streams: [media], sendEncodings: [{maxBitrate: full}]});
  t.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter(c => /H264|rtx/i.test(c.mimeType)));
  await pc.setLocalDescription();
  const r = await fetch('/whip/live', {method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: pc.localDescription.sdp});
  const connected = new Promise(done => pc.onconnectionstatechange = () => pc.connectionState === 'connected' && done());
  await pc.setRemoteDescription({type: 'answer', sdp: await r.text()});
  await connected;
  const began = performance.now(), w = window.ramp = {Believed: [], Known: 0, Sent: 0};
  let bytes = 0, at = began;
  setInterval(async () => {
    const stats = [...(await pc.getStats()).values()], now = performance.now();
    const available = stats.find(s => s.type === 'candidate-pair' && s.nominated)?.availableOutgoingBitrate ?? 0;
    w.Believed.push(Math.round(available / 1000));
    if (available >= full) w.Known ||= (now - began) / 1000;
    if (now - at < 900) return;
    const sent = stats.find(s => s.type === 'outbound-rtp').bytesSent;
    w.Sent = Math.max(w.Sent, 8000 * (sent - bytes) / (now - at) / full);
    [bytes, at] = [sent, now];
  }, 200);
})()`

// ramped is what the page has seen so far.
type ramped struct {
	Believed []float64 // kbit/s
	Known    float64   // after so many seconds it was believed that the full bit rate gets through; 0: not yet
	Sent     float64   // the highest share of the full bit rate in any second
}

// A browser begins with 300 kbit/s, and goes on from there by what transport-wide feedback tells it.
func TestBrowserReachesItsBitrate(t *testing.T) {
	realTime(t, loadAll) // an encoder that gets no time is told to make less
	b := startBrowser(t)
	s := serve(t)
	page := b.open(s.URL() + "/publish/live")
	evaluate[any](page, ramp)
	var seen ramped
	defer func() { t.Logf("%+v", seen) }()
	eventually(t, "the full bit rate is believed in, and most of it sent", func() bool {
		seen = evaluate[ramped](page, "window.ramp")
		return seen.Known > 0 && seen.Sent > 0.5 // what an encoder makes of it depends on the picture and on its time
	})
	t.Logf("full bit rate after %.1f s: %+v", seen.Known, seen)
	require.Less(t, seen.Known, 10.0, "seconds until the full bit rate")
}
