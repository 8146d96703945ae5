// The numbers of the watch page: tiles below the picture, and the overlay.
import {$, facts, setText} from './dom.js';
import {bitrate, codec, frameRate, picture, seconds} from './format.js';
import {shownLatency} from './pace.js';

/** Shows stats of a Player in the tiles. */
export function showTiles(s) {
  const on = s.state === 'playing' || s.state === 'stalled';
  setText($('t-latency'), on ? seconds(shownLatency(s)) : '–');
  setText($('t-picture'), on ? picture(s.width, s.height) : '–');
  setText($('t-rate'), on && s.frameRate > 0 ? frameRate(Math.round(s.frameRate)) : '–');
  setText($('t-bitrate'), on ? bitrate(s.bitrate) : '–');
  setText($('t-buffer'), on ? seconds(s.bufferAhead) : '–');
  setText($('t-dropped'), on ? `${s.dropped} of ${s.frames}` : '–');
}

/** Shows all stats in the overlay. */
export function showOverlay(s) {
  facts($('overlay-facts'), [
    ['State', s.paused && s.state === 'playing' ? 'paused' : s.state],
    ['Latency, clock', seconds(s.wallLatency)], ['Latency, edge', seconds(s.latency)], ['Target', seconds(s.targetLatency)],
    ['Speed', `${s.playbackRate.toFixed(2)}×`], ['Buffer ahead', seconds(s.bufferAhead)], ['Position', seconds(s.currentTime)],
    ['Picture', picture(s.width, s.height, s.frameRate)], ['Codecs', s.codecs.split(', ').map(codec).join(', ')], ['Bitrate', bitrate(s.bitrate)],
    ['Frames', `${s.frames}, ${s.dropped} dropped`], ['Stalls', s.stalls], ['Fatal errors', s.fatal], ['First picture', seconds(s.startup / 1000)],
    ['Generation', s.generation ?? '–'], ['Player', s.engine || '–'], ['Last error', s.errors.at(-1) ?? 'none'],
  ]);
}
