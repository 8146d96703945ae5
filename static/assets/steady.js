// Pictures at a constant rate. A shared screen sends frames only while something moves; a live stream wants them always.

const workerURL = new URL('./ticker.js', import.meta.url);

/** Calls f(number of the beat) at a constant rate, also while the page is out of sight, until the function that is returned is called. */
export function beat(fps, f) {
  const worker = new Worker(workerURL);
  worker.onmessage = ({data}) => f(data);
  worker.postMessage({fps});
  return () => worker.terminate();
}

const canGenerate = () => 'MediaStreamTrackGenerator' in globalThis && 'VideoFrame' in globalThis;

/**
 * A video track made of pictures: take() gives a VideoFrame, a canvas or null at each beat. What take() gives belongs to
 * this function. Returns {track, stop}.
 */
export function drawn(fps, canvas, take) {
  if (!canGenerate()) return captured(fps, canvas, take);
  const track = new MediaStreamTrackGenerator({kind: 'video'}), writer = track.writable.getWriter(), begun = 1000 * performance.now();
  const end = beat(fps, n => {
    const picture = take();
    if (!picture) return;
    // The beat's time, not the moment's: a busy page is late now and then, its pictures are not.
    const frame = new VideoFrame(picture, {timestamp: Math.round(begun + n * 1e6 / fps)});
    picture.close?.();
    if (writer.desiredSize <= 0) return frame.close(); // the encoder is behind: leave one out
    writer.write(frame).catch(() => frame.close());    // the track was stopped
  });
  return {track, stop() { end(); track.stop(); }};
}

/** The same with a captured canvas, where tracks cannot be generated. */
function captured(fps, canvas, take) {
  const context = canvas.getContext('2d'), [track] = canvas.captureStream(fps).getVideoTracks();
  const end = beat(fps, () => {
    const picture = take();
    if (picture && picture !== canvas) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture?.close?.();
  });
  return {track, stop() { end(); track.stop(); }};
}

/** The latest picture of a track: {latest, stop, canvas}; what latest() gives belongs to the caller, who closes it if it can be closed. */
export const frames = source => canGenerate() && 'MediaStreamTrackProcessor' in globalThis ? readFrames(source) : playFrames(source);

/** Redraws the pictures of a track at a constant rate. Returns {track, stop}; the source is stopped as well. */
export function steady(source, fps) {
  const pictures = frames(source), out = drawn(fps, pictures.canvas, () => pictures.latest());
  return {track: out.track, stop() { out.stop(); pictures.stop(); source.stop(); }};
}

/** The latest frame of a track, straight from the capturer. */
function readFrames(source) {
  const reader = new MediaStreamTrackProcessor({track: source}).readable.getReader();
  let last = null;
  (async () => {
    for (;;) {
      const {value, done} = await reader.read();
      if (done) return;
      last?.close();
      last = value;
    }
  })().catch(() => {}); // cancelled
  return {canvas: null, latest: () => last?.clone() ?? null, stop() { reader.cancel().catch(() => {}); last?.close(); last = null; }};
}

/** The same by way of a video element, whose picture is drawn on a canvas. */
function playFrames(source) {
  const video = document.createElement('video'), canvas = document.createElement('canvas');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([source]);
  video.play().catch(() => {}); // it plays as soon as it may
  return {
    canvas,
    latest() {
      if (video.readyState < 2) return null;
      if (canvas.width !== video.videoWidth || canvas.height !== video.videoHeight) Object.assign(canvas, {width: video.videoWidth, height: video.videoHeight});
      return video;
    },
    stop() { video.srcObject = null; },
  };
}
