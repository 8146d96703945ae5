// A shared screen with the camera in its corner, as one picture at a constant rate.
import {drawn, frames} from './steady.js';

const part = .24, margin = .02; // of the picture: how wide the camera is, and how far from the edges

/** Returns {track, stop}; both sources are stopped as well. The picture has the size that is asked for, whatever is shared. */
export function composed(screen, camera, fps, {width, height}) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height}), c = canvas.getContext('2d', {alpha: false});
  const back = frames(screen), face = frames(camera);
  const out = drawn(fps, canvas, () => {
    const picture = back.latest();
    if (!picture) return null;
    c.fillStyle = '#000';
    c.fillRect(0, 0, width, height);
    place(c, picture, inside(sizeOf(picture), {width, height}));
    picture.close?.();
    const person = face.latest();
    if (person) corner(c, person, {width, height});
    person?.close?.();
    return canvas;
  });
  return {track: out.track, stop() { for (const x of [out, back, face, screen, camera]) x.stop(); }};
}

const sizeOf = p => ({width: p.displayWidth ?? p.videoWidth ?? p.width, height: p.displayHeight ?? p.videoHeight ?? p.height});
const place = (c, picture, r) => c.drawImage(picture, r.x, r.y, r.width, r.height);

/** The largest rectangle of a picture's form in the middle of another one. Pure. */
export function inside(picture, room) {
  const scale = Math.min(room.width / picture.width, room.height / picture.height), width = Math.round(picture.width * scale), height = Math.round(picture.height * scale);
  return {x: Math.round((room.width - width) / 2), y: Math.round((room.height - height) / 2), width, height};
}

function corner(c, person, room) {
  const size = sizeOf(person), width = Math.round(room.width * part), height = Math.round(width * size.height / size.width), gap = Math.round(room.width * margin);
  const r = {x: room.width - width - gap, y: room.height - height - gap, width, height};
  c.save();
  c.beginPath();
  c.roundRect(r.x, r.y, r.width, r.height, gap / 2);
  c.clip();
  place(c, person, r);
  c.restore();
}
