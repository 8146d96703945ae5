// A still of a live stream, painted from its newest independent part: an index, a playlist, an init segment and one part
// are fetched one after the other, so over a single connection, and nothing stays loaded.

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const limit = 5000;          // ms for each step
const widest = 640;          // pixels of a still
const glance = {cache: 'no-store', headers: {'X-Purpose': 'preview'}}; // the server does not count it as a viewer

/** Whether this browser can paint stills, and its user does not save data. */
export const supported = () => Boolean(Source) && !navigator.connection?.saveData;

/** The newest independent part of a media playlist, and its init segment, as URIs: {map, part}, or null. Pure. */
export function newestIndependent(playlist) {
  let map = null, found = null;
  const uri = line => /\bURI="([^"]+)"/.exec(line)?.[1] ?? null;
  for (const line of playlist.split('\n')) {
    if (line.startsWith('#EXT-X-MAP:')) map = uri(line);
    if (line.startsWith('#EXT-X-PART:') && /\bINDEPENDENT=YES\b/.test(line) && map) found = {map, part: uri(line)};
  }
  return found?.part ? found : null;
}

/** The variant of an index and its video codec: {uri, codec}, or null where there is no video. Pure. */
export function pictureVariant(index) {
  const lines = index.split('\n').map(l => l.trim()).filter(Boolean), at = lines.findIndex(l => l.startsWith('#EXT-X-STREAM-INF:'));
  const codec = /\bCODECS="([^"]*)"/.exec(lines[at] ?? '')?.[1].split(',').map(c => c.trim()).find(c => /^(avc|hvc|hev|av01|vp0)/i.test(c));
  return codec && lines[at + 1] && !lines[at + 1].startsWith('#') ? {uri: lines[at + 1], codec} : null;
}

async function load(url, kind) {
  const response = await fetch(url, {...glance, signal: AbortSignal.timeout(limit)});
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return {at: response.url, body: await response[kind]()};
}

const event = (target, name) => new Promise((done, fail) => {
  const signal = AbortSignal.timeout(limit);
  target.addEventListener(name, done, {once: true});
  target.addEventListener('error', () => fail(new Error('the picture cannot be decoded')), {once: true});
  signal.addEventListener('abort', () => fail(new Error(`no ${name} in time`)), {once: true});
});

/** Paints the newest still of the stream with this index on a canvas. Throws where there is none now. */
export async function paint(canvas, index) {
  const list = await load(index, 'text'), variant = pictureVariant(list.body);
  if (!variant) throw new Error('no picture');
  const media = await load(new URL(variant.uri, list.at), 'text'), newest = newestIndependent(media.body);
  if (!newest) throw new Error('no independent part');
  const head = await load(new URL(newest.map, media.at), 'arrayBuffer'), part = await load(new URL(newest.part, media.at), 'arrayBuffer');
  await decode(canvas, `video/mp4; codecs="${variant.codec}"`, [head.body, part.body]);
}

/** Shows the first picture of what is appended, and draws it. */
async function decode(canvas, type, data) {
  const video = document.createElement('video'), source = new Source(), url = URL.createObjectURL(source);
  video.muted = video.playsInline = video.disableRemotePlayback = true;
  try {
    const opened = event(source, 'sourceopen');
    video.src = url;
    await opened;
    const buffer = source.addSourceBuffer(type);
    for (const bytes of data) {
      const taken = event(buffer, 'updateend');
      buffer.appendBuffer(bytes);
      await taken;
    }
    source.endOfStream();
    const there = event(video, 'seeked');
    video.currentTime = buffer.buffered.start(0);
    await there;
    await decoded(video);
    draw(canvas, video);
  } finally {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  }
}

/** Waits until there is something to draw: a picture that is not there yet leaves a canvas transparent. */
async function decoded(video) {
  const probe = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  for (let tries = 0; tries < 20; tries++) {
    probe.drawImage(video, 0, 0, 1, 1);
    if (probe.getImageData(0, 0, 1, 1).data[3] > 0) return;
    await new Promise(done => setTimeout(done, 50));
  }
  throw new Error('no picture in time');
}

function draw(canvas, video) {
  const scale = Math.min(1, widest / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
}
