// Where pictures and sound come from: camera, screen, both, test picture.
import {composed} from './composed.js';
import {drawn, steady} from './steady.js';
import {mix, tone} from './sound.js';
import {testPicture} from './testpicture.js';

/** SourceError says in words what a person can do. */
export class SourceError extends Error {}

const device = 'Cameras, microphones and screens can be used only on https:// pages and on localhost. The test picture works here.';
const refusals = {
  NotAllowedError: 'The browser did not allow it. Allow it in the address bar, then try again.', NotFoundError: 'There is no such device.',
  NotReadableError: 'The device is used by another program.', OverconstrainedError: 'The device cannot do this.', AbortError: 'The device could not be started.',
};

const explain = error => error instanceof SourceError ? error : new SourceError(refusals[error.name] ?? error.message);

/**
 * Opens a source. settings: {width, height, fps, camera, mic, sound, name}; camera is a device id or empty, mic as well
 * or 'none', sound asks for the tone or for the screen's own sound. Returns {video, audio, stop}; audio may be null.
 * The track `ending` ends when a person ends the source outside of the page.
 */
export async function open(kind, settings) {
  try {
    return await {camera, screen, both, canvas}[kind](settings);
  } catch (error) {
    throw explain(error);
  }
}

const exactly = id => id ? {deviceId: {exact: id}} : {};
const microphone = mic => mic === 'none' ? false : {...exactly(mic), channelCount: {ideal: 2}};

async function camera({width, height, fps, camera: id, mic}) {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) throw new SourceError(device);
  const stream = await devices.getUserMedia({video: {...exactly(id), width: {ideal: width}, height: {ideal: height}, frameRate: {ideal: fps}}, audio: microphone(mic)});
  const [video] = stream.getVideoTracks(), [audio = null] = stream.getAudioTracks();
  video.contentHint = 'motion';
  return {video, audio, ending: video, stop() { stream.getTracks().forEach(t => t.stop()); }};
}

/** What a person shares: a track of pictures, and tracks of sound: the screen's own and the microphone's. extra asks for the camera too. */
async function share({width, height, fps, mic, sound}, extra = {}) {
  const devices = navigator.mediaDevices;
  if (!devices?.getDisplayMedia) throw new SourceError(isSecureContext ? 'This browser cannot share a screen.' : device);
  const shared = await devices.getDisplayMedia({video: {width: {max: width}, height: {max: height}, frameRate: {max: fps}}, audio: sound && {echoCancellation: false, noiseSuppression: false, autoGainControl: false}, systemAudio: sound ? 'include' : 'exclude'});
  const [raw] = shared.getVideoTracks(), wanted = {audio: microphone(mic), ...extra};
  try {
    const own = wanted.audio || wanted.video ? await devices.getUserMedia(wanted) : new MediaStream();
    return {raw, camera: own.getVideoTracks()[0], sounds: [...shared.getAudioTracks(), ...own.getAudioTracks()]};
  } catch (error) {
    shared.getTracks().forEach(t => t.stop());
    throw error;
  }
}

/** A source of pictures at a constant rate and of what is shared besides. */
function presented(pictures, {raw, sounds}) {
  const mixed = sounds.length > 1 ? mix(sounds) : null;
  pictures.track.contentHint = 'detail';
  return {video: pictures.track, audio: mixed?.track ?? sounds[0] ?? null, ending: raw, stop() { pictures.stop(); mixed?.stop(); sounds.forEach(t => t.stop()); }};
}

async function screen(settings) {
  const shared = await share(settings);
  return presented(steady(shared.raw, settings.fps), shared);
}

/** The screen, and the camera in its corner. */
async function both(settings) {
  const shared = await share(settings, {video: {...exactly(settings.camera), width: {ideal: 640}, height: {ideal: 360}, frameRate: {ideal: settings.fps}}});
  return presented(composed(shared.raw, shared.camera, settings.fps, settings), shared);
}

function canvas({width, height, fps, sound, name}) {
  const picture = testPicture(width, height, name), beeps = sound ? tone() : null;
  const out = drawn(fps, picture.canvas, () => { picture.draw(Date.now()); return picture.canvas; });
  return {video: out.track, audio: beeps?.track ?? null, ending: null, stop() { out.stop(); beeps?.stop(); }};
}

/** The devices of a kind ('videoinput', 'audioinput') that have a name; they have one after the first permission. */
export async function devices(kind) {
  const all = await navigator.mediaDevices?.enumerateDevices() ?? [];
  return all.filter(d => d.kind === kind && d.deviceId && d.deviceId !== 'default' && d.label);
}
